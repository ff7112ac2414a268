import numpy as np
import pytest

from crewe import io
from crewe.axes import calibrated_image

SAMPLING = 0.2
SPACING = 2.4


def lattice(seed=3, shape=(72, 84), bright=200.0):
    """Five by six columns of two heights on a background of 20, with Poisson noise."""
    rows, columns = np.mgrid[: shape[0], : shape[1]] * SAMPLING
    image = np.full(shape, 20.0)
    for number, y in enumerate(np.arange(1.8, shape[0] * SAMPLING - 1, SPACING)):
        for x in np.arange(1.8, shape[1] * SAMPLING - 1, SPACING):
            height = bright if number % 2 else 0.5 * bright
            image += height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 0.5**2))
    return np.random.default_rng(seed).poisson(image).astype(float)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in an empty folder, as somebody at a terminal does."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def image(folder):
    """A calibrated image of 30 columns."""
    path = folder / "gold.tif"
    io.write(path, calibrated_image(lattice(), SAMPLING))
    return path
