"""What the report says about its own certainty."""

from types import SimpleNamespace

import numpy as np
import pytest

from crewe.axes import calibrated_image
from crewe.workflows.report import _key_numbers, residual_in_noise


def summary(correlation):
    kind = {"columns": 9, "position_std": 0.01, "scs_std": 0.1, "scs_median": 5.0}
    return {
        "columns": {"total": 9, "flagged": 0},
        "types": [kind],
        "units": {"x": "Å"},
        "fit": {"residual_correlation": correlation},
    }


def test_errors_are_lower_limits_where_residuals_are_correlated():
    assert _key_numbers(summary(0.31)).count("≥ ") == 2
    assert "≥" not in _key_numbers(summary(0.1))


@pytest.mark.parametrize(("noise", "word"), [("uniform", "its r.m.s."), ("counts", "counting")])
def test_the_residual_is_scaled_by_the_noise_with_its_floor(noise, word):
    fit = {"noise": noise, "noise_constant": -1.0, "noise_per_intensity": 1.0, "residual_rms": 10.0}
    model = calibrated_image(np.array([[1.0, 5.0, 17.0]]), 0.1)
    residual = model.copy(data=np.array([[2.0, 4.0, 4.0]]))
    fitted = SimpleNamespace(residual=residual, model=model, summary=fit)
    scaled, label = residual_in_noise(SimpleNamespace(fit=fitted))
    assert scaled.values == pytest.approx(np.array([[2 / np.sqrt(2), 2.0, 1.0]]))
    assert word in label


def test_a_perfect_fit_has_no_noise_to_divide_by():
    fit = {"noise_constant": 0.0, "noise_per_intensity": 0.0, "residual_rms": 0.0}
    residual = calibrated_image(np.zeros((2, 3)), 0.1)
    fitted = SimpleNamespace(residual=residual, model=residual, summary=fit)
    scaled, label = residual_in_noise(SimpleNamespace(fit=fitted))
    assert scaled is residual
    assert label == "image units"
