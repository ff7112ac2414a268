"""`crewe quantify`: images to tables of atomic columns."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crewe.cli import analysis_options as asking
from crewe.cli import analysis_words, options
from crewe.cli.inputs import expand, output_folders
from crewe.cli.words import number_or_word
from crewe.errors import PlanError, ReadError

if TYPE_CHECKING:
    from crewe.workflows import QuantifyPlan

EXAMPLES = """Examples:

    crewe quantify gold.dm4

    crewe quantify gold.png --sampling 0.094 -o gold

    crewe quantify "series/*.tif" --sampling 0.12 --workers 4 -o results

    crewe quantify gold.dm4 --detector-map map.dm4 --beam-current 20 --dwell-time 10

    crewe quantify srtio3.ser --unit-cell STO100.txt

    crewe quantify gold.dm4 --restore hrstem --find network

    crewe quantify gold.dm4 --count-atoms --library au.csv --cell Au.cif --zone 1,1,0 --volume

    crewe quantify batio3.ser --cell BaTiO3.cif --sites Ba,Ti --shift Ti:Ba --type Ba --scale 0.3

    crewe quantify gold.dm4 --dry-run > plan.yaml
"""


def quantify(
    context: typer.Context,
    images: options.Images = None,
    sampling: options.Sampling = None,
    signal: options.Signal = None,
    frame: options.Frame = None,
    plan: options.PlanFile = None,
    vacuum: options.Vacuum = None,
    detector: options.Detector = None,
    detector_map: options.DetectorMap = None,
    beam_current: options.BeamCurrent = None,
    dwell_time: options.DwellTime = None,
    electrons_per_unit: options.ElectronsPerUnit = None,
    counts: options.Counts = False,
    restore: options.Restore = None,
    find: options.Find = None,
    spacing: options.Spacing = None,
    sensitivity: options.Sensitivity = None,
    unit_cell: options.UnitCell = None,
    peak: options.Peak = None,
    width: options.Width = None,
    background: options.Background = None,
    noise: options.Noise = None,
    remove_background: asking.RemoveBackground = False,
    weak_columns: asking.WeakColumns = False,
    region: asking.Region = None,
    count_atoms: asking.CountAtoms = False,
    library: asking.Library = None,
    scale: asking.Scale = None,
    least_count: asking.LeastCount = None,
    types: asking.Types = None,
    cell: asking.Cells = None,
    zone: asking.Zones = None,
    sites: asking.Sites = None,
    lattices: asking.Lattices = None,
    shift: asking.Shift = None,
    volume: asking.Volume = False,
    seed: options.Seed = None,
    output: options.Output = None,
    workers: options.Workers = 0,
    scheduler: options.Scheduler = None,
    overwrite: options.Overwrite = False,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Find and fit every atomic column of an image, with error bars.

    Columns must be brighter than what surrounds them: invert a bright-field image first.

    Writes a folder with the table of columns (CSV and Parquet), the model and
    residual images, a figure, a report that any browser opens, and the plan that
    repeats it. A result that is there already is kept.

    Atoms are counted, strain is measured (--cell) and a model is built at once, or later with
    crewe count, crewe strain and crewe volume, which have more options.
    """
    flags = {
        "signal": number_or_word(signal),
        "frame": number_or_word(frame),
        "sampling": number_or_word(sampling),
        "seed": seed,
        "intensity": {
            "vacuum": vacuum,
            "detector": detector,
            "detector_map": detector_map,
            "beam_current_pa": beam_current,
            "dwell_time_us": dwell_time,
            "electrons_per_unit": electrons_per_unit,
            "counts": counts or None,
        },
        "restore": restore,
        "find": {"by": find, "spacing": spacing, "sensitivity": sensitivity},
        "unit_cell": analysis_words.unit_cell_settings(unit_cell),
        "fit": {"peak": peak, "width": width, "background": background, "noise": noise},
    }
    asked = analysis_words.parts_asked(
        wanted={
            "remove_background": remove_background,
            "weak_columns": weak_columns,
            "count": count_atoms,
            "volume": volume,
        },
        region=region,
        count={
            "library": analysis_words.library_settings(library),
            "single_atom_scs": scale,
            "least_count": least_count,
            "types": analysis_words.types_or_none(types),
        },
        lattice=analysis_words.lattice_settings(cell, zone, sites, lattices),
        shifts=shift,
    )
    plans = plans_from(images or [], output, plan, asked | _given(flags))
    if dry_run:
        return _show(plans, as_json)
    return _carry_out(plans, workers, scheduler, overwrite, as_json, quiet, bool(context.obj))


