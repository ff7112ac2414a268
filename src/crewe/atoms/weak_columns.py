"""Find the weak columns that hide beside heavy ones: as many as the image gives evidence for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit

from crewe import axes
from crewe.atoms.background import Mesh
from crewe.atoms.background_choice import solve_background
from crewe.atoms.equations import HEIGHT, ColumnModel
from crewe.atoms.fit import Background, ColumnFit, Observer, Peak, fit_columns
from crewe.atoms.noise import NoiseModel, counting_noise, estimate_noise
from crewe.atoms.regions import Region, region_mask
from crewe.atoms.stamps import Array, Grid, Index
from crewe.atoms.weak_search import State, Surroundings, Task, choose, log_curve, propose_and_fit
from crewe.atoms.weak_summary import weak_summary
from crewe.errors import PlanError

WeakWidth = Literal["common", "type"]
WeakNoise = Literal["auto", "counts"]
STAGE = "finding weak columns"
CLOSEST_WIDTHS = 2.0


@dataclass(frozen=True)
class WeakColumns:
    """Result of `find_weak_columns`."""

    columns: pd.DataFrame
    """The added columns, likeliest first, as `fit_columns` tabulates them, with `probability`:
    that of the model with the column against the model without it. Their `type` is one more
    than the greatest of the known columns."""
    curve: pd.DataFrame
    """`log10_probability` of 0, 1, 2, … columns `added`, 0 at the likeliest number."""
    fit: ColumnFit
    """Joint fit of known and added columns: rows 0, 1, … are the known ones in their order, then
    come the added ones in that of `columns`, whose index they share."""
    summary: dict[str, Any]
    """verdict, n_added, n_doubtful (probability below 0.95), least_signal_to_noise and
    least_height of a lone column that would be seen, excess_noise, priors, warnings."""


def find_weak_columns(
    image: xr.DataArray,
    columns: pd.DataFrame,
    *,
    most: int | None = None,
    least_intensity: float = 0.0,
    closest: float | None = None,
    width: WeakWidth = "common",
    peak: Peak = "gaussian",
    background: Background = "auto",
    electrons_per_unit: float | None = None,
    noise: WeakNoise = "auto",
    region: Region | None = None,
    progress: Observer | None = None,
) -> WeakColumns:
    """Columns that an image holds beside the known ones, by the probability of their number.

    `image` is calibrated (y, x); `columns` are the known columns, found or fitted (`x`, `y`,
    perhaps `width`, `type`, `site_name`). Maxima of the score of one more column are fitted
    jointly with all others; each is weighed by the evidence with it over the evidence without
    it, and the likeliest number k of added columns is taken; there is no threshold on intensity.
    Priors: every k from 0 to `most` (twice the known columns and 20) alike; a column anywhere in
    the image (or `region`) alike, yet none within `closest` of another, in the unit of length
    (two fitted widths: nearer, two equal peaks have no dip between them, and what is there may
    as well be one column of another shape); a height anywhere from `least_intensity` to the
    greatest fitted one alike, in image units. The added columns are exchangeable, whence a
    factor k!; the known ones are taken for certain and do not share in it, unlike in the paper,
    where all columns are in question. So a lone column must reach about five times its standard
    error to be added, one of hundreds less than four: the others show how many to expect.

    `width`: one for all in `common`; one per `type` of the known columns, the weak ones having
    that of the faintest. `noise`: `auto` is Poisson where `electrons_per_unit` is given, else a
    variance read off the residual; `counts` insists on Poisson. After a background was
    subtracted the noise is no longer Poisson: leave `electrons_per_unit` out then. Where the
    residual is rougher than the noise at the size of a column (correlated noise, columns of
    another shape), the likelihood is flattened by as much, and a warning says so. Columns cut by
    the image's border may be added; they are flagged `edge`.

    A probability holds with all other columns in place. NaN standard errors mean that the data
    hold no information. After J. Fatermans et al., Phys. Rev. Lett. 121 (2018) 056101,
    doi:10.1103/PhysRevLett.121.056101; formulas in `weak_evidence`.

    Raises ImageError, CalibrationError, NoColumnsError (no known columns: run `find_columns`)
    and PlanError (unknown or contradicting options).
    """
    image = axes.check_image(image)
    _check(most, {"least_intensity": least_intensity, "closest": closest or 0.0})
    _check_noise(width, noise, electrons_per_unit)
    tell = progress or (lambda stage, fraction: None)
    tell(STAGE, 0.0)
    settings: dict[str, Any] = {
        "peak": peak,
        "width": width,
        "background": background,
        "noise": "auto" if electrons_per_unit is None else "counts",
        "electrons_per_unit": electrons_per_unit,
    }
    first = fit_columns(image, columns, **settings)
    tell(STAGE, 0.2)
    state = _first_state(image, first, width)
    heights = (least_intensity, first.columns["height"].max())
    task = _task(image, state, most, heights, closest, electrons_per_unit, region)
    full, around, hopeless = propose_and_fit(
        task, state, lambda part: tell(STAGE, 0.2 + 0.5 * part)
    )
    chosen, odds, dropped = choose(task, full, around)
    tell(STAGE, 0.8)
    result = _result(image, first, settings, task, chosen, around, odds, [dropped, hopeless])
    tell(STAGE, 1.0)
    return result


def _check(most: int | None, lengths: dict[str, float]) -> None:
    if most is not None and most < 1:
        raise PlanError(f"most={most}: allow at least one column to be added, or leave it out")
    for name, value in lengths.items():
        if not (np.isfinite(value) and value >= 0):
            raise PlanError(f"{name}={value}: give a number, 0 or more, in the image's units")


def _check_noise(width: str, noise: str, electrons_per_unit: float | None) -> None:
    for name, value, kind in (("width", width, WeakWidth), ("noise", noise, WeakNoise)):
        if value not in get_args(kind):
            raise PlanError(
                f"{name}={value!r} is unknown; choose one of {', '.join(get_args(kind))}"
            )
    if electrons_per_unit is not None and not electrons_per_unit > 0:
        raise PlanError(f"electrons_per_unit={electrons_per_unit} must be positive")
    if noise == "counts" and electrons_per_unit is None:
        raise PlanError("Poisson statistics need electrons_per_unit, the electrons per unit value")


def _first_state(image: xr.DataArray, fit: ColumnFit, width: str) -> State:
    """The known columns as fitted, as a model."""
    table = fit.columns
    origin_x, origin_y = (float(image[dim].values[0]) for dim in ("x", "y"))
    grid = Grid(image.sizes["y"], image.sizes["x"], *axes.sampling(image))
    columns = table[["height", "x", "y", "width"]].to_numpy(float) - [0, origin_x, origin_y, 0]
    order = np.argsort(columns[:, 2], kind="stable")
    empty = ColumnModel(grid, fit.summary["peak"], columns[order], Mesh(1, 1), np.zeros(1))
    data = np.ascontiguousarray(image.values, dtype=np.float64)
    model, _ = solve_background(empty, data, fit.summary["background"])
    kinds = np.zeros(len(table), dtype=np.int64)
    if width == "type":
        _, kinds = np.unique(table["type"].to_numpy(), return_inverse=True)
    return State(model, order, kinds[order], len(table))


def _task(
    image: xr.DataArray,
    state: State,
    most: int | None,
    heights: tuple[float, float],
    closest: float | None,
    electrons_per_unit: float | None,
    region: Region | None,
) -> Task:
    mask = np.ones(image.shape, dtype=bool) if region is None else region_mask(image, region)
    least, greatest = heights
    if least >= greatest:
        raise PlanError(
            f"least_intensity={least:g} leaves no room below the greatest height {greatest:.4g}"
        )
    height = state.model.columns[:, HEIGHT]
    means = [height[state.kinds == kind].mean() for kind in range(int(state.kinds.max()) + 1)]
    weak_kind = int(np.argmin(means))
    tried = 2 * state.known + 20
    return Task(
        data=np.ascontiguousarray(image.values, dtype=np.float64),
        noise=_noise_rule(electrons_per_unit, 3 * state.known),
        counts=electrons_per_unit is not None,
        mask=mask,
        least=least,
        greatest=float(greatest),
        most=tried if most is None else most,
        tried=tried if most is None else max(most, tried),
        closest=CLOSEST_WIDTHS * state.weak_width(weak_kind) if closest is None else closest,
        weak_kind=weak_kind,
    )


def _noise_rule(
    electrons_per_unit: float | None, parameters: int
) -> Callable[[Array, Array], NoiseModel]:
    if electrons_per_unit is None:
        return lambda residual, expected: estimate_noise(residual, expected, parameters)
    per_electron = 1 / electrons_per_unit
    return lambda residual, expected: counting_noise(per_electron, expected)


def _result(
    image: xr.DataArray,
    first: ColumnFit,
    settings: dict[str, Any],
    task: Task,
    state: State,
    around: Surroundings,
    odds: Array,
    others: list[Array],
) -> WeakColumns:
    rank = np.argsort(-odds, kind="stable")
    odds = odds[rank]
    probability = expit(odds + np.log(max(len(odds), 1)))
    start = _start(image, first.columns, state, rank)
    fit = fit_columns(image, start, **(settings | {"background": first.summary["background"]}))
    added = fit.columns.iloc[state.known :].assign(probability=probability)
    curve = _curve(odds, np.concatenate(others), task.most)
    summary = weak_summary(added, fit, task, around, probability, first)
    return WeakColumns(added, curve, fit, summary)


def _start(image: xr.DataArray, known: pd.DataFrame, state: State, rank: Index) -> pd.DataFrame:
    """Starting table of the known and then the added columns, the likeliest of these first."""
    names = [name for name in ("x", "y", "width", "type", "site_name") if name in known]
    _, x, y, width = state.model.columns[state.added[rank]].T
    origin_x, origin_y = (float(image[dim].values[0]) for dim in ("x", "y"))
    added = pd.DataFrame({"x": x + origin_x, "y": y + origin_y, "width": width})
    added["type"] = int(known["type"].max()) + 1
    if "site_name" in names:
        added["site_name"] = "weak"
    start = pd.concat([known[names], added[names]], ignore_index=True)
    for name in ("x", "y"):  # a fit may have drawn a column at the border out of the image
        start[name] = start[name].clip(float(image[name].min()), float(image[name].max()))
    return start


def _curve(kept: Array, others: Array, most: int) -> pd.DataFrame:
    """Log10 of the probability of each number, the likeliest columns first."""
    others = np.sort(others[np.isfinite(others)])[::-1]
    ordered = np.concatenate([kept, others])[:most]
    values = log_curve(ordered) / np.log(10)
    return pd.DataFrame(
        {"added": np.arange(len(values)), "log10_probability": values - values.max()}
    )
