import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_t

from crewe.atoms.counting.student_mixture import FREEDOM, StudentMixture


@pytest.fixture
def mixture():
    shapes = np.array([[[1.0, 0.3], [0.3, 0.5]], [[0.2, 0.0], [0.0, 2.0]]])
    return StudentMixture(np.array([0.3, 0.7]), np.array([[0.0, 0.0], [4.0, -3.0]]), shapes)


def test_density_is_that_of_the_student_distributions(mixture):
    points = np.random.default_rng(0).normal(0, 3, (50, 2))
    parts = [
        np.log(weight) + multivariate_t(centre, shape, FREEDOM).logpdf(points)
        for weight, centre, shape in zip(
            mixture.weights, mixture.centres, mixture.covariances, strict=True
        )
    ]
    assert np.allclose(mixture.log_density(points), logsumexp(parts, axis=0))


def test_draws_have_that_density(mixture):
    points = mixture.draw(40000, np.random.default_rng(1))
    assert np.allclose(points.mean(axis=0), [2.8, -2.1], atol=0.05)
    near = np.sum((points - mixture.centres[1]) ** 2, axis=1) < 0.05**2
    density = np.exp(mixture.log_density(mixture.centres[1:]))[0]
    assert near.mean() == pytest.approx(density * np.pi * 0.05**2, rel=0.25)


def test_a_mixture_follows_points(mixture):
    points = np.random.default_rng(2).normal([4.5, -2.0], [0.1, 0.4], (500, 2))
    fitted = mixture.fitted_to(points)
    assert np.allclose(fitted.centres[1], [4.5, -2.0], atol=0.1)
    assert np.array_equal(fitted.centres[0], mixture.centres[0])
    assert fitted.weights.sum() == pytest.approx(1.0)
    assert fitted.weights[1] > 0.9
    assert fitted.log_density(points).mean() > mixture.log_density(points).mean() + 1
