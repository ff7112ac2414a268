import dataclasses

import numpy as np
import pytest

from crewe.chemistry.measured import (
    Measured,
    brightest_window,
    haadf_noise,
    local_variance,
    noise_of_counts,
    noise_of_map,
    whole_counts,
)
from crewe.chemistry.noise import COUNTS, is_counts
from crewe.errors import ImageError


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
    assert local_variance(np.zeros((1, 9, 9), np.float32), (COUNTS,)).min() > 0


def test_variance_of_a_map_without_its_background_is_that_before():
    rng = np.random.default_rng(3)
    expected = np.tile(np.linspace(0, 12, 160, dtype=np.float32), (1, 160, 1))
    taken_off = rng.poisson(expected + 9).astype(np.float32) - 9
    spread = local_variance(taken_off, noise_of_counts(taken_off))
    inside = slice(20, 140)
    along = spread[0, :, inside].mean(0)
    np.testing.assert_allclose(along, expected[0, 0, inside] + 9, rtol=0.12)
    squares = dataclasses.replace(measured(poisson=False), counts=taken_off)
    np.testing.assert_array_equal(squares.variance(), spread)


def test_noise_that_does_not_grow_is_the_same_everywhere():
    rng = np.random.default_rng(4)
    signal = np.tile(np.linspace(0, 3, 128), (128, 1))
    image = (signal + rng.normal(0, 2, signal.shape)).astype(np.float32)
    found = noise_of_map(image, "Co")
    counts = (image * found.counts_per_unit)[None]
    spread = local_variance(counts, noise_of_counts(counts)) / found.counts_per_unit**2
    np.testing.assert_allclose(spread, 4, rtol=0.1)


def test_noise_that_cannot_be_read_off_is_that_of_counts():
    rng = np.random.default_rng(5)
    few = rng.normal(3, 1, (1, 8, 8)).astype(np.float32)
    assert noise_of_counts(few) == (COUNTS,)
    whole = noise_of_map(np.full((20, 20), 4, np.float32), "Co")
    assert whole.gain == 1
    assert "without noise" in whole.remarks[0]
    with pytest.raises(ImageError, match="Co"):
        noise_of_map(np.full((20, 20), 0.4, np.float32), "Co")


def test_multiples_of_counts_become_the_counts_they_were():
    rng = np.random.default_rng(6)
    counts = rng.poisson(np.linspace(0, 5, 64), (3, 64, 64)).astype(np.float32)
    given = counts * np.array([1, 7, 0.37], np.float32)[:, None, None]
    noises = [noise_of_map(plane, "Co") for plane in given]
    scale, whole = whole_counts(given, ("Co", "S", "O"), noises, rng)
    np.testing.assert_array_equal(whole[:2], counts[:2])
    np.testing.assert_allclose(scale[:2, 0, 0], [1, 1 / 7])
    assert is_counts(whole[2])
    assert scale[2] == pytest.approx(1 / 0.37, rel=0.2)
    _, squares = whole_counts(given, ("Co", "S", "O"), noises, None)
    np.testing.assert_allclose(squares[2], given[2] / noises[2].gain, rtol=1e-6)


def test_parts_and_signals_belong_together():
    whole = measured()
    part = whole.crop((slice(3, 20), slice(5, 30)))
    np.testing.assert_array_equal(part.signal, whole.signal[:, 3:20, 5:30])
    assert part.haadf.shape == (17, 25)
    assert list(whole.numbers) == [27, 8]
