import dataclasses

import numpy as np
import pytest

from crewe.chemistry.curvature import covariance_diagonal, elastic_slopes
from crewe.chemistry.operators import ElasticModel
from crewe.testing.core_shell import core_shell, measure


def test_the_inverse_is_that_of_each_block():
    rng = np.random.default_rng(0)
    variance = rng.uniform(0.1, 9, (4, 3, 5))
    slopes = rng.normal(size=(4, 3, 5))
    spread = rng.uniform(0.01, 2, (3, 5))
    found = covariance_diagonal(variance, slopes, spread)
    for y, x in np.ndindex(3, 5):
        slope = slopes[:, y, x]
        block = np.diag(1 / variance[:, y, x]) + np.outer(slope, slope) / spread[y, x]
        assert np.allclose(found[:, y, x], np.diag(np.linalg.inv(block)), rtol=1e-10)


def test_one_element_has_the_harmonic_sum_of_both_variances():
    found = covariance_diagonal(
        np.full((1, 1, 1), 4.0), np.full((1, 1, 1), 3.0), np.full((1, 1), 2.0)
    )
    assert found.item() == pytest.approx(1 / (1 / 4 + 9 / 2))


def test_another_signal_never_makes_it_worse_and_noise_takes_it_away():
    rng = np.random.default_rng(1)
    variance, slopes = rng.uniform(1, 2, (3, 4, 4)), rng.normal(size=(3, 4, 4))
    assert (covariance_diagonal(variance, slopes, np.full((4, 4), 0.5)) <= variance).all()
    assert np.allclose(covariance_diagonal(variance, slopes, np.full((4, 4), 1e12)), variance)


@pytest.fixture(scope="module")
def exact():
    """A result that is the truth, with HAADF that has no noise."""
    from crewe.chemistry.fusion import fuse

    seen = measure(core_shell(pixels=48), 200.0, 20.0, np.random.default_rng(0))
    result = fuse(
        seen.haadf, seen.maps, prior="composition", strength=2.0, gamma=1.7, guide_smoothing_px=0.5
    )
    numbers = np.array([27, 16, 8])[:, None, None]
    haadf = 5 + 1e-3 * ((numbers * seen.truth.values) ** 1.7).sum(axis=0)
    return dataclasses.replace(result, maps=seen.truth, haadf=result.haadf.copy(data=haadf))


def test_slopes_are_those_of_equation_4(exact):
    """γ²·diag(xᵞ⁻¹) AᵀA diag(xᵞ⁻¹) is what is left of eq. 4 where the model fits."""
    slopes, _ = elastic_slopes(exact, exact.maps.values)
    numbers = np.array([27.0, 16.0, 8.0])
    model = ElasticModel(("Co", "S", "O"), 1.7, tuple(1e-3 * numbers**1.7))
    amounts = np.asarray(exact.maps.values, np.float64)
    blocks = model.hessian(amounts, model.forward(amounts))
    # The fitted offset and scale are of images averaged over a few pixels.
    inside = amounts.min(axis=0) > 0.2 * amounts.max()
    expected = np.einsum("eyx,fyx->efyx", slopes, slopes)
    assert inside.any()
    assert np.allclose(expected[..., inside], blocks[..., inside], rtol=0.1)


def test_a_model_that_misfits_more_than_the_noise_says_less(exact):
    amounts = exact.maps.values
    rough = exact.haadf.values * np.where(np.arange(48) % 12 < 6, 1.3, 0.7)
    other = dataclasses.replace(exact, haadf=exact.haadf.copy(data=rough))
    inside = amounts.min(axis=0) > 0.2 * amounts.max()
    _, fits = elastic_slopes(exact, amounts)
    _, misfits = elastic_slopes(other, amounts)
    assert np.median(misfits[inside]) > 10 * np.median(fits[inside])
    assert (misfits > 0).all()
