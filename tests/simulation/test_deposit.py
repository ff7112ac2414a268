import numpy as np
import pytest
import scipy.fft

from crewe.errors import CalibrationError, ImageError
from crewe.simulation.deposit import deposit, deposit_by_element, spline_transform


def some_atoms(count, extent, seed=1):
    rng = np.random.default_rng(seed)
    numbers = rng.choice([6, 8, 79], count)
    return numbers, rng.uniform(0, extent, (count, 3))


def spline(distance):
    t = np.abs(distance)
    inner, outer = 2 / 3 - t**2 + t**3 / 2, np.clip(2 - t, 0, None) ** 3 / 6
    return np.where(t < 1, inner, outer)


def naive_grid(positions_yx, values, shape):
    """The sum of separable cubic splines, written out with nearest periodic distances."""
    rows, columns = shape
    grid = np.zeros(shape)
    for (y, x), value in zip(positions_yx, values, strict=True):
        dy = (np.arange(rows) - y + rows / 2) % rows - rows / 2
        dx = (np.arange(columns) - x + columns / 2) % columns - columns / 2
        grid += value * np.outer(spline(dy), spline(dx))
    return grid


def test_values_equal_the_sum_of_splines_written_out():
    rng = np.random.default_rng(2)
    positions, values = rng.uniform(-9, 40, (200, 2)), rng.normal(size=200)
    found = deposit(positions, values, (20, 17))
    assert np.allclose(found, naive_grid(positions, values, (20, 17)), atol=2e-6)


def test_each_element_has_its_own_grid_in_rising_order():
    numbers, positions = some_atoms(300, 12.0)
    elements, grids = deposit_by_element(numbers, positions, (40, 30), 0.4, (-1.0, 0.5))
    assert elements.tolist() == [6, 8, 79]
    assert grids.dtype == np.float32
    for element, grid in zip(elements, grids, strict=True):
        x, y, _ = positions[numbers == element].T
        places = np.column_stack([(y + 1.0) / 0.4, (x - 0.5) / 0.4])
        assert np.allclose(grid, naive_grid(places, np.ones(len(places)), (40, 30)), atol=1e-5)


def test_a_periodic_grid_holds_every_atom_however_far_away():
    numbers, positions = some_atoms(500, 300.0)
    _, grids = deposit_by_element(numbers, positions - 150, (25, 31), 0.3)
    counts = [np.sum(numbers == z) for z in (6, 8, 79)]
    assert grids.sum(axis=(1, 2)) == pytest.approx(counts, rel=1e-5)


def test_a_grid_that_is_not_periodic_leaves_out_what_lies_beyond_its_rim():
    numbers, positions = some_atoms(500, 20.0)
    _, grids = deposit_by_element(numbers, positions, (41, 41), 0.25, periodic=False)
    inside = np.all(positions[:, :2] <= 10.0, axis=1)
    assert grids.sum() == pytest.approx(inside.sum(), rel=1e-5)


def test_dividing_by_the_transform_gives_a_point_at_its_exact_position():
    y, x = 7.37, 11.81
    shape = (24, 32)
    grid = deposit([[y, x]], None, shape)
    ky, kx = scipy.fft.fftfreq(shape[0])[:, None], scipy.fft.fftfreq(shape[1])
    point = scipy.fft.fft2(grid) / spline_transform(ky) / spline_transform(kx)
    exact = np.exp(-2j * np.pi * (ky * y + kx * x))
    low = np.hypot(ky, kx) < 0.12
    assert np.abs(point - exact)[low].max() < 1e-3
    assert np.abs(grid - exact)[low].max() > 1e-2


def test_atoms_without_a_position_are_left_out():
    positions = np.array([[1.0, 2.0, 0.0], [np.nan, 1.0, 0.0], [np.inf, 1.0, 0.0]])
    for periodic in (True, False):
        _, grids = deposit_by_element([6, 6, 6], positions, (16, 16), 0.5, periodic=periodic)
        assert grids.sum() == pytest.approx(1.0, rel=1e-6)


def test_no_atoms_give_no_grids():
    elements, grids = deposit_by_element([], np.zeros((0, 3)), (8, 9), 0.1)
    assert elements.shape == (0,)
    assert grids.shape == (0, 8, 9)


def test_arrays_that_do_not_belong_together_are_refused():
    with pytest.raises(ImageError, match="do not belong together"):
        deposit_by_element([6, 8], np.zeros((3, 3)), (8, 8), 0.1)
    with pytest.raises(ImageError, match="atomic numbers are"):
        deposit_by_element([6, 300], np.zeros((2, 3)), (8, 8), 0.1)
    with pytest.raises(ImageError, match="4 points"):
        deposit_by_element([6], np.zeros((1, 3)), (3, 8), 0.1)
    with pytest.raises(CalibrationError, match="pitch"):
        deposit_by_element([6], np.zeros((1, 3)), (8, 8), 0.0)
    with pytest.raises(ImageError, match="values"):
        deposit(np.zeros((3, 2)), [1.0], (8, 8))
    with pytest.raises(ImageError, match="positions"):
        deposit(np.zeros((3, 3)), None, (8, 8))
