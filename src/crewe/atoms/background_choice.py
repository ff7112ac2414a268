"""Which background an image needs: as little as it can do with."""

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from crewe.atoms.background import choose_mesh
from crewe.atoms.equations import WIDTH, ColumnModel, X, Y
from crewe.atoms.heights import solve_heights
from crewe.atoms.stamps import Array

# Beyond this distance, in widths, the background between columns shows itself undisturbed.
SPARSE_WIDTHS = 6.0


def solve_background(model: ColumnModel, data: Array, background: str) -> tuple[ColumnModel, str]:
    """The model with heights and background solved for, and the kind of background chosen.

    `auto`: a plane where it lowers the sum of squares of a constant by a tenth. A local background
    takes what it can get from the foot of crowded columns, and with it their cross-section; so it
    is chosen only where columns stand apart and it lowers the squares by a twentieth, or where a
    plane leaves more than a fifth of the image's variance and it removes a third of that.
    """
    if background != "auto":
        return _solve(model, data, background)[0], background
    constant, constant_left = _solve(model, data, "constant")
    plane, plane_left = _solve(model, data, "plane")
    best, left, kind = constant, constant_left, "constant"
    if plane_left < 0.9 * constant_left:
        best, left, kind = plane, plane_left, "plane"
    sparse = _spacing(model) > SPARSE_WIDTHS * _width(model)
    if sparse or left > 0.2:
        local, local_left = _solve(model, data, "local")
        if local_left < (0.95 if sparse else 0.67) * left:
            return local, "local"
    return best, kind


def _solve(model: ColumnModel, data: Array, kind: str) -> tuple[ColumnModel, float]:
    """Model with that background, and the part of the image's variance that it leaves."""
    mesh = choose_mesh(kind, model.grid, _mesh_spacing(model))
    empty = replace(model, mesh=mesh, knots=np.zeros(mesh.knots_y * mesh.knots_x))
    fitted, _ = solve_heights(empty, data, np.ones_like(data))
    return fitted, float(np.mean(np.square(data - fitted.image())) / np.var(data))


def _mesh_spacing(model: ColumnModel) -> float:
    """Distance between the knots of a local background.

    Four spacings, so that it cannot take over from the columns; single atoms, far apart on a
    rough support, leave room for a finer mesh.
    """
    spacing, width = _spacing(model), _width(model)
    return 8 * width if spacing > SPARSE_WIDTHS * width else 4 * max(spacing, 2 * width)


def _spacing(model: ColumnModel) -> float:
    """Median distance to the nearest neighbour, infinite for a single column."""
    points = model.columns[:, [X, Y]]
    if len(points) < 2:
        return np.inf
    distance, _ = cKDTree(points).query(points, k=2)
    return float(np.median(distance[:, 1]))


def _width(model: ColumnModel) -> float:
    return float(np.median(model.columns[:, WIDTH]))
