"""Images like SrTiO3 along [001]: heavy columns with weak ones half-way between them."""

import numpy as np
import pandas as pd

from crewe import axes

CELL, WIDTH, BACKGROUND, STEP = 3.905, 0.45, 0.01, 0.15
HEIGHTS = {"Sr": 0.04, "Ti": 0.024, "O": 0.0032}


def perovskite(pixels=112, seed=1):
    """Positions (n, 2) of (x, y) by site, each displaced a little, a margin from the border."""
    edge = (pixels - 1) * STEP
    cells = int((edge - CELL) // CELL)
    corner = np.arange(cells + 1) * CELL + (edge - cells * CELL) / 2
    centre = corner[:-1] + CELL / 2
    rng = np.random.default_rng(seed)
    sites = {
        "Sr": _pairs(corner, corner),
        "Ti": _pairs(centre, centre),
        "O": np.concatenate([_pairs(corner, centre), _pairs(centre, corner)]),
    }
    return {name: place + rng.normal(0, 0.03, place.shape) for name, place in sites.items()}


def _pairs(u, v):
    x, y = np.meshgrid(u, v)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def heavy_columns(sites):
    place = np.concatenate([sites["Sr"], sites["Ti"]])
    return pd.DataFrame({"x": place[:, 0], "y": place[:, 1]})


def expected_image(sites, pixels=112, names=("Sr", "Ti", "O")):
    along = np.arange(pixels) * STEP
    image = np.full((pixels, pixels), BACKGROUND)
    for name in names:
        for x, y in sites[name]:
            rows = np.exp(-((along - y) ** 2) / (2 * WIDTH**2))
            image += HEIGHTS[name] * rows[:, None] * np.exp(-((along - x) ** 2) / (2 * WIDTH**2))
    return image


def counted_image(expected, dose, seed=0):
    """Image in fractions of the beam, and its electrons per unit, at a dose in e/Å²."""
    electrons = dose * STEP**2
    values = np.random.default_rng(seed).poisson(expected * electrons) / electrons
    return axes.calibrated_image(values, STEP), electrons
