import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from crewe.chemistry.neighbours import variance_line
from crewe.chemistry.noise import counts_per_unit, is_counts, map_noise, rounded_counts
from crewe.errors import ImageError

Y, X = np.mgrid[:192, :192] - 95.5
SPHERE = np.sqrt(np.clip(80.0**2 - Y**2 - X**2, 0, None))
SPHERE /= SPHERE.mean()


def counts(rate, seed=0):
    return np.random.default_rng(seed).poisson(rate * SPHERE).astype(float)


@pytest.mark.parametrize("rate", [0.05, 0.3, 3.0, 40.0])
@pytest.mark.parametrize("gain", [1e-6, 0.37, 250.5])
def test_gain_of_scaled_counts(rate, gain):
    noise = map_noise(gain * counts(rate))
    assert noise.gain == pytest.approx(gain, rel=0.08)
    assert noise.counts_per_unit == pytest.approx(1 / gain, rel=0.08)
    assert noise.constant / noise.gain**2 < 0.05 * rate
    assert noise.remarks == ()


def test_single_precision_and_a_pedestal():
    image = (0.01 * counts(5.0)).astype(np.float32)
    assert counts_per_unit(image) == pytest.approx(100, rel=0.05)
    assert counts_per_unit(image + 3) == pytest.approx(100, rel=0.05)


def test_read_noise_is_the_constant():
    rng = np.random.default_rng(1)
    noise = map_noise(2 * counts(20.0) + rng.normal(0, 5.0, SPHERE.shape))
    assert noise.gain == pytest.approx(2.0, rel=0.05)
    assert noise.constant == pytest.approx(25.0, rel=0.15)
    assert noise.constant / noise.gain**2 == pytest.approx(25 / 4, rel=0.2)
    assert noise.variance(np.array([10.0]))[0] == pytest.approx(45.0, rel=0.1)


def test_noise_that_does_not_grow_is_pooled_and_told():
    image = np.random.default_rng(2).normal(100.0, 3.0, (128, 128))
    noise = map_noise(image)
    assert noise.gain == pytest.approx(0.09, rel=0.05)
    assert any("grow" in remark for remark in noise.remarks)
    assert np.allclose(noise.variance(np.array([0.0, 500.0])), 9.0, rtol=0.05)


def test_a_smoothed_map_keeps_its_gain_and_is_told():
    noise = map_noise(ndimage.gaussian_filter(7 * counts(3.0), 0.8))
    assert noise.gain == pytest.approx(7.0, rel=0.25)
    assert any("share" in remark for remark in noise.remarks)


def test_a_picture_of_counts_is_no_count():
    few = counts(2.0)
    noise = map_noise(np.round(200 * few / few.max()).astype(np.uint8))
    assert noise.gain == pytest.approx(200 / few.max(), rel=0.1)
    assert "picture" in noise.remarks[0]


@pytest.mark.parametrize("factor", [2, 7, 50])
@pytest.mark.parametrize("rate", [0.05, 3.0, 40.0])
def test_counts_times_a_whole_number_are_told_from_counts(factor, rate):
    noise = map_noise(factor * counts(rate))
    assert (noise.gain, noise.constant, noise.slope) == (factor, 0.0, factor)
    assert f"counts times {factor}" in noise.remarks[0]


def test_a_large_field_is_judged_where_most_is():
    rng = np.random.default_rng(7)
    field = np.zeros((600, 1100))
    field[400:592, 900:1092] = 3 * counts(2.0)
    field[0, :40] = rng.integers(0, 2, 40)
    assert map_noise(field).gain == pytest.approx(3, rel=0.1)
    field[400:592, 900:1092] = counts(2.0)
    assert map_noise(field).gain == 1.0


def test_few_counts_that_happen_to_be_even_are_counts():
    image = np.zeros((32, 32))
    image[3, 4:9] = 2
    assert map_noise(image).gain == 1.0


def test_noise_in_counts_is_that_of_the_map_times_its_counts_per_unit():
    rng = np.random.default_rng(6)
    image = 2 * counts(20.0) + rng.normal(0, 5.0, SPHERE.shape)
    found = map_noise(image)
    inside = map_noise(image * found.counts_per_unit)
    assert found.in_counts.gain == 1.0
    assert found.in_counts.slope == pytest.approx(inside.slope, rel=1e-3)
    assert found.in_counts.constant == pytest.approx(inside.constant, rel=1e-3)


@pytest.mark.parametrize(
    "image",
    [SPHERE, SPHERE.astype(np.float32), np.exp(-(Y**2 + X**2) / 3000), np.full((32, 32), 0.5)],
)
def test_maps_without_noise_are_refused(image):
    with pytest.raises(ImageError, match="no noise"):
        map_noise(image)


def test_maps_that_cannot_be_used():
    noisy = np.random.default_rng(3).normal(size=(32, 32))
    with pytest.raises(ImageError, match="NaN"):
        map_noise(np.where(noisy > 1, np.nan, noisy))
    with pytest.raises(ImageError, match="mean"):
        map_noise(noisy - 5)
    with pytest.raises(ImageError, match="16"):
        map_noise(noisy[:8, :8])
    with pytest.raises(ImageError, match="dimensions"):
        map_noise(noisy[None])
    with pytest.raises(ImageError, match=r"^Co: "):
        counts_per_unit(noisy - 5, "Co")


def test_counts_have_gain_one_whatever_their_number():
    for image in (np.zeros((64, 64)), counts(0.001), counts(4.0), counts(900.0), np.ones((4, 4))):
        assert map_noise(image).gain == 1.0


@given(st.integers(0, 2**53), st.sampled_from([np.float64, np.int64]))
def test_whole_numbers_are_counts(value, kind):
    assert is_counts(np.array([[value, 0]], kind))


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_what_is_no_count(value):
    whole = np.isfinite(value) and value >= 0 and value == np.floor(value)
    assert is_counts([value]) == whole
    assert not is_counts(["a"])
    assert is_counts(np.array([True, False]))


def few_bright_pixels(rng, rate=0.03):
    """What is left of spectra after a background: few pixels hold anything, in no fixed unit."""
    number = rng.poisson(rate * SPHERE)
    return 0.01 * rng.gamma(np.maximum(number, 1), 1.0) * (number > 0)


@pytest.mark.parametrize("make", [few_bright_pixels, lambda rng: 0.3 * rng.poisson(8 * SPHERE)])
def test_rounded_counts_scatter_like_counts_and_keep_the_mean(make):
    rng = np.random.default_rng(4)
    image = make(rng)
    whole, per_unit = rounded_counts(image, rng)
    assert is_counts(whole)
    assert per_unit < counts_per_unit(image) * 1.05
    assert whole.sum() == pytest.approx(per_unit * image.sum(), rel=0.05)
    assert variance_line(whole).slope == pytest.approx(1.0, abs=0.02)


def test_halves_of_rounded_counts_share_no_noise():
    rng = np.random.default_rng(5)
    products = []
    for _ in range(12):
        whole, _ = rounded_counts(few_bright_pixels(rng), rng)
        first = rng.binomial(whole.astype(np.int64), 0.5)
        expected = SPHERE * whole.mean() / 2
        products.append(np.mean((first - expected) * (whole - first - expected)) / whole.mean())
    # Of halves that shared all their noise it were a quarter.
    assert abs(np.mean(products)) < 0.03
