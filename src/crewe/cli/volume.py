"""`crewe volume`: counted columns to a model in three dimensions."""

from typing import Any

import typer

from crewe.cli import analysis_options as asking
from crewe.cli import analysis_words, options

EXAMPLES = """Examples:

    crewe volume gold_quantified

    crewe volume gold_quantified --cell Au.cif --zone 1,1,0 --place lattice

    crewe volume particle_quantified --flat bottom
"""


def volume(
    context: typer.Context,
    results: asking.Results,
    cell: asking.Cells = None,
    zone: asking.Zones = None,
    sites: asking.Sites = None,
    lattices: asking.Lattices = None,
    place: asking.Place = None,
    flat: asking.Flat = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Build a model of the atoms from the counts of a result and its lattice.

    Count the atoms first (crewe count), and index the columns (crewe strain) or give --cell.
    Adds XYZ and CIF files, a page to turn the model, a picture and a section of the report to
    the folder that crewe quantify wrote.
    """
    from crewe.cli.analysing import analyse_folders, settings_given

    parts: dict[str, Any] = {"volume": settings_given(place=place, flat=flat)}
    lattice = analysis_words.lattice_settings(cell, zone, sites, lattices)
    if lattice is not None:
        parts["lattice"] = lattice
    return analyse_folders(results, parts, dry_run, as_json, quiet, bool(context.obj))
