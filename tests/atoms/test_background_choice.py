from dataclasses import replace

import numpy as np
import pytest

from crewe.atoms.background import Mesh
from crewe.atoms.background_choice import solve_background
from crewe.atoms.equations import ColumnModel
from crewe.atoms.stamps import Grid
from crewe.testing.lattices import count_electrons, square_lattice


def model_of(phantom, image):
    # A copy: for arrays that may not be written to, all would be compiled once more.
    table = phantom.truth[["height", "x", "y", "width"]].to_numpy(copy=True)
    grid = Grid(*image.shape, 0.15, 0.15)
    return ColumnModel(grid, "gaussian", table, Mesh(1, 1), np.zeros(1))


def choose(phantom, added):
    image = phantom.image.copy(data=phantom.image.values + added)
    counts = count_electrons(image, 2e4 * 0.15**2, 0)
    return solve_background(model_of(phantom, image), counts.values, "auto")[1]


def test_takes_the_least_that_will_do():
    phantom = square_lattice()
    assert choose(phantom, 0.0) == "constant"
    assert choose(phantom, 0.0005 * np.arange(160)[None, :]) == "plane"


def test_a_halo_under_crowded_columns_is_left_to_the_columns():
    """A local background would take part of the cross-section of a particle's columns."""
    phantom = square_lattice()
    y, x = np.mgrid[-80:80, -80:80]
    assert choose(phantom, 0.004 * np.exp(-(x**2 + y**2) / 40**2)) == "constant"


def test_single_atoms_on_a_rough_support_get_a_local_background():
    phantom = square_lattice(spacing=4.5, background=0.0)
    y, x = np.mgrid[0:160, 0:160]
    rough = 0.03 * (1 + np.sin(x / 20) * np.cos(y / 17))
    assert choose(phantom, rough) == "local"


@pytest.mark.parametrize("kind", ["constant", "plane", "local"])
def test_a_given_kind_is_obeyed(kind):
    phantom = square_lattice()
    start = replace(model_of(phantom, phantom.image))
    assert solve_background(start, phantom.image.values, kind)[1] == kind
