import numpy as np
import pytest

from crewe.simulation.radial_model import draw_radial_model
from crewe.simulation.radial_stamps import FINEST_SHIFT_ANGSTROM, stamp

ELEMENTS = np.array([6, 14, 79], dtype=np.uint8)
MODEL = draw_radial_model(ELEMENTS, np.random.default_rng(2), order=(4, 6))
REACH = 5.0 * MODEL.radii
SHAPE = (48, 40)
PIXEL = 0.2


def stamped(numbers, positions, shape=SHAPE, pixel_size=PIXEL):
    given = np.asarray(numbers, dtype=np.uint8)
    return stamp(given, np.reshape(positions, (-1, 3)), shape, pixel_size, MODEL, REACH)


def naive(numbers, positions, shape=SHAPE, pixel_size=PIXEL):
    """Each function at its distance from each pixel's centre, cut off at its reach."""
    y, x = np.indices(shape) * pixel_size
    image = np.zeros(shape)
    for number, (px, py, _) in zip(numbers, positions, strict=True):
        e = list(ELEMENTS).index(number)
        r = np.hypot(x - px, y - py)
        image += np.where(r < REACH[e], MODEL.profile(r)[e], 0)
    return image


def some_atoms(count, seed=1, grid=None):
    rng = np.random.default_rng(seed)
    extent = np.array([SHAPE[1], SHAPE[0], 1]) * PIXEL
    positions = rng.uniform(-2, extent + 2, (count, 3))
    if grid is not None:
        positions = np.round(positions / grid) * grid
    return rng.choice(ELEMENTS, count), positions


@pytest.mark.parametrize("pixel_size", [0.05, 0.2, 0.6])
@pytest.mark.parametrize("number", ELEMENTS)
def test_an_atom_at_the_centre_of_a_pixel_is_its_function_itself(number, pixel_size):
    atom = [number], [(12 * pixel_size, 20 * pixel_size, 3.0)]
    found = stamped(*atom, pixel_size=pixel_size)
    expected = naive(*atom, pixel_size=pixel_size)
    assert np.abs(found - expected).max() < 4e-3 * expected.max()
    assert np.unravel_index(found.argmax(), SHAPE) == (20, 12)
    assert np.abs(found - expected).mean() < 1e-4 * expected.max()


def test_stamps_on_the_fine_grid_equal_the_sum_written_out():
    """At whole steps of pixel / S no picture is mixed, so only the table's steps remain."""
    steps = int(np.ceil(PIXEL / FINEST_SHIFT_ANGSTROM))
    numbers, positions = some_atoms(80, grid=PIXEL / steps)
    expected = naive(numbers, positions)
    assert np.abs(stamped(numbers, positions) - expected).max() < 5e-3 * expected.max()


def test_an_atom_between_four_pictures_is_their_mean():
    step = PIXEL / 4
    corners = [(4 + a * step, 5 + b * step, 0) for a in (0, 1) for b in (0, 1)]
    mean = sum(stamped([14], [corner]) for corner in corners) / 4
    between = stamped([14], [(4 + step / 2, 5 + step / 2, 0)])
    assert np.allclose(between, mean, atol=1e-5 * mean.max())


def test_the_order_of_the_atoms_does_not_matter():
    numbers, positions = some_atoms(300, seed=3)
    image = stamped(numbers, positions)
    for order in (
        np.argsort(numbers, kind="stable"),
        np.lexsort(positions.T),
        np.arange(300)[::-1],
    ):
        again = stamped(numbers[order], positions[order])
        assert np.allclose(again, image, rtol=0, atol=1e-5 * image.max())


def test_an_image_is_the_sum_of_its_parts_and_keeps_their_integrals():
    numbers, positions = some_atoms(40, seed=4)
    positions[:, :2] = 0.5 * positions[:, :2] + 2.0
    whole = stamped(numbers, positions, (160, 160), 0.1)
    parts = [stamped(numbers[k::2], positions[k::2], (160, 160), 0.1) for k in (0, 1)]
    assert np.allclose(whole, parts[0] + parts[1], atol=1e-5 * whole.max())
    inside = naive(numbers, positions, (160, 160), 0.1).sum()
    assert whole.sum() == pytest.approx(inside, rel=2e-3)


def test_no_atoms_make_an_empty_image():
    image = stamped([], [])
    assert image.shape == SHAPE
    assert image.dtype == np.float32
    assert not image.any()


def test_atoms_out_of_reach_or_nowhere_are_left_out():
    far = float(REACH.max()) + 4 * PIXEL
    bottom, right = SHAPE[0] * PIXEL, SHAPE[1] * PIXEL
    absent = [(-far, 3, 0), (right + far, 3, 0), (3, -far, 0), (3, bottom + far, 0), (1e9, 0, 0)]
    absent += [(np.nan, 3, 0), (3, np.nan, 0), (np.inf, 3, 0), (-1e300, 3, 0)]
    assert not stamped([79] * len(absent), absent).any()


def test_an_atom_beside_the_image_shows_its_flank():
    atom = [79], [(-0.4, 3.0, 0.0)]
    found, expected = stamped(*atom), naive(*atom)
    assert expected[15, 0] > 0
    assert np.abs(found - expected).max() < 5e-3 * expected.max()
