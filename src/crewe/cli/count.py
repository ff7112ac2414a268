"""`crewe count`: fitted columns to the number of atoms in each."""

from pathlib import Path
from typing import Annotated, Any

import typer

from crewe.cli import analysis_options as asking
from crewe.cli import analysis_words, options
from crewe.errors import PlanError

EXAMPLES = """Examples:

    crewe count gold_quantified

    crewe count gold_quantified --library au100.csv --scale-std 0.05

    crewe count srtio3_quantified --type Sr --scale 0.31

    crewe count gold_quantified --by mixture

    crewe count frame_*_quantified --series --library au100.csv -o counted
"""

Series = Annotated[
    bool,
    typer.Option("--series", help="The results are frames of one series: count them together."),
]
SeriesFolder = Annotated[
    Path | None, typer.Option("-o", "--output", help="Folder for the result of --series.")
]
SeriesOverwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace an existing folder -o (with --series).")
]


def count(
    context: typer.Context,
    results: asking.Results,
    library: asking.Library = None,
    scale: asking.Scale = None,
    scale_std: asking.ScaleStd = None,
    by: asking.By = None,
    components: asking.Components = None,
    criterion: asking.Criterion = None,
    offset: asking.Offset = None,
    rule: asking.Rule = None,
    least_count: asking.LeastCount = None,
    most_count: asking.MostCount = None,
    width: asking.CountWidth = None,
    dose: asking.Dose = None,
    types: asking.Types = None,
    least_probability: asking.LeastProbability = None,
    keep_undecided: asking.KeepUndecided = False,
    region: asking.Region = None,
    series: Series = False,
    output: SeriesFolder = None,
    overwrite: SeriesOverwrite = False,
    dry_run: options.DryRun = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> int:
    """Count the atoms in each column of a result, with the probability of each count.

    Adds counts, a figure and a section of the report to the folder that crewe quantify wrote;
    the image is not needed. Where the cross-sections cannot decide a count, the column gets none,
    and where they decide nothing, the report says so first.
    """
    from crewe.cli.analysing import analyse_folders, settings_given

    settings = settings_given(
        library=analysis_words.library_settings(library),
        single_atom_scs=scale,
        scale_std=scale_std,
        by=by,
        components=components,
        criterion=criterion,
        offset=offset,
        rule=rule,
        least_count=least_count,
        most_count=most_count,
        width=width,
        dose_e_per_angstrom2=dose,
        types=analysis_words.types_or_none(types),
        least_probability=least_probability,
        keep_undecided=keep_undecided or None,
    )
    if series:
        return _count_series(results, settings, output, overwrite, as_json, quiet)
    if output is not None or overwrite:
        raise PlanError("-o and --overwrite are for --series: counts go to the results themselves")
    parts: dict[str, Any] = {"count": settings}
    if region is not None:
        parts["region"] = analysis_words.region_settings(region)
    return analyse_folders(results, parts, dry_run, as_json, quiet, bool(context.obj))


def _count_series(
    results: list[Path],
    settings: dict[str, Any],
    output: Path | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    import json

    from crewe.cli.progress import listener
    from crewe.workflows.count_series import run_series, series_plan

    library = settings.pop("library", None)
    if library is None or output is None:
        raise PlanError("--series needs a library and a folder: give --library FILE and -o FOLDER")
    if settings:
        raise PlanError(f"--series takes no {', '.join(settings)}: leave it out")
    plan = series_plan({"results": results, "library": library, "output": output})
    with listener(quiet) as observer:
        summary = run_series(plan, observer, overwrite=overwrite)
    if as_json:
        typer.echo(json.dumps({"output": output.as_posix(), "summary": summary}))
    return 0
