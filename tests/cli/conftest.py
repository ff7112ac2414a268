import shutil
import subprocess
import sys

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


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A folder with an image and its result, and what its making said on stdout and stderr."""
    place = tmp_path_factory.mktemp("made")
    io.write(place / "gold.tif", calibrated_image(lattice(), SAMPLING))
    command = [sys.executable, "-m", "crewe.cli", "quantify", "gold.tif", "--json"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
    return place, done


@pytest.fixture
def result(made_once, folder):
    """A copy of that result, in the working folder beside its image."""
    place, _ = made_once
    shutil.copytree(place, folder, dirs_exist_ok=True)
    return folder / "gold_quantified"
