"""Columns laid out on a cell, turned, mirrored, strained, with noise and gaps."""

import numpy as np
import pandas as pd

from crewe.atoms import ProjectedCell
from crewe.atoms.lattice.sites import site_weights

SITES = np.array([[0.0, 0.0], [0.5, 0.5]])
PEROVSKITE = ProjectedCell(3.905, 3.905, 90.0, SITES, ("Sr", "Ti"))


def rotation(angle_deg, hand=1):
    """What turns rows (x, y), mirrored in x where `hand` is −1, from x towards y."""
    angle = np.deg2rad(angle_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.diag([1.0, hand]) @ turn


def laid_out(
    cell,
    angle_deg,
    hand=1,
    strain=None,
    noise=0.04,
    missing=0.0,
    size=8,
    middle=(50.0, 40.0),
    seed=0,
):
    """Table of the columns of a square of `size` cells to each side, and their true places."""
    rng = np.random.default_rng(seed)
    steps = np.arange(-2 * size, 2 * size + 1)
    cells = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1).reshape(-1, 1, 2)
    places = (cells + cell.sites).reshape(-1, 2)
    site = np.tile(np.arange(len(cell.sites)), len(cells))
    grid = places @ cell.vectors() @ rotation(angle_deg, hand)
    grid = grid @ (np.eye(2) + (np.zeros((2, 2)) if strain is None else strain))
    kept = np.abs(grid).max(axis=1) < size * min(cell.a, cell.b) * 0.8
    kept &= rng.random(len(grid)) >= missing
    points = grid[kept] + rng.normal(0, noise, (kept.sum(), 2)) + middle
    height = site_weights(cell)[site[kept]] ** 0.8 * rng.uniform(0.85, 1.15, kept.sum())
    error = np.full(kept.sum(), max(noise, 1e-3))
    columns = pd.DataFrame(
        {"x": points[:, 0], "y": points[:, 1], "x_std": error, "y_std": error, "scs": height}
    )
    truth = pd.DataFrame(
        {
            "name": np.array(cell.names)[site[kept]],
            "u": places[kept, 0],
            "v": places[kept, 1],
        }
    )
    return columns, truth
