import numpy as np
import pytest
from small_models import dense_jacobian, small_model

from crewe.atoms.background import Mesh
from crewe.atoms.noise import NoiseModel
from crewe.atoms.precision import fit_covariance
from crewe.atoms.problem import Problem


def exact_covariance(model, problem, noise):
    """Covariance of height, x, y, width of each column by inverting the dense matrix."""
    jacobian = dense_jacobian(model) @ problem.share(model).toarray()
    weight = problem.weight(noise, model.image()).ravel()
    variance = noise.variance(model.image()).ravel()
    inverse = np.linalg.inv(jacobian.T @ (weight[:, None] * jacobian))
    spread = jacobian.T @ ((weight**2 * variance)[:, None] * jacobian)
    full = problem.share(model) @ (inverse @ spread @ inverse) @ problem.share(model).T
    return np.stack([full[4 * n : 4 * n + 4, 4 * n : 4 * n + 4] for n in range(len(model.columns))])


@pytest.mark.parametrize("uniform", [False, True])
@pytest.mark.parametrize(
    ("mesh", "kinds", "agreement"),
    [
        (Mesh(1, 1), np.zeros(12, dtype=np.int64), 0.01),
        (Mesh(2, 2), np.arange(12) % 2, 0.02),
        (Mesh(1, 1), None, 0.04),
        (Mesh(3, 3), np.zeros(12, dtype=np.int64), 0.15),
    ],
)
def test_standard_errors_are_those_of_the_whole_inverse(mesh, kinds, agreement, uniform):
    model = small_model(mesh=mesh)
    noise = NoiseModel(0.01, 0.05, 1e-6)
    problem = Problem(model.image(), lambda residual, expected: noise, kinds, uniform=uniform)
    found = fit_covariance(model, problem, noise)
    exact = exact_covariance(model, problem, noise)
    for k in range(4):
        ratio = np.sqrt(found[:, k, k] / exact[:, k, k])
        assert np.abs(ratio - 1).max() < agreement, f"parameter {k}"


def test_errors_fall_with_the_square_root_of_the_dose():
    model = small_model()
    kinds = np.zeros(12, dtype=np.int64)
    errors = []
    for per_intensity in (0.04, 0.01):
        noise = NoiseModel(0.0, per_intensity, 1e-9)
        problem = Problem(model.image(), lambda residual, expected, n=noise: n, kinds)
        errors.append(np.sqrt(fit_covariance(model, problem, noise)[:, 1, 1]))
    assert np.allclose(errors[0], 2 * errors[1])


def test_an_isolated_gaussian_reaches_the_textbook_limit():
    """σ_x = ρ/√N for N electrons in a Gaussian without background."""
    from crewe.atoms.equations import ColumnModel
    from crewe.atoms.stamps import Grid

    electrons, width = 400.0, 0.45
    height = electrons * 0.1**2 / (2 * np.pi * width**2)
    columns = np.array([[height, 3.0, 3.0, width]])
    model = ColumnModel(Grid(61, 61, 0.1, 0.1), "gaussian", columns, Mesh(1, 1), np.array([1e-9]))
    noise = NoiseModel(0.0, 1.0, 1e-12)
    problem = Problem(model.image(), lambda r, e: noise, None)
    covariance = fit_covariance(model, problem, noise)[0]
    assert np.sqrt(covariance[1, 1]) == pytest.approx(width / np.sqrt(electrons), rel=0.01)
