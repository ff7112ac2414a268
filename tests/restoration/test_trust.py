import numpy as np
import pytest
from scipy import ndimage

from crewe.errors import ImageError
from crewe.restoration import trust_map

FALSE, GONE = (136, 136), (92, 92)
"""Between columns of the crystal, and one of its columns."""


def crystal(skip=(), extra=(), shape=(256, 256), width=3.0):
    """Columns of height 100 on 20, 16 pixels apart."""
    y, x = np.indices(shape)
    places = [(r, c) for r in range(12, shape[0], 16) for c in range(12, shape[1], 16)]
    image = np.full(shape, 20.0)
    for row, column in [*(p for p in places if p not in skip), *extra]:
        image += 100 * np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * width**2))
    return image


def measured(dose, seed=0, truth=None):
    """Counts over dose, on the scale of the truth."""
    truth = crystal() if truth is None else truth
    return np.random.default_rng(seed).poisson(dose * truth) / dose


def smooth(image):
    return ndimage.gaussian_filter(np.asarray(image, float), 2.0).astype(np.float32)


def test_the_truth_is_supported_when_there_are_enough_electrons():
    assert trust_map(measured(0.1), crystal()).trusted_share > 0.98
    few = trust_map(measured(0.0003), crystal())
    assert few.trusted_share < 0.2
    assert few.doubted_share < 0.1
    assert np.median(few.trust) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("dose", [0.01, 0.1, 1.0])
def test_a_false_column_and_a_lost_one_are_found(dose):
    y = measured(dose)
    planted = trust_map(y, crystal(extra=[FALSE]))
    lost = trust_map(y, crystal(skip=[GONE]))
    assert planted.trust[FALSE] < 0.1
    assert lost.trust[GONE] < 0.1
    far = np.hypot(*(np.indices((256, 256)) - 136)) > 20
    assert np.mean(planted.trust[far] < 0.25) < 0.01
    assert planted.doubted_share < 0.02


def test_what_the_electrons_cannot_tell_is_near_a_half():
    """A column of 100 at 0.0003 electrons a unit has a signal-to-noise ratio of 1.6."""
    trusts = [
        trust_map(measured(0.0003, seed), crystal(extra=[FALSE])).trust[FALSE] for seed in range(8)
    ]
    assert 0.15 < np.mean(trusts) < 0.75


def test_noise_made_into_structure_is_not_trusted():
    flat = measured(0.1, truth=np.full((256, 256), 45.0))
    judged = trust_map(flat, smooth(flat), smooth, np.random.default_rng(1))
    assert 0.3 < np.median(judged.trust) < 0.65
    crystals = measured(0.1)
    seen = trust_map(crystals, smooth(crystals), smooth, np.random.default_rng(1))
    assert np.median(seen.trust) > 0.75


def test_trust_ranks_true_errors():
    y = measured(0.02)
    wrong = crystal(extra=[(136, 136), (200, 72)], skip=[(92, 92), (44, 204)])
    judged = trust_map(y, wrong)
    error = ndimage.gaussian_filter((wrong - crystal()) ** 2, 3.0)
    bad = error > 0.25 * error.max()
    assert np.median(judged.trust[bad]) < 0.25
    assert np.percentile(judged.trust[~bad], 5) > 0.6


@pytest.mark.parametrize(("factor", "offset"), [(1e-9, 0.0), (7.0, 0.0), (1.0, 5000.0)])
def test_trust_does_not_know_the_unit(factor, offset):
    y = measured(0.02)
    one = trust_map(y, crystal()).trust
    other = trust_map(factor * y + offset, factor * crystal() + offset).trust
    assert np.abs(one - other).max() < 0.02


def test_hot_pixels_do_not_shake_the_trust():
    y = measured(0.1)
    y[5::50, 5::50] = 1e5
    assert trust_map(y, crystal()).trusted_share > 0.95


def test_holes_stay_holes():
    y = measured(0.1)
    y[40:60, 90:120] = np.nan
    judged = trust_map(y, crystal())
    np.testing.assert_array_equal(np.isnan(judged.trust), np.isnan(y))
    assert judged.trusted_share > 0.95


@pytest.mark.parametrize("constant", [0.0, 3.0])
def test_constant_images_do_no_harm(constant):
    judged = trust_map(np.full((40, 40), constant), np.full((40, 40), constant))
    assert np.isfinite(judged.trust).all()


def test_small_images_cannot_be_judged():
    judged = trust_map(np.eye(9), np.eye(9))
    assert (judged.trust == 0.5).all()
    assert np.isnan(judged.structure_width_px)
    assert np.isnan(trust_map(np.full((20, 20), np.nan), np.ones((20, 20))).trusted_share)


def test_other_shapes_are_refused():
    with pytest.raises(ImageError, match="same dims"):
        trust_map(np.ones((20, 20)), np.ones((20, 21)))
    with pytest.raises(ImageError, match="random numbers"):
        trust_map(np.eye(20), np.eye(20), smooth)