def plans_from(
    images: Sequence[str], output: Path | None, plan_file: Path | None, flags: dict[str, Any]
) -> list["QuantifyPlan"]:
    """Return one plan per image: settings of the plan file, overridden by flags.

    Without images the plan file's own is taken. Raises PlanError when there is none.
    """
    from crewe.workflows.plan_file import plan_from, read_settings

    settings: dict[str, Any] = {} if plan_file is None else read_settings(plan_file)
    settings = _merged({**settings, "provenance": None}, flags)
    paths = expand(images)
    if not paths and "image" in settings:
        paths = [Path(settings["image"])]
    if not paths:
        raise PlanError("no image given: name one or more, as in crewe quantify gold.dm4")
    if output is None and not images and settings.get("output"):
        output = Path(settings["output"])
    origin = "the command" if plan_file is None else str(plan_file)
    return [
        plan_from({**settings, "image": image, "output": folder}, origin)
        for image, folder in zip(paths, output_folders(paths, output), strict=True)
    ]


def _carry_out(
    plans: Sequence["QuantifyPlan"],
    workers: int,
    scheduler: str | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    debug: bool,
) -> int:
    from functools import partial

    from crewe.cli.outcomes import tell
    from crewe.cli.progress import listener
    from crewe.workflows.carry_out import run_unless_finished
    from crewe.workflows.many import run_many

    verb = partial(run_unless_finished, overwrite=overwrite)
    names = [str(plan.image) for plan in plans]
    if scheduler:
        plans = [plan.with_absolute_paths() for plan in plans]
    with listener(quiet) as observer:
        outcomes = run_many(
            verb, plans, names, observer=observer, workers=workers, scheduler=scheduler
        )
        return tell(outcomes, [plan.output for plan in plans], observer, as_json, debug)


def _check_present(plan: "QuantifyPlan") -> None:
    """Raise ReadError or PlanError when an input file or a network of the plan is not there."""
    for path in (plan.image, plan.intensity.detector_map):
        if path is not None and not path.exists():
            raise ReadError(f"{path} does not exist: check the path")
    if plan.networks:
        from crewe.networks.zoo import card_of

        for name in plan.networks.values():
            card_of(name)


def _show(plans: Sequence["QuantifyPlan"], as_json: bool) -> int:
    """Print each plan and, as YAML comments, what would be written."""
    import json

    from crewe.workflows.plan_file import to_yaml
    from crewe.workflows.result_folder import files_of

    for plan in plans:
        _check_present(plan)
    for plan in plans:
        if as_json:
            would_write = (
                [str(plan.output / name) for name in files_of(plan)] if plan.output else []
            )
            shown = {"plan": plan.model_dump(mode="json"), "would_write": would_write}
            typer.echo(json.dumps(shown, ensure_ascii=False))
            continue
        typer.echo(f"---\n{to_yaml(plan, Path())}# would write into {plan.output}:")
        for name, meaning in files_of(plan).items():
            typer.echo(f"#   {name:<20} {meaning}")
    return 0


def _given(flags: dict[str, Any]) -> dict[str, Any]:
    """Leave out the flags that were not given."""
    kept = {}
    for key, value in flags.items():
        if isinstance(value, dict):
            value = _given(value) or None
        if value is not None:
            kept[key] = value
    return kept


def _merged(settings: dict[str, Any], flags: dict[str, Any]) -> dict[str, Any]:
    merged = dict(settings)
    for key, value in flags.items():
        inner = merged.get(key)
        merged[key] = {**inner, **value} if isinstance(inner, dict) else value
    return merged
