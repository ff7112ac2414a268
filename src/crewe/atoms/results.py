"""From a fitted model to the table of columns and the summary of the fit."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from crewe import axes
from crewe.atoms.equations import HEIGHT, WIDTH, X, Y
from crewe.atoms.problem import Solution
from crewe.atoms.stamps import Array

EDGE_WIDTHS = 2.0
# Two equal Gaussians nearer than two widths have no dip between them (Sparrow).
OVERLAP_WIDTHS = 2.2
WEAK_SIGNAL_TO_NOISE = 3.0


def columns_table(
    image: xr.DataArray, solution: Solution, data: Array, types: NDArray[np.int64]
) -> pd.DataFrame:
    """Table of columns in the order of the solution, with standard errors, types and flags."""
    model = solution.model
    height, x, y, width = model.columns.T
    variance = np.diagonal(solution.covariance, axis1=1, axis2=2)
    height_std, x_std, y_std, width_std = np.sqrt(np.where(variance > 0, variance, np.nan)).T
    table = pd.DataFrame(
        {
            "x": x + float(image["x"].values[0]),
            "x_std": x_std,
            "y": y + float(image["y"].values[0]),
            "y_std": y_std,
            "height": height,
            "height_std": height_std,
            "width": width,
            "width_std": width_std,
            "scs": 2 * np.pi * height * width**2,
            "scs_std": _cross_section_error(solution),
            "type": types,
        }
    )
    table["flag"] = _flags(solution, data, table)
    table.attrs["units"] = _units(image)
    return table


def _cross_section_error(solution: Solution) -> Array:
    """Equations 2.28 and 2.29 of Friedrich (2023)."""
    height, width = solution.model.columns[:, HEIGHT], solution.model.columns[:, WIDTH]
    c = solution.covariance
    by_height, by_width = 2 * np.pi * width**2, 4 * np.pi * height * width
    variance = (
        by_height**2 * c[:, HEIGHT, HEIGHT]
        + by_width**2 * c[:, WIDTH, WIDTH]
        + 2 * by_height * by_width * c[:, HEIGHT, WIDTH]
    )
    return np.sqrt(np.where(variance > 0, variance, np.nan))


def _units(image: xr.DataArray) -> dict[str, str]:
    length = axes.length_unit(image)
    intensity = str(image.attrs.get("units", "") or "")
    # Only intensities in fractions of the beam make a cross-section an area.
    area = f"{length}²" if intensity == "fraction of beam" else f"{intensity or 'a.u.'}·{length}²"
    units = dict.fromkeys(("x", "x_std", "y", "y_std", "width", "width_std"), length)
    units |= dict.fromkeys(("height", "height_std"), intensity)
    return units | dict.fromkeys(("scs", "scs_std"), area)


def _flags(solution: Solution, data: Array, table: pd.DataFrame) -> list[str]:
    model = solution.model
    grid, (_, x, y, width) = model.grid, model.columns.T
    reach = EDGE_WIDTHS * width
    right, bottom = (grid.columns - 1) * grid.step_x, (grid.rows - 1) * grid.step_y
    signal = table["scs"].to_numpy() / table["scs_std"].to_numpy()
    marks = {
        "edge": (x < reach) | (y < reach) | (x > right - reach) | (y > bottom - reach),
        "overlap": _nearest(x, y) < OVERLAP_WIDTHS * width,
        "weak": ~(signal >= WEAK_SIGNAL_TO_NOISE),
        "poor_fit": _poor(solution, data),
        "unconverged": ~solution.converged,
    }
    return [
        ",".join(name for name, marked in marks.items() if marked[n]) for n in range(len(table))
    ]


def _nearest(x: Array, y: Array) -> Array:
    if len(x) < 2:
        return np.full(len(x), np.inf)
    points = np.stack([x, y], axis=1)
    distance, _ = cKDTree(points).query(points, k=2)
    return distance[:, 1]


def _poor(solution: Solution, data: Array) -> NDArray[np.bool_]:
    """Whether the mean squared residual around a column stands out from that of its peers."""
    model, grid = solution.model, solution.model.grid
    expected = model.image()
    squares = np.square(data - expected) / solution.noise.variance(expected)
    width = float(np.median(model.columns[:, WIDTH]))
    sigma = (width / grid.step_y, width / grid.step_x)
    mean = ndimage.gaussian_filter(squares, sigma)
    row = np.clip(np.round(model.columns[:, Y] / grid.step_y), 0, grid.rows - 1).astype(int)
    column = np.clip(np.round(model.columns[:, X] / grid.step_x), 0, grid.columns - 1).astype(int)
    here = mean[row, column]
    pixels = 4 * np.pi * sigma[0] * sigma[1]
    return here > np.median(here) * max(2.5, 1 + 5 * np.sqrt(2 / pixels))


def fit_summary(
    image: xr.DataArray,
    solution: Solution,
    residual: Array,
    table: pd.DataFrame,
    settings: dict[str, Any],
) -> dict[str, Any]:
    """What was fitted and how well, as plain JSON-able values."""
    flagged = table["flag"]
    counts = {
        word: int(flagged.str.contains(word).sum())
        for word in ("edge", "overlap", "weak", "poor_fit", "unconverged")
    }
    correlation = _neighbour_correlation(residual)
    good = table[flagged == ""]
    return {
        **settings,
        "n_columns": len(table),
        "n_types": int(table["type"].nunique()),
        "n_flagged": counts,
        "iterations": solution.iterations,
        "converged": bool(solution.converged.mean() > 0.99),
        "sampling": list(axes.sampling(image)),
        "length_unit": axes.length_unit(image),
        "residual_rms": float(np.sqrt(np.mean(residual**2))),
        "residual_correlation": correlation,
        "noise_constant": solution.noise.constant,
        "noise_per_intensity": solution.noise.per_intensity,
        "median_x_std": float(np.median(good["x_std"])) if len(good) else None,
        "median_y_std": float(np.median(good["y_std"])) if len(good) else None,
        "median_relative_scs_std": float(np.median(good["scs_std"] / good["scs"]))
        if len(good)
        else None,
        "warnings": _warnings(correlation, counts, len(table)) + _implausible(image, table),
    }


def _implausible(image: xr.DataArray, table: pd.DataFrame) -> list[str]:
    """Atomic columns imaged by any microscope of today are this wide; nm taken for Å are not."""
    width = float(table["width"].median())
    if axes.length_unit(image) != "Å" or 0.1 < width < 3.0:
        return []
    return [f"columns {width:.3g} Å wide are not plausible: check the pixel size and its unit"]


def _neighbour_correlation(residual: Array) -> float:
    centred = residual - residual.mean()
    power = np.mean(centred**2)
    if power <= 0:
        return 0.0
    along = np.mean(centred[1:] * centred[:-1]) + np.mean(centred[:, 1:] * centred[:, :-1])
    return float(0.5 * along / power)


def _warnings(correlation: float, counts: dict[str, int], total: int) -> list[str]:
    found = []
    if correlation > 0.3:
        found.append(
            f"the residuals of neighbouring pixels are correlated ({correlation:.2f}): noise that "
            "is not white, or columns that are not of the fitted shape; error bars are too small"
        )
    if counts["unconverged"] > 0.01 * total:
        found.append(f"{counts['unconverged']} of {total} columns have not settled")
    if counts["poor_fit"] > 0.05 * total:
        found.append(f"{counts['poor_fit']} of {total} columns fit worse than their peers")
    return found
