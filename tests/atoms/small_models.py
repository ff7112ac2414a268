"""Models small enough to invert and differentiate by brute force."""

import numpy as np

from crewe.atoms.background import Mesh, draw_background
from crewe.atoms.equations import ColumnModel
from crewe.atoms.stamps import Grid

CONSTANT = Mesh(1, 1)


def small_model(peak="gaussian", mesh=CONSTANT, seed=0):
    """A dozen overlapping columns of different heights and widths on an oblong grid."""
    rng = np.random.default_rng(seed)
    grid = Grid(31, 43, 0.2, 0.15)
    y, x = np.meshgrid(np.arange(1.0, 6.0, 1.7), np.arange(0.8, 6.3, 1.5), indexing="ij")
    place = np.stack([x.ravel(), y.ravel()], axis=1) + rng.normal(0, 0.1, (x.size, 2))
    place = place[np.argsort(place[:, 1])]
    height = rng.uniform(0.5, 2.0, (x.size, 1))
    width = rng.uniform(0.35, 0.5, (x.size, 1))
    knots = rng.uniform(0.2, 0.4, mesh.knots_y * mesh.knots_x)
    return ColumnModel(grid, peak, np.concatenate([height, place, width], axis=1), mesh, knots)


def whole_image(model):
    """The model drawn without cutting off the tails, whose edges would spoil derivatives."""
    y = np.arange(model.grid.rows)[:, None] * model.grid.step_y
    x = np.arange(model.grid.columns)[None, :] * model.grid.step_x
    image = draw_background(model.grid, model.mesh, model.knots)
    for height, x0, y0, width in model.columns:
        u = ((x - x0) ** 2 + (y - y0) ** 2) / width**2
        image = image + height * (np.exp(-u / 2) if model.peak == "gaussian" else (1 + u) ** -1.5)
    return image


def dense_jacobian(model, step=1e-6):
    """Derivative of the image by every parameter, by central differences, (pixels, parameters)."""
    size = model.columns.size + len(model.knots)
    columns = []
    for k in range(size):
        move = np.zeros(size)
        move[k] = step
        change = whole_image(model.moved(move)) - whole_image(model.moved(-move))
        columns.append(change.ravel() / (2 * step))
    return np.stack(columns, axis=1)
