import numpy as np
import pytest
import scipy.ndimage

from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.registration import (
    common_shift,
    moved,
    pair_shift,
    unknown_border,
)


def blobs(seed=0, side=70, width=4.0):
    noise = np.random.default_rng(seed).random((side, side))
    return (scipy.ndimage.gaussian_filter(noise, width) - 0.4).clip(0).astype(np.float32)


def pair_moved(shift, seed=0, bend=0.5):
    linear = blobs(seed)
    level = linear.max()
    bent = linear / level - bend * (linear / level) ** 2
    target = scipy.ndimage.shift(bent.astype(float), shift, order=5, mode="nearest")
    return Pair(str(seed), linear, target.astype(np.float32))


@pytest.mark.parametrize(
    "shift", [(0.7, 0.68), (-0.35, 0.1), (1.6, -1.2), (0.0, 0.0), (3.3, -2.9), (9.0, 6.4)]
)
def test_a_shift_put_in_is_found(shift):
    assert pair_shift(pair_moved(shift)) == pytest.approx(shift, abs=5e-3)


def test_moving_an_image_by_the_shift_brings_it_onto_the_other():
    pair = pair_moved((0.7, 0.68), bend=0.0)
    found = moved(pair.linear, pair_shift(pair)) / pair.linear.max()
    border = unknown_border((0.7, 0.68))
    inner = (slice(border, -border),) * 2
    assert border == 2
    assert found[inner] == pytest.approx(pair.multislice[inner], abs=2e-3)


def test_the_common_shift_is_the_median_and_one_odd_pair_does_not_move_it():
    pairs = [pair_moved((0.7, 0.68), seed) for seed in range(4)] + [pair_moved((-3.0, 2.0), 9)]
    shift, each = common_shift(pairs)
    assert shift == pytest.approx((0.7, 0.68), abs=0.01)
    assert each.shape == (5, 2)


def test_images_that_lie_on_each_other_are_not_moved_at_all():
    shift, _ = common_shift([pair_moved((0.004, -0.003), seed) for seed in range(3)])
    assert shift == (0.0, 0.0)
    assert unknown_border(shift) == 0
    image = blobs()
    assert moved(image, shift) is image


def test_pairs_that_disagree_as_much_as_they_are_shifted_are_not_moved():
    scattered = [(0.3, 0.1), (-0.25, 0.2), (0.1, -0.3), (-0.05, 0.25), (0.2, -0.1)]
    pairs = [pair_moved(shift, seed) for seed, shift in enumerate(scattered)]
    shift, each = common_shift(pairs)
    assert shift == (0.0, 0.0)
    assert each == pytest.approx(np.array(scattered), abs=5e-3)


def test_an_image_that_varies_along_one_axis_only_has_no_shift():
    ramp = np.tile(np.arange(64.0), (64, 1)).astype(np.float32)
    assert np.isnan(pair_shift(Pair("0", ramp, ramp))).all()
    assert common_shift([Pair("0", ramp, ramp)])[0] == (0.0, 0.0)


def test_images_of_different_specimens_have_no_shift_between_them():
    strangers = Pair("0", blobs(1), np.random.default_rng(5).random((70, 70), dtype=np.float32))
    assert np.isnan(pair_shift(strangers)).all()
