import numpy as np
import pytest
from small_models import small_model

from crewe.atoms import fit_columns
from crewe.atoms.calibration import needs_calibration, simulate, unbiased_widths
from crewe.atoms.noise import NoiseModel, counting_noise
from crewe.atoms.problem import Problem
from crewe.atoms.scoring import fit_scoring
from crewe.testing.lattices import count_electrons, square_lattice


@pytest.mark.parametrize("noise", [NoiseModel(0.3, 0.5, 1e-6), NoiseModel(0.4, 0.0, 1e-6)])
def test_simulated_images_have_the_mean_and_variance_asked_for(noise):
    expected = np.full((400, 400), 2.0)
    image = simulate(expected, noise, np.random.default_rng(0))
    assert image.mean() == pytest.approx(2.0, rel=0.01)
    assert image.var() == pytest.approx(noise.constant + 2 * noise.per_intensity, rel=0.02)


def test_strong_columns_need_no_calibration():
    model = small_model()
    problem = Problem(model.image(), lambda r, e: counting_noise(1e-4, e), np.zeros(12, int))
    assert not needs_calibration(fit_scoring(model, problem), problem)


def test_weak_columns_get_their_width_back():
    """At 500 e/Å² a plain fit makes the columns a tenth too narrow."""
    phantom = square_lattice((256, 256))
    start = phantom.truth[["x", "y", "width"]]
    plain, calibrated = [], []
    for seed in range(3):
        counts = count_electrons(phantom.image, 500 * 0.15**2, seed)
        fit = fit_columns(counts, start, noise="counts", electrons_per_unit=1.0)
        assert fit.summary["bias_calibrated"]
        calibrated.append(fit.columns["width"].iloc[0] / 0.45)
        plain.append(fit.columns["scs"].mean() / (phantom.truth["scs"].mean() * 500 * 0.15**2))
    assert np.mean(calibrated) == pytest.approx(1.0, abs=0.05)
    assert np.mean(plain) == pytest.approx(1.0, abs=0.05)


def test_calibration_is_repeatable():
    model = small_model()
    data = np.random.default_rng(1).poisson(model.image() * 20) / 20
    problem = Problem(data, lambda r, e: counting_noise(1 / 20, e), np.zeros(12, int))
    solution = fit_scoring(model, problem)
    first, second = (
        unbiased_widths(solution, problem, np.random.default_rng(2)).model.columns for _ in range(2)
    )
    assert np.array_equal(first, second)
