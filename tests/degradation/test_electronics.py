import numpy as np
import pytest

from crewe.degradation import electronics

RNG = np.random.default_rng(0)
IMAGE = np.random.default_rng(1).gamma(4.0, 3.0, (100, 100)).astype(np.float32)


@pytest.mark.parametrize("fraction", [0.0, 0.01, 0.3, 1.0])
def test_the_clipped_fraction_lies_at_the_maximum(fraction):
    clipped = electronics.upper_clip(IMAGE, electronics.UpperClip(fraction), RNG)
    at_top = np.mean(clipped == clipped.max())
    assert at_top == pytest.approx(fraction, abs=2e-4)
    below = clipped < clipped.max()
    assert np.array_equal(clipped[below], IMAGE[below])


def test_both_images_get_the_gain_and_one_is_rounded():
    ideal = IMAGE * 0.9
    digital, scaled = electronics.quantisation(IMAGE, ideal, electronics.Quantisation(255), RNG)
    assert digital.max() == 255
    assert np.array_equal(digital, np.rint(digital))
    gain = 255 / IMAGE.max()
    assert np.allclose(scaled, gain * ideal, rtol=1e-5)
    error = digital - gain * IMAGE
    assert np.abs(error).max() <= 0.5 + 1e-4
    fine, _ = electronics.quantisation(IMAGE, ideal, electronics.Quantisation(4095), RNG)
    step = IMAGE.max() / 4095
    assert (fine * step - IMAGE).std() == pytest.approx(step / np.sqrt(12), rel=0.05)


def test_darkness_is_rounded_as_it_is():
    dark = np.full((3, 3), -0.7)
    digital, ideal = electronics.quantisation(dark, dark, electronics.Quantisation(255), RNG)
    assert np.all(digital == -1)
    assert np.allclose(ideal, -0.7)


def test_counts_of_both_images_share_one_scale():
    ideal = IMAGE * 0.5 + 4
    counts, truth = electronics.count_scale(IMAGE, ideal, electronics.CountScale(40000), RNG)
    assert min(counts.min(), truth.min()) == 0
    assert max(counts.max(), truth.max()) == pytest.approx(40000)
    assert np.array_equal(counts, np.rint(counts))
    gain = (counts.max() - counts.min()) / np.ptp(IMAGE)
    assert np.allclose(truth - truth.min(), gain * (ideal - ideal.min()), atol=2)
    assert np.allclose(counts - truth, gain * (IMAGE - ideal), atol=2)
