import numpy as np
import pytest
import scipy.ndimage

from crewe.errors import ImageError
from crewe.simulation.emulator.fit import fit_emulator
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.sampled import sample_pixels, squared_errors, sums_of
from crewe.simulation.emulator.scores import Score
from crewe.simulation.emulator.terms import Terms

PLAN = EmulatorPlan(size=3, log=False, degree=2, register=False, ridge=1e-9)


def pairs(count=4):
    rng = np.random.default_rng(0)
    result = []
    for n in range(count):
        points = (rng.random((40, 46)) < 0.02).astype(np.float64)
        linear = scipy.ndimage.gaussian_filter(points, 2.5).astype(np.float32)
        target = np.sqrt(linear + 0.01) + 0.02 * rng.normal(size=linear.shape)
        result.append(Pair(f"{n}", linear, target.astype(np.float32)))
    return result


def test_all_pixels_give_the_errors_of_fits_that_leave_an_image_out():
    every = pairs()
    terms = PLAN.terms()
    samples = sample_pixels([p.linear for p in every], every, PLAN.feature_set(), stride_px=1)
    squares, pixels = squared_errors([sums_of(s, range(9), terms) for s in samples])
    total, each = Score(), []
    for pair in every:
        emulator = fit_emulator([other for other in every if other is not pair], PLAN)
        inner = (slice(1, -1),) * 2
        mine = Score()
        mine.add(emulator.predict(pair.linear)[inner], pair.multislice[inner])
        total.merge(mine)
        each.append(mine.squared_error)
    assert list(pixels) == [38 * 44] * 4
    assert squares.sum() / pixels.sum() == pytest.approx(total.one_minus_r2, rel=1e-3)
    np.testing.assert_allclose(squares / squares.sum(), each / np.sum(each), rtol=1e-3)


def test_some_features_are_chosen_by_their_place():
    every = pairs()
    samples = sample_pixels([p.linear for p in every], every, PLAN.feature_set())
    few = sums_of(samples[0], (4, 0), Terms(2, 1, True))
    planes, target = samples[0].planes[[4, 0]].astype(np.float64), samples[0].target
    np.testing.assert_allclose(few.moments[1:], planes @ target, rtol=1e-9)
    assert few.samples == 13 * 15


def test_samples_are_standardised_over_all_images():
    every = pairs()
    samples = sample_pixels([p.linear for p in every], every, PLAN.feature_set(), (0.7, -0.4), 2)
    planes = np.concatenate([s.planes for s in samples], axis=1)
    target = np.concatenate([s.target for s in samples])
    np.testing.assert_allclose(planes.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(planes.std(axis=1), 1, rtol=1e-5)
    assert (target.mean(), target.std()) == pytest.approx((0, 1), abs=1e-9)


def test_nothing_to_sample_is_refused():
    every = pairs(1)
    with pytest.raises(ImageError, match="same everywhere"):
        sample_pixels([np.zeros((40, 46), np.float32)], every, PLAN.feature_set())
    wide = EmulatorPlan(size=41, log=False, register=False).feature_set()
    with pytest.raises(ImageError, match="no pixel"):
        sample_pixels([every[0].linear], every, wide)
