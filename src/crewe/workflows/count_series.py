"""Count the atoms of columns over a series of frames, each a result of `crewe quantify`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from crewe.errors import CalibrationError, PlanError
from crewe.workflows.analyse_counts import library_array
from crewe.workflows.observer import Observer, stages
from crewe.workflows.plan_analyses import ScatteringLibrary
from crewe.workflows.plan_mistakes import mistakes
from crewe.workflows.plan_part import PlanPart
from crewe.workflows.portable_path import portable_path
from crewe.workflows.provenance import sha256, versions
from crewe.workflows.result_folder import check_output, new_folder
from crewe.workflows.stored_result import load_result
from crewe.workflows.summary import plain
from crewe.workflows.write_analyses import write_both

if TYPE_CHECKING:
    import pandas as pd

    from crewe.atoms.counting.time_series import SeriesCounts

SERIES_FILES = {
    "counts.csv": "count of each column in each frame, with its probability",
    "counts.parquet": "the same, with units and every digit",
    "series.json": "the result in numbers, settings, versions and checksums",
    "series.png": "counts over the frames",
}


class SeriesPlan(PlanPart):
    """From results of single frames to counts over the series."""

    results: tuple[Path, ...]
    """Folders that `crewe quantify` wrote, in the order of the frames."""
    library: ScatteringLibrary
    """Simulated cross-sections; their scale is free."""
    output: Path
    """Folder to write."""


def series_plan(settings: Mapping[str, Any]) -> SeriesPlan:
    """Build the plan of a series. Raises PlanError that names what is wrong."""
    try:
        plan = SeriesPlan.model_validate(settings)
    except ValidationError as error:
        said = mistakes(error, settings)
        raise PlanError(f"the series cannot be counted: {said}") from error
    if len(plan.results) < 2:
        raise PlanError(
            f"{len(plan.results)} result is no series: name at least 2, or leave out --series"
        )
    return plan


def run_series(plan: SeriesPlan, observer: Observer, *, overwrite: bool = False) -> dict[str, Any]:
    """Count the series, write its folder and return the summary. Raises CreweError."""
    from crewe.atoms.counting.time_series import count_series

    observer.started(str(plan.output))
    check_output(plan.output, overwrite, SERIES_FILES)
    observer.stage_started("reading")
    frames = _frames(plan)
    counts = count_series(frames, library_array(plan.library), progress=stages(observer))
    summary = plain({**counts.summary, "scale": counts.scale, "width": counts.width})
    if not counts.summary["decided"]:
        observer.warning(f"atoms are NOT counted: {counts.summary['verdict']}")
    for warning in counts.summary["warnings"]:
        observer.warning(warning)
    observer.stage_started("writing")
    _write(plan, counts, summary, frames[0].attrs["units"], overwrite)
    observer.finished(f"{counts.summary['verdict']}, written to {plan.output}")
    return summary


def _frames(plan: SeriesPlan) -> "list[pd.DataFrame]":
    """Return the tables of all frames. Raises CalibrationError for cross-sections of two units."""
    tables = []
    for folder in plan.results:
        stored = load_result(folder)
        table = stored.fit.columns
        table.attrs["units"] = stored.summary["units"]
        tables.append(table)
    units = [table.attrs["units"]["scs"] for table in tables]
    for folder, unit in zip(plan.results, units, strict=True):
        if unit != units[0]:
            raise CalibrationError(
                f"cross-sections of {folder} are in {unit}, those of {plan.results[0]} in "
                f"{units[0]}: quantify all frames with the same intensity calibration"
            )
    return tables


def _write(
    plan: SeriesPlan,
    counts: "SeriesCounts",
    summary: dict[str, Any],
    units: dict[str, str],
    overwrite: bool,
) -> None:
    from crewe.plots import png_bytes
    from crewe.plots.count_series import series_figure

    table = counts.tracks.rename(columns={"track": "column"})
    table.attrs["units"] = {name: units[name] for name in ("x", "y", "scs")}
    note = {
        "summary": summary,
        "plan": {
            "results": [portable_path(folder, plan.output) for folder in plan.results],
            "library": plan.library.model_dump(mode="json"),
        },
        "drift_angstrom": plain(counts.shifts),
        "columns_sha256": [sha256(folder / "columns.parquet") for folder in plan.results],
        "versions": versions(),
    }
    with new_folder(plan.output, overwrite, SERIES_FILES) as folder:
        write_both(folder, "counts", table)
        text = json.dumps(note, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / "series.json").write_text(text + "\n", encoding="utf-8")
        figure = series_figure(counts.counts, title=summary["verdict"])
        (folder / "series.png").write_bytes(png_bytes(figure, 200))
