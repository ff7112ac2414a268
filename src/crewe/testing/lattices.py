"""Images of columns with known truth, drawn the slow and obvious way."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from crewe import axes


@dataclass(frozen=True)
class ColumnPhantom:
    """A noise-free image and the table (`x`, `y`, `height`, `width`, `scs`) it was drawn from."""

    image: xr.DataArray
    truth: pd.DataFrame


def draw_columns(
    truth: pd.DataFrame,
    shape: tuple[int, int],
    sampling: float,
    background: float = 0.0,
    peak: str = "gaussian",
) -> xr.DataArray:
    """Image of the columns of a table (`x`, `y`, `height`, `width` in Å) on a background.

    Written without any of the compiled code that it serves to test.
    """
    y, x = (np.arange(n) * sampling for n in shape)
    image = np.full(shape, float(background))
    for x0, y0, height, width in truth[["x", "y", "height", "width"]].to_numpy(float):
        u = (((y - y0) ** 2)[:, None] + ((x - x0) ** 2)[None, :]) / width**2
        image += height * (np.exp(-u / 2) if peak == "gaussian" else (1 + u) ** -1.5)
    return axes.calibrated_image(image, sampling)


def square_lattice(
    shape: tuple[int, int] = (160, 160),
    sampling: float = 0.15,
    spacing: float = 1.96,
    width: float = 0.45,
    height: float = 0.04,
    background: float = 0.01,
    displacement: float = 0.05,
    seed: int = 0,
) -> ColumnPhantom:
    """Square lattice of equal columns with static displacements, lengths in Å."""
    rng = np.random.default_rng(seed)
    rows, columns = (np.arange(0.5 * spacing, n * sampling - 0.4 * spacing, spacing) for n in shape)
    y, x = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    truth = pd.DataFrame(
        {
            "x": x + rng.normal(0, displacement, x.size),
            "y": y + rng.normal(0, displacement, y.size),
            "height": height,
            "width": width,
            "scs": 2 * np.pi * height * width**2,
        }
    )
    return ColumnPhantom(draw_columns(truth, shape, sampling, background), truth)


def count_electrons(image: xr.DataArray, electrons_per_unit: float, seed: int) -> xr.DataArray:
    """Poisson counts of an image whose unit intensity stands for so many electrons a pixel."""
    rng = np.random.default_rng(seed)
    return image.copy(data=rng.poisson(image.values * electrons_per_unit).astype(float))
