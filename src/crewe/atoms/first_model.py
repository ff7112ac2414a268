"""A first, linear model of columns whose positions are known: heights, one width, a background."""

import numpy as np
import pandas as pd
import xarray as xr
from scipy.optimize import minimize_scalar

from crewe import axes
from crewe.atoms.background import choose_mesh
from crewe.atoms.equations import HEIGHT, ColumnModel
from crewe.atoms.heights import solve_heights
from crewe.atoms.scale import blob_responses, response_noise
from crewe.atoms.stamps import Array, Grid

# A square lattice answers most strongly at the scale √3·d/2π of its spacing d.
SPACING_PER_SCALE = 2 * np.pi / np.sqrt(3)
# Blobs are located below the scale of the strongest response, where close pairs stay apart.
LOCATE = 0.6


def linear_model(
    values: Array, points: Array, scale: float, width: float, weight: Array
) -> tuple[ColumnModel, Array]:
    """Heights and local background at `points` (n, 2), y before x in pixels, of one `width`.

    Returns the model, sorted by y, and the information on each height with the others held.
    """
    grid = Grid(values.shape[0], values.shape[1], 1.0, 1.0)
    mesh = choose_mesh("local", grid, 4 * SPACING_PER_SCALE * scale)
    points = points[np.argsort(points[:, 0], kind="stable")]
    nothing = np.zeros(len(points))
    columns = np.stack([nothing, points[:, 1], points[:, 0], nothing + width], axis=1)
    empty = ColumnModel(grid, "gaussian", columns, mesh, np.zeros(mesh.knots_y * mesh.knots_x))
    return solve_heights(empty, values, weight)


def estimate_width(values: Array, points: Array, scale: float, most: int = 600) -> float:
    """Common width, in pixels, whose linear fit to the part with the columns leaves the least."""
    window, points = _central_part(values, points, most)
    weight = np.ones_like(window)

    def left_over(log_width: float) -> float:
        model, _ = linear_model(window, points, scale, np.exp(log_width), weight)
        return float(np.sum(np.square(window - model.image())))

    bounds = (np.log(0.22 * scale), np.log(1.05 * scale))
    options = {"xatol": 0.05, "maxiter": 8}
    return float(
        np.exp(minimize_scalar(left_over, bounds=bounds, method="bounded", options=options).x)
    )


def _central_part(values: Array, points: Array, most: int) -> tuple[Array, Array]:
    if len(points) <= most:
        return values, points
    half = 0.5 * np.sqrt(most / len(points) * values.size)
    centre = np.median(points, axis=0)
    low = np.maximum(0, centre - half).astype(int)
    high = np.minimum(values.shape, centre + half).astype(int)
    inside = np.all((points >= low) & (points < high), axis=1)
    return np.ascontiguousarray(values[low[0] : high[0], low[1] : high[1]]), points[inside] - low


def points_of(model: ColumnModel) -> Array:
    """Positions (n, 2) of a model's columns, y before x."""
    return model.columns[:, [2, 1]]


def starting_table(
    model: ColumnModel,
    values: Array,
    variance: Array,
    scale: float,
    steps: Array,
    image: xr.DataArray,
) -> pd.DataFrame:
    """Table of a model on the pixels of `image`, as `find_columns` returns it.

    `variance` is that of the noise in each pixel, `steps` the pixel size along y and x.
    """
    origin = [float(image[dim].values[0]) for dim in ("y", "x")]
    points = points_of(model)
    (response,) = blob_responses(values, np.array([LOCATE * scale]))
    rows, columns = np.clip(np.round(points).astype(int), 0, np.array(values.shape) - 1).T
    noise = response_noise(LOCATE * scale) * np.sqrt(variance[rows, columns])
    length = axes.length_unit(image)
    table = pd.DataFrame(
        {
            "x": origin[1] + points[:, 1] * steps[1],
            "y": origin[0] + points[:, 0] * steps[0],
            "height": model.columns[:, HEIGHT],
            "width": model.columns[:, 3] * np.sqrt(np.prod(steps)),
            "signal_to_noise": response[rows, columns] / np.maximum(noise, np.finfo(float).tiny),
        }
    )
    table.attrs["units"] = {"x": length, "y": length, "width": length}
    return table
