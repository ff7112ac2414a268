import numpy as np
import pytest
import scipy.ndimage

from crewe.errors import CalibrationError
from crewe.simulation.emulator.leave_out import leave_out
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan

SMALL = EmulatorPlan(size=3, log=False, degree=2, register=False)


def pairs(count, noise=1.0):
    """Noise far above the image: 1 − R² is all that it is."""
    rng = np.random.default_rng(0)
    result = []
    for n in range(count):
        points = (rng.random((26, 28)) < 0.02).astype(np.float64)
        linear = scipy.ndimage.gaussian_filter(points, 2.0).astype(np.float32)
        target = linear - 3 * linear**2 + noise * rng.normal(size=linear.shape)
        result.append(Pair(f"{n}", linear, target.astype(np.float32)))
    return result


def test_the_error_falls_as_images_are_added_towards_the_noise():
    every = pairs(12)
    table = leave_out(every, SMALL, rng=np.random.default_rng(1), training=(1, 3, 10), repeats=4)
    assert list(table["images"]) == [1, 3, 10]
    errors = table["one_minus_r2"].to_numpy()
    assert (np.diff(errors) < 0).all()
    # 55 terms learned from N pixels add 55/N of the noise, more where few show what comes.
    expected = 1 + 55 / (np.array([1, 3, 10]) * 24 * 26)
    assert (errors > expected - 0.005).all()
    assert errors[2] == pytest.approx(expected[2], rel=0.015)
    np.testing.assert_allclose(table["fractional_rms"] ** 2, errors)
    spread = table["spread"].to_numpy()
    assert 0 < spread[2] < spread[0]


def test_numbers_are_chosen_so_that_images_are_left():
    heard = []
    table = leave_out(
        pairs(6),
        SMALL,
        rng=np.random.default_rng(1),
        repeats=1,
        progress=lambda *step: heard.append(step),
    )
    assert list(table["images"]) == [1, 2, 3, 5]
    assert table["spread"].isna().all()
    assert table["median"].equals(table["one_minus_r2"].rename("median"))
    assert heard == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_what_leaves_no_image_is_refused():
    with pytest.raises(CalibrationError, match="1 to 2"):
        leave_out(pairs(3), SMALL, rng=np.random.default_rng(1), training=(3,))
    with pytest.raises(CalibrationError, match="more pairs"):
        leave_out(pairs(1), SMALL, rng=np.random.default_rng(1))


def test_one_choice_of_images_without_the_bright_ones_is_not_the_median():
    every = pairs(8, noise=0.01)
    bright = every[0]
    linear = 4 * bright.linear
    every[0] = Pair("0", linear, (linear - 3 * linear**2).astype(np.float32))
    plan = EmulatorPlan(size=1, log=True, degree=3, register=False)
    table = leave_out(every, plan, rng=np.random.default_rng(0), training=(6,), repeats=9)
    assert table["one_minus_r2"][0] > 1.5 * table["median"][0]
