"""A simple cubic crystal of known thickness, as an image with counting noise."""

import numpy as np

from crewe import io
from crewe.axes import calibrated_image

EDGE = 2.8
SAMPLING = 0.2
WIDTH = 0.45
LIBRARY = 0.1 * np.arange(1, 9) ** 0.9
ELECTRONS = 2e5
CELL = {
    "a": EDGE,
    "b": EDGE,
    "sites": [["Po", 0.0, 0.0]],
    "repeat_angstrom": EDGE,
    "atoms": [[["Po", 0.0]]],
}


def thicknesses(rows=8, columns=8):
    """Atoms (row, column) of a roof: one at the left, five along the middle."""
    wedge = 1 + np.minimum(np.arange(columns), np.arange(columns)[::-1])
    return np.tile(wedge, (rows, 1)) + (np.arange(rows) % 2)[:, None]


def crystal(seed=5, shape=(120, 124), stretch=0.0, electrons=ELECTRONS):
    """The image, a fraction of the beam; x is stretched by a part of its length."""
    y, x = np.mgrid[: shape[0], : shape[1]] * SAMPLING
    image = np.full(shape, 0.02)
    for row, line in enumerate(thicknesses()):
        for column, atoms in enumerate(line):
            height = LIBRARY[atoms - 1] / (2 * np.pi * WIDTH**2)
            away = (x - 2 - EDGE * (1 + stretch) * column) ** 2 + (y - 2 - EDGE * row) ** 2
            image += height * np.exp(-away / (2 * WIDTH**2))
    noisy = np.random.default_rng(seed).poisson(image * electrons) / electrons
    return calibrated_image(noisy, SAMPLING)


def write_crystal(path, **settings):
    io.write(path, crystal(**settings))
    return path


def write_library(path, scale=1.0):
    """The true cross-sections, as text of one column."""
    path.write_text("\n".join(f"{scale * value:.6f}" for value in LIBRARY) + "\n")
    return path


def write_cif(path):
    from ase import Atoms

    atoms = Atoms("Po", cell=[EDGE] * 3, scaled_positions=[[0, 0, 0]], pbc=True)
    return io.write_atoms(path, atoms)
