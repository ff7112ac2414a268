"""Fit all columns of an image at once, with error bars."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from crewe import axes
from crewe.atoms.background import Mesh
from crewe.atoms.background_choice import solve_background
from crewe.atoms.brightness import brightness_types
from crewe.atoms.calibration import needs_calibration, unbiased_widths
from crewe.atoms.equations import ColumnModel
from crewe.atoms.noise import NoiseModel, counting_noise, estimate_noise
from crewe.atoms.problem import Problem, Solution
from crewe.atoms.results import columns_table, fit_summary
from crewe.atoms.scoring import fit_scoring
from crewe.atoms.stamps import Array, Grid
from crewe.errors import NoColumnsError, PlanError

Observer = Callable[[str, float], None]
Peak = Literal["gaussian", "lorentzian"]
Width = Literal["auto", "common", "type", "column"]
Background = Literal["auto", "constant", "plane", "local"]
Noise = Literal["auto", "uniform", "counts"]


@dataclass(frozen=True)
class ColumnFit:
    """Result of `fit_columns`.

    `columns`: table in the order of the input, lengths in the image's unit; `model`,
    `background` and `residual` (image minus model): images like the input; `summary`: what was
    fitted, how, and what to be careful about.
    """

    columns: pd.DataFrame
    model: xr.DataArray
    background: xr.DataArray
    residual: xr.DataArray
    summary: dict[str, Any]


def fit_columns(
    image: xr.DataArray,
    columns: pd.DataFrame,
    *,
    peak: Peak = "gaussian",
    width: Width = "auto",
    background: Background = "auto",
    noise: Noise = "auto",
    electrons_per_unit: float | None = None,
    seed: int = 0,
    observer: Observer | None = None,
) -> ColumnFit:
    """Fit background and overlapping peaks to an image, all columns jointly.

    `image` is calibrated (y, x); `columns` holds starting positions `x`, `y` in its unit of
    length. A `width` to start from and whole numbers in `type` are used when present, as from
    `assign_sites`, whose `site_name` is kept.

    `peak`: `gaussian` η·exp(−r²/2ρ²) or `lorentzian` η·(1 + r²/ρ²)^(−3/2), η the height. Peaks
    are drawn out to 4 and to 15 widths; `scs` counts what lies beyond, 7 % of a Lorentzian.
    `width`: one ρ in `common`, one per `type`, one per `column`; `auto` is per type where the
    brightness tells types apart. `background`: `constant`, `plane` (bilinear), `local` (a mesh
    four spacings wide), `auto` as in `background_choice.solve_background`.
    `noise`: `counts` maximises the Poisson likelihood and needs `electrons_per_unit`, the
    electrons per unit of the image's intensity; `auto` weights with a variance read off the
    residuals as it grows with intensity; `uniform` weights all pixels alike, for comparison
    with other programs: less precise, and biased at low dose.

    At low dose the common widths are corrected by what one simulated repeat (`seed`) loses.

    The table holds `x`, `y`, `height`, `width`, `scs` (2πηρ², equation 2.20) and their standard
    errors `*_std` from the Fisher information (equations 2.26–2.29 of T. Friedrich, PhD thesis,
    University of Antwerp 2023; model and estimator after De Backer et al. 2016,
    doi:10.1016/j.ultramic.2016.08.018), `type` (0 the brightest, unless the input says otherwise)
    and `flag`: empty, or comma-joined words out of `edge`, `overlap`, `weak`, `poor_fit`,
    `unconverged`. A column whose fit fails is flagged, never
    dropped. NaN standard errors mean that the data hold no information on that column.

    Raises ImageError, CalibrationError, NoColumnsError (empty table) and PlanError (unknown or
    contradicting options, positions or widths that are no such thing).
    """
    image = axes.check_image(image)
    _check_options({"peak": peak, "width": width, "background": background, "noise": noise})
    _check_columns(columns)
    if noise == "counts" and not (electrons_per_unit and electrons_per_unit > 0):
        raise PlanError("Poisson statistics need electrons_per_unit, the electrons per unit value")
    tell = observer or (lambda stage, fraction: None)
    tell("fitting columns", 0.0)
    start, order = _start(image, columns, peak)
    data = np.ascontiguousarray(image.values, dtype=np.float64)
    problem = Problem(
        data=data,
        noise=_noise_rule(noise, electrons_per_unit, 3 * len(columns)),
        kinds=np.zeros(len(columns), dtype=np.int64),
        uniform=noise == "uniform",
    )
    start, background_kind = solve_background(start, data, background)
    solution = fit_scoring(start, problem, lambda part: tell("fitting columns", 0.4 * part))
    types = _types(columns, solution, order)
    _, kinds = np.unique(types, return_inverse=True)
    if width == "column" or (width != "common" and kinds.max() > 0):
        problem = replace(problem, kinds=None if width == "column" else kinds)
        solution = fit_scoring(solution.model, problem)
    tell("fitting columns", 0.6)
    calibrated = needs_calibration(solution, problem)
    if calibrated:
        solution = unbiased_widths(solution, problem, np.random.default_rng(seed))
    tell("fitting columns", 1.0)
    table = columns_table(image, solution, data, types).iloc[np.argsort(order)]
    table.index = columns.index
    if "site_name" in columns:
        table["site_name"] = columns["site_name"]
    settings = {
        "peak": peak,
        "width": _used_width(problem),
        "background": background_kind,
        "noise": noise,
        "bias_calibrated": calibrated,
    }
    return _result(image, solution, table, settings)


def _check_options(given: dict[str, str]) -> None:
    for (name, value), kind in zip(given.items(), (Peak, Width, Background, Noise), strict=True):
        if value not in get_args(kind):
            raise PlanError(
                f"{name}={value!r} is unknown; choose one of {', '.join(get_args(kind))}"
            )


def _check_columns(columns: pd.DataFrame) -> None:
    if not len(columns):
        raise NoColumnsError("the table of starting positions is empty; run find_columns first")
    missing = {"x", "y"} - set(columns)
    if missing:
        raise PlanError(f"the table of starting positions has no column {', '.join(missing)}")
    for name in ("x", "y", "width"):
        if name in columns and not np.isfinite(columns[name].to_numpy(float)).all():
            raise PlanError(f"'{name}' of the starting positions is not finite; drop those rows")
    if "width" in columns and not (columns["width"] > 0).all():
        raise PlanError("'width' of the starting positions must be positive")
    if "type" in columns and not pd.api.types.is_integer_dtype(columns["type"]):
        raise PlanError("'type' of the starting positions must be whole numbers")


def _used_width(problem: Problem) -> str:
    if problem.kinds is None:
        return "column"
    return "type" if problem.kinds.max() > 0 else "common"


def _start(image: xr.DataArray, columns: pd.DataFrame, peak: str) -> tuple[ColumnModel, NDArray]:
    """Model at the starting positions, sorted by y, and the order that sorted it."""
    step_y, step_x = axes.sampling(image)
    grid = Grid(image.sizes["y"], image.sizes["x"], step_y, step_x)
    x = columns["x"].to_numpy(float) - float(image["x"].values[0])
    y = columns["y"].to_numpy(float) - float(image["y"].values[0])
    outside = (x < -step_x) | (x > grid.columns * step_x) | (y < -step_y) | (y > grid.rows * step_y)
    if outside.any():
        raise PlanError(
            f"{outside.sum()} of {len(x)} starting positions lie outside the image; "
            "are they in the image's unit of length, with x along the rows?"
        )
    width = _starting_width(columns, x, y, step_x)
    if peak == "lorentzian":
        width = width * 1.7  # where both profiles have fallen alike
    order = np.argsort(y, kind="stable")
    table = np.stack([np.zeros_like(x), x, y, width], axis=1)[order]
    return ColumnModel(grid, peak, table, Mesh(1, 1), np.zeros(1)), order


def _starting_width(columns: pd.DataFrame, x: Array, y: Array, step: float) -> Array:
    if "width" in columns:
        return np.full(len(x), np.median(columns["width"].to_numpy(float)))
    if len(x) < 2:
        return np.full(len(x), 3 * step)
    near, _ = cKDTree(np.stack([x, y], axis=1)).query(np.stack([x, y], axis=1), k=2)
    return np.full(len(x), max(step, 0.23 * float(np.median(near[:, 1]))))


def _noise_rule(
    noise: str, electrons_per_unit: float | None, parameters: int
) -> Callable[[Array, Array], NoiseModel]:
    if noise == "counts" and electrons_per_unit:
        per_electron = 1 / electrons_per_unit
        return lambda residual, expected: counting_noise(per_electron, expected)
    return lambda residual, expected: estimate_noise(residual, expected, parameters)


def _types(columns: pd.DataFrame, solution: Solution, order: NDArray) -> NDArray[np.int64]:
    if "type" in columns:
        return columns["type"].to_numpy(np.int64)[order]
    height, x, y, width = solution.model.columns.T
    scs = height * width**2
    return brightness_types(x, y, scs, solution.converged)


def _result(
    image: xr.DataArray, solution: Solution, table: pd.DataFrame, settings: dict[str, Any]
) -> ColumnFit:
    def like(values: Array, name: str) -> xr.DataArray:
        return image.copy(data=values).rename(name)

    expected = solution.model.image()
    residual = image.values - expected
    return ColumnFit(
        columns=table,
        model=like(expected, "model"),
        background=like(solution.model.background(), "background"),
        residual=like(residual, "residual"),
        summary=fit_summary(image, solution, residual, table, settings),
    )
