import numpy as np
import pytest
from numpy.random import default_rng
from scipy.special import gammaln, logsumexp

from crewe.atoms.counting.comb import cross_sections
from crewe.atoms.counting.curve_evidence import LEAST_COLUMNS, log_evidence

MEANS = 0.1 * np.arange(5)
SMOOTH = np.array([0.0, 0.25, 0.25, 0.25, 0.25])
ENDS = (1, 4)


def evidence(values, width, smoothness, anchored=False):
    values = np.sort(values)
    ones = np.ones(len(values))
    data = cross_sections(values, ones, np.zeros(len(values)), anchored)
    variances = np.full(5, width**2)
    return log_evidence(
        data, MEANS, variances, SMOOTH, ENDS, anchored, 0.0, np.array([float(smoothness)])
    )


@pytest.mark.parametrize("held", [(20, 20, 20, 20), (40, 0, 40, 0), (77, 1, 1, 1)])
def test_teeth_far_apart_give_the_dirichlet_multinomial(held):
    width = 0.004
    rng = default_rng(2)
    counts = np.repeat([1, 2, 3, 4], held)
    values = MEANS[counts] + width * rng.standard_normal(80)
    pseudo = 8.0 * SMOOTH[1:] + LEAST_COLUMNS
    normals = -0.5 * ((values - MEANS[counts]) / width) ** 2 - np.log(width * np.sqrt(2 * np.pi))
    total = pseudo.sum()
    exact = gammaln(total) - gammaln(total + 80) + np.sum(gammaln(pseudo + held) - gammaln(pseudo))
    assert evidence(values, width, 8.0) == pytest.approx(normals.sum() + exact, abs=0.3)


def test_teeth_that_overlap_give_the_mean_over_frequencies():
    width, rng = 0.06, default_rng(3)
    values = MEANS[rng.integers(1, 5, 40)] + width * rng.standard_normal(40)
    pseudo = 30.0 * SMOOTH[1:] + LEAST_COLUMNS
    frequencies = rng.dirichlet(pseudo, 20000)
    normals = np.exp(-0.5 * ((values[:, None] - MEANS[1:]) / width) ** 2)
    normals /= width * np.sqrt(2 * np.pi)
    each = np.log(frequencies @ normals.T).sum(axis=1)
    exact = logsumexp(each) - np.log(len(each))
    assert evidence(values, width, 30.0) == pytest.approx(exact, abs=0.3)


def test_much_smoothness_is_the_smooth_mixture():
    width, rng = 0.03, default_rng(4)
    values = MEANS[rng.integers(1, 5, 60)] + width * rng.standard_normal(60)
    normals = np.exp(-0.5 * ((values[:, None] - MEANS[1:]) / width) ** 2)
    normals /= width * np.sqrt(2 * np.pi)
    mixture = np.log(normals @ SMOOTH[1:]).sum()
    assert evidence(values, width, 1e7) == pytest.approx(mixture, abs=0.05)


def test_a_first_tooth_without_columns_does_not_anchor():
    width, rng = 0.004, default_rng(5)
    values = MEANS[rng.integers(2, 5, 60)] + width * rng.standard_normal(60)
    assert evidence(values, width, 8.0, anchored=True) < evidence(values, width, 8.0) - 20
