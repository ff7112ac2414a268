"""Read back what `crewe quantify` wrote, so that its columns can be asked more."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe import axes, io
from crewe.atoms.background import Mesh
from crewe.atoms.equations import ColumnModel
from crewe.atoms.fit import ColumnFit
from crewe.atoms.stamps import Grid
from crewe.errors import PlanError, ReadError
from crewe.workflows.analyse import warnings_of
from crewe.workflows.analysed import ADDED, OUTSIDE
from crewe.workflows.plan import QuantifyPlan
from crewe.workflows.plan_file import PLAN_NAME, load_plan
from crewe.workflows.quantify import Quantification
from crewe.workflows.result_folder import ANALYSIS_FILES, files_of
from crewe.workflows.summary import summarise_columns
from crewe.workflows.weak_columns import PRESENCE

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

SECTIONS = ("failed", "counting", "lattice", "volume")


def load_result(folder: Path) -> Quantification:
    """Read a result as it was before any analysis; its plan still names those it holds.

    The image is model plus residual, so the image file is not needed, nor are the files of the
    analyses, which are carried out anew. Raises PlanError for what is no finished result of
    `crewe quantify`, ReadError for one that is damaged.
    """
    plan = plan_of(folder)
    needed = (name for name in files_of(plan) if name not in ANALYSIS_FILES)
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise ReadError(f"{folder} lacks {missing[0]}: make it anew with crewe quantify")
    summary = _summary_in(folder)
    columns = unanalysed(io.read_table(folder / "columns.parquet"), plan)
    model = io.read_image(folder / "model.tif")
    residual = io.read_image(folder / "residual.tif")
    _check_sizes(folder, summary, columns, model, residual)
    image = (
        model.copy(data=model.values + residual.values)
        if plan.restore is None
        else io.read_image(folder / "restored.tif")
    )
    background = _background(plan, columns, model)
    fit = ColumnFit(columns, model, background, residual, summary["fit"])
    return Quantification(plan, image, fit, _base_of(summary, columns), stored_in=folder)


def unanalysed(columns: "pd.DataFrame", plan: QuantifyPlan) -> "pd.DataFrame":
    """Return the table as it was fitted, without what analyses have added to it."""
    table = columns.drop(columns=[name for name in ADDED if name in columns])
    table.attrs = dict(columns.attrs)
    if plan.unit_cell is not None:
        names = dict(enumerate(dict.fromkeys(name for name, _, _ in plan.unit_cell.sites)))
        table["site_name"] = table["type"].map(names).fillna("")
        if PRESENCE in table:
            table.loc[table[PRESENCE].notna(), "site_name"] = "weak"
    words = table["flag"].str.split(",")
    table["flag"] = [",".join(word for word in said if word != OUTSIDE) for said in words]
    return table


def plan_of(folder: Path) -> QuantifyPlan:
    """Return the plan of a finished result. Raises PlanError for what is none."""
    if not folder.is_dir():
        kind = "is a file" if folder.exists() else "does not exist"
        raise PlanError(f"{folder} {kind}: give the folder that crewe quantify wrote")
    if not (folder / PLAN_NAME).is_file():
        raise PlanError(
            f"{folder} is no result of crewe quantify, it has no {PLAN_NAME}: give the folder "
            "that crewe quantify wrote"
        )
    plan = load_plan(folder / PLAN_NAME)
    if plan.provenance is None:
        raise PlanError(f"{folder} holds a plan but no result: run crewe quantify --plan first")
    return plan


def _summary_in(folder: Path) -> dict[str, Any]:
    path = folder / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        _ = summary["columns"]["total"], summary["shape"], summary["fit"], summary["warnings"]
    except (ValueError, KeyError, TypeError) as error:
        raise ReadError(f"{path} is damaged: make it anew with crewe quantify") from error
    return dict(summary)


def _check_sizes(
    folder: Path,
    summary: dict[str, Any],
    columns: "pd.DataFrame",
    model: "xr.DataArray",
    residual: "xr.DataArray",
) -> None:
    """Raise ReadError where table and images are not those that the summary tells of."""
    if len(columns) != summary["columns"]["total"]:
        raise ReadError(
            f"{folder / 'columns.parquet'} has {len(columns)} columns where the summary tells of "
            f"{summary['columns']['total']}: it was changed; make it anew with crewe quantify"
        )
    for name, image in (("model.tif", model), ("residual.tif", residual)):
        if list(image.shape) != summary["shape"]:
            raise ReadError(
                f"{folder / name} has the shape {image.shape} where the summary tells of "
                f"{tuple(summary['shape'])}: it was changed; make it anew with crewe quantify"
            )


def _background(
    plan: QuantifyPlan, columns: "pd.DataFrame", model: "xr.DataArray"
) -> "xr.DataArray":
    """Return the model without its peaks."""
    step_y, step_x = axes.sampling(model)
    grid = Grid(model.sizes["y"], model.sizes["x"], step_y, step_x)
    peaks = columns[["height", "x", "y", "width"]].to_numpy(float)
    peaks = peaks - [0.0, float(model["x"][0]), float(model["y"][0]), 0.0]
    peaks = peaks[np.argsort(peaks[:, 2], kind="stable")]
    drawn = ColumnModel(grid, plan.fit.peak, peaks, Mesh(1, 1), np.zeros(1)).image()
    return model.copy(data=model.values - drawn).rename("background")


def _base_of(summary: dict[str, Any], columns: "pd.DataFrame") -> dict[str, Any]:
    """Return a summary without the analyses and what they warned of."""
    told = warnings_of({name: summary[name] for name in SECTIONS if name in summary})
    return {
        **{name: value for name, value in summary.items() if name not in SECTIONS},
        **summarise_columns(columns),
        "units": {name: unit for name, unit in summary["units"].items() if name not in ADDED},
        "warnings": [text for text in summary["warnings"] if text not in told],
    }
