"""`crewe strain`: fitted columns against a unit cell."""

from typing import Annotated, Any, Literal

import typer

from crewe.cli import analysis_options as asking
from crewe.cli import analysis_words, options

EXAMPLES = """Examples:

    crewe strain gold_quantified --cell Au.cif --zone 1,1,0

    crewe strain gold_quantified --cell Au.cif --zone 1,1,0 --lattices 2

    crewe strain batio3_quantified --cell BaTiO3.cif --zone 1,0,0 --sites Ba,Ti --shift Ti:Ba

    crewe strain pt_quantified --cell Pt.cif --zone 1,1,0 --burgers 40,52,15
"""

Reference = Annotated[
    Literal["mean", "cell"] | None,
    typer.Option(
        help="Strain is zero in the mean lattice, or in the given cell. Default: mean.",
        rich_help_panel=asking.STRAIN,
    ),
]
Radius = Annotated[
    float | None,
    typer.Option(
        help="Reach of neighbours, in longer edges of the cell; more smooths. Default: 1.1.",
        rich_help_panel=asking.STRAIN,
    ),
]
Tilt = Annotated[
    list[str] | None,
    typer.Option(
        "--tilt",
        help="Tilt of octahedra, centre and corner, as Ti:O; repeatable.",
        rich_help_panel=asking.STRAIN,
    ),
]
Burgers = Annotated[
    list[str] | None,
    typer.Option(
        "--burgers",
        help="Burgers vector within a circle, x,y,radius in Å; repeatable.",
        rich_help_panel=asking.STRAIN,
    ),
]


def strain(
    context: typer.Context,
    results: asking.Results,
    cell: asking.Cells = None,
    zone: asking.Zones = None,
    sites: asking.Sites = None,
    lattices: asking.Lattices = None,
    reference: Reference = None,
    radius: Radius = None,
    shift: asking.Shift = None,
    tilt: Tilt = None,
    burgers: Burgers = None,
    region: asking.Region = None,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Index the columns of a result against a unit cell; measure strain, shifts and tilts.

    Adds the place of each column in its lattice, its displacement, strain and rotation with
    standard errors, figures and a section of the report to the folder that crewe quantify wrote;
    the image is not needed. Without --cell the one that the result holds already is taken.
    """
    from crewe.cli.analysing import analyse_folders, settings_given

    parts: dict[str, Any] = {
        "strain": settings_given(
            reference=reference,
            radius=radius,
            shifts=analysis_words.pairs(shift, "--shift"),
            tilts=analysis_words.pairs(tilt, "--tilt"),
            burgers=analysis_words.circuits(burgers),
        )
    }
    lattice = analysis_words.lattice_settings(cell, zone, sites, lattices)
    if lattice is not None:
        parts["lattice"] = lattice
    if region is not None:
        parts["region"] = analysis_words.region_settings(region)
    return analyse_folders(results, parts, dry_run, as_json, quiet, bool(context.obj))
