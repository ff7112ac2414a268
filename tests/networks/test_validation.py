import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from crewe.errors import ImageError
from crewe.networks.batches import Example
from crewe.networks.scaling import Scale
from crewe.networks.validation import measure, pictures, psnr, ssim


def pair(seed=0, shape=(20, 31), noise=0.1):
    rng = np.random.default_rng(seed)
    ideal = rng.normal(size=shape)
    return ideal + noise * rng.normal(size=shape), ideal


def example(seed, scale):
    image, ideal = pair(seed)
    return Example(np.float32(image), np.float32(ideal), scale, 0.2)


def test_psnr_of_a_known_error():
    ideal = np.zeros((8, 8))
    ideal[0, 0] = 2.0
    assert psnr(ideal + 0.02, ideal) == pytest.approx(40.0)
    assert psnr(ideal, ideal) == np.inf
    assert np.isnan(psnr(ideal, np.ones((8, 8))))
    image, ideal = pair()
    expected = peak_signal_noise_ratio(ideal, image, data_range=np.ptp(ideal))
    assert psnr(image, ideal) == pytest.approx(expected)


def test_figures_do_not_depend_on_unit_or_offset():
    image, ideal = pair()
    assert psnr(300 * image - 40, 300 * ideal - 40) == pytest.approx(psnr(image, ideal))
    assert ssim(300 * image, 300 * ideal) == pytest.approx(ssim(image, ideal))


def test_ssim_is_one_for_equals_and_falls_with_noise():
    image, ideal = pair()
    worse, _ = pair(noise=1.0)
    assert ssim(ideal, ideal) == pytest.approx(1.0)
    assert 1 > ssim(image, ideal) > ssim(worse, ideal)
    assert np.isnan(ssim(image, np.ones_like(ideal)))
    assert ssim(ideal[:4, :4], ideal[:4, :4]) == pytest.approx(1.0)


def test_what_cannot_be_compared_is_refused():
    image, ideal = pair()
    with pytest.raises(ImageError, match="cannot be compared"):
        psnr(image[1:], ideal)
    with pytest.raises(ImageError, match="3 × 3"):
        ssim(image[:2], ideal[:2])


def test_measure_is_the_mean_over_examples_in_batches_of_any_size():
    examples = [example(seed, Scale(5.0, 2.0)) for seed in range(5)]
    expected = np.mean([psnr(one.given, one.wanted) for one in examples])
    for batch_size in (1, 2, 5):
        figures = measure(examples, lambda batch: batch, batch_size)
        assert figures.psnr_db == pytest.approx(expected)
        assert 0 < figures.ssim < 1


def test_a_constant_ideal_does_not_count():
    flat = Example(np.zeros((20, 31), np.float32), np.zeros((20, 31), np.float32), Scale(0, 1), 1)
    one = example(0, Scale(0.0, 1.0))
    assert measure([flat, one], np.copy, 1).psnr_db == pytest.approx(psnr(one.given, one.wanted))
    assert np.isnan(measure([flat], np.copy, 1).psnr_db)


def test_pictures_are_in_the_unit_of_the_sample():
    one = example(0, Scale(5.0, 2.0))
    (picture,) = pictures([one], lambda batch: 0 * batch)
    np.testing.assert_allclose(picture.restored, 5.0)
    np.testing.assert_allclose(picture.wanted, 5.0 + 2.0 * one.wanted, rtol=1e-6)
    assert picture.psnr_db == pytest.approx(psnr(0 * one.wanted, one.wanted))
    (mask,) = pictures([one], lambda batch: batch, mask=True)
    np.testing.assert_array_equal(mask.wanted, one.wanted)
