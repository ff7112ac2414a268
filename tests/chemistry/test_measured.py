import numpy as np
import pytest

from crewe.chemistry.measured import Measured, brightest_window, haadf_noise, local_variance


def measured(poisson=True):
    counts = np.random.default_rng(0).poisson(4, (2, 40, 50)).astype(np.float32)
    return Measured(
        counts=counts,
        background=np.ones_like(counts),
        poisson=poisson,
        whole=counts,
        symbols=("Co", "O"),
        haadf=counts.sum(0),
        haadf_offset=0.0,
        translations=None,
    )


def test_the_brightest_window_holds_most_counts():
    rng = np.random.default_rng(1)
    counts = rng.random((2, 30, 40)).astype(np.float32)
    counts[:, 12:20, 25:31] += 10
    rows, columns = brightest_window(counts, 8)
    best = counts.sum(0)[rows, columns].sum()
    sums = [
        counts.sum(0)[top : top + 8, left : left + 8].sum()
        for top in range(23)
        for left in range(33)
    ]
    assert best == pytest.approx(max(sums))
    assert brightest_window(counts, 100) == (slice(0, 30), slice(0, 40))


def test_noise_of_haadf_is_measured_beside_structure():
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:128, :128]
    image = 500 * np.exp(-((y - 64) ** 2 + (x - 64) ** 2) / 1500)
    noise = 7 * rng.standard_normal(image.shape)
    assert haadf_noise((image + noise).astype(np.float32)) == pytest.approx(7, rel=0.1)
    assert haadf_noise(image.astype(np.float32)) > 0


def test_variance_is_the_local_mean_for_squares_only():
    assert measured().variance() is None
    spread = measured(poisson=False).variance()
    assert spread.mean() == pytest.approx(4, rel=0.05)
    assert local_variance(np.zeros((1, 9, 9), np.float32)).min() > 0


def test_parts_and_signals_belong_together():
    whole = measured()
    part = whole.crop((slice(3, 20), slice(5, 30)))
    np.testing.assert_array_equal(part.signal, whole.signal[:, 3:20, 5:30])
    assert part.haadf.shape == (17, 25)
    assert list(whole.numbers) == [27, 8]
