import numpy as np
import pytest

from crewe.testing.lattices import count_electrons, draw_columns, square_lattice


def test_the_image_holds_the_scattering_of_the_table():
    phantom = square_lattice(background=0.0, spacing=4.0)
    inner = phantom.truth[["x", "y"]].min(axis=1).gt(2) & phantom.truth.max(axis=1).lt(22)
    drawn = draw_columns(phantom.truth[inner], (160, 160), 0.15)
    assert drawn.sum() * 0.15**2 == pytest.approx(phantom.truth["scs"][inner].sum(), rel=1e-4)


def test_counts_have_poisson_statistics_and_repeat():
    image = square_lattice().image
    counts = count_electrons(image, 1e4, 3)
    assert np.mean((counts - 1e4 * image) ** 2 / (1e4 * image)) == pytest.approx(1.0, abs=0.03)
    assert np.array_equal(counts, count_electrons(image, 1e4, 3))
