import numpy as np
from scipy.ndimage import gaussian_filter

from crewe.chemistry.kept_counts import DISTANCE_PX, keep_counts


def test_averages_over_the_distance_become_the_counts_own():
    rng = np.random.default_rng(0)
    truth = (10 + 5 * np.sin(np.arange(128) / 20))[None, None] * np.ones((1, 128, 1))
    counts = rng.poisson(truth).astype(np.float32)
    flattened = (0.5 * truth + 0.5 * truth.mean()).astype(np.float32)
    kept = keep_counts(flattened, counts)
    inside = slice(30, -30)
    wanted = gaussian_filter(truth[0], DISTANCE_PX)[inside, inside]
    found = gaussian_filter(kept[0], DISTANCE_PX)[inside, inside]
    # The ratio of averages is not the average of the ratio: a few percent of slow structure stay.
    np.testing.assert_allclose(found, wanted, rtol=0.08)
    lost = np.abs(gaussian_filter(flattened[0], DISTANCE_PX)[inside, inside] - wanted).mean()
    assert np.abs(found - wanted).mean() < 0.25 * lost


def test_amounts_that_agree_and_vacuum_stay():
    amounts = np.zeros((2, 64, 64), np.float32)
    amounts[0, 20:40, 20:40] = 7.0
    kept = keep_counts(amounts, amounts)
    np.testing.assert_allclose(kept, amounts, rtol=1e-5)
    assert kept[1].max() == 0


def test_a_signal_below_its_background_gives_no_negative_amounts():
    rng = np.random.default_rng(1)
    amounts = rng.random((1, 64, 64), np.float32)
    kept = keep_counts(amounts, amounts - 2)
    assert kept.min() >= 0
    assert np.isfinite(kept).all()
