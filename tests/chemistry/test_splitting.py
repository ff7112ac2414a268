from dataclasses import replace

import numpy as np
import pytest

from crewe.chemistry.estimate import Settings
from crewe.chemistry.measured import Measured
from crewe.chemistry.splitting import Wanted, choose, split, squared_errors

SIDE = 72


def field(seed=0, poisson=True, mean=12.0):
    """Texture in HAADF and maps alike; composition changes from left to right."""
    rng = np.random.default_rng(seed)
    thickness = np.clip(1 + 0.3 * rng.standard_normal((SIDE, SIDE)), 0.2, None)
    share = np.where(np.arange(SIDE) < SIDE // 2, 0.7, 0.3)
    truth = mean * np.stack([thickness * share, thickness * (1 - share)])
    numbers = np.array([27, 8])
    elastic = ((numbers[:, None, None] * truth) ** 1.7).sum(0)
    haadf = rng.poisson(400 * elastic / elastic.mean()).astype(np.float32)
    counts = rng.poisson(truth).astype(np.float32)
    dark = np.zeros_like(counts)
    measured = Measured(counts, dark, poisson, counts, ("Co", "O"), haadf, 0.0, None)
    return truth, measured


@pytest.mark.parametrize("poisson", [True, False])
def test_halves_sum_to_the_whole_and_their_noise_is_independent(poisson):
    flat = np.full((2, 200, 200), 9.0)
    counts = np.random.default_rng(1).poisson(flat).astype(np.float32)
    _, measured = field(poisson=poisson)
    measured = replace(measured, counts=counts, whole=counts, background=np.ones_like(counts))
    first, second = split(measured, np.random.default_rng(2))
    np.testing.assert_allclose(first.counts + second.counts, counts, atol=1e-5)
    assert first.counts.mean() == pytest.approx(4.5, rel=0.01)
    assert first.background.mean() == 0.5
    together = np.corrcoef(first.counts.ravel(), second.counts.ravel())[0, 1]
    # 80,000 pixels: one standard error is 0.0035.
    assert abs(together) < 0.015


def test_halves_share_no_noise_that_does_not_grow_with_the_signal():
    rng = np.random.default_rng(1)
    mean = np.tile(np.linspace(0, 4, 200, dtype=np.float32), (2, 200, 1))
    counts = (mean + rng.normal(0, 3, mean.shape)).astype(np.float32)
    _, measured = field(poisson=False)
    measured = replace(measured, counts=counts, whole=counts, background=0 * counts)
    halves = split(measured, rng)
    first, second = (half.counts - mean / 2 for half in halves)
    # 80,000 pixels: one standard error is 0.0035; all of it shared were 1.
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.03
    for half, noise in zip(halves, (first, second), strict=True):
        assert half.variance().mean() == pytest.approx(noise.var(), rel=0.05)
        assert half.variance()[:, :, :50].mean() == pytest.approx(4.5, rel=0.1)


def test_a_perfect_prediction_leaves_the_noise():
    truth, measured = field(mean=50.0)
    noise = truth.mean((1, 2))
    error = squared_errors(truth.astype(np.float32), measured, noise).mean((1, 2))
    np.testing.assert_allclose(error, 1, rtol=0.06)
    assert squared_errors(0 * measured.counts, measured, noise).mean() > 10


def test_texture_that_haadf_shows_is_used():
    _, measured = field()
    best, tried = choose(measured, Wanted(), np.random.default_rng(3))
    assert best.prior == "composition"
    assert best.guide_smoothing_px <= 0.5
    by_settings = {entry.settings: entry.prediction_error for entry in tried}
    assert by_settings[best] <= min(by_settings.values()) * 1.001
    assert len(by_settings) == len(tried)


def test_a_haadf_without_relation_is_left_out():
    _, measured = field()
    noise = np.random.default_rng(4).poisson(30, (SIDE, SIDE)).astype(np.float32)
    best, _ = choose(replace(measured, haadf=noise), Wanted(), np.random.default_rng(5))
    assert best.prior == "spectra" or best.guide_smoothing_px == 2.0


def test_what_is_fixed_stays_fixed():
    _, measured = field()
    wanted = Wanted("composition", 4.0, 1.9, 1.0)
    heard = []
    best, tried = choose(measured, wanted, np.random.default_rng(6), heard.append)
    assert best == Settings("composition", 4.0, 1.9, 1.0)
    assert tried == []
    best, tried = choose(
        measured, replace(wanted, strength=None), np.random.default_rng(6), heard.append
    )
    assert {entry.settings.gamma for entry in tried} == {1.9}
    assert len({entry.settings.strength for entry in tried}) > 2
    assert heard
    assert max(heard) <= 1


def test_an_element_that_haadf_does_not_show_stands_on_its_own():
    rng = np.random.default_rng(7)
    texture = np.clip(1 + 0.4 * rng.standard_normal((SIDE, SIDE)), 0.2, None)
    truth = np.stack([10 * texture, np.full((SIDE, SIDE), 10.0)])
    haadf = rng.poisson(400 * texture**1.7).astype(np.float32)
    counts = rng.poisson(truth).astype(np.float32)
    dark = np.zeros_like(counts)
    measured = Measured(counts, dark, True, counts, ("Ni", "Co"), haadf, 0.0, None)
    best, _ = choose(measured, Wanted(), np.random.default_rng(8))
    assert best.prior == "composition"
    assert best.without_haadf == ("Co",)
