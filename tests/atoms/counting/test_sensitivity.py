import numpy as np
import pytest
from scipy.stats import norm

from crewe.atoms.counting.sensitivity import confusion, single_atom_sensitivity


def ladder(count, width, gain=0.0):
    parts = np.full(count, 1 / count)
    return np.concatenate([parts, np.arange(1.0, count + 1), [width**2, gain]])


@pytest.mark.parametrize("width", [0.2, 0.3, 0.5])
def test_equal_neighbours_share_at_half_a_step(width):
    table = confusion(ladder(7, width))
    over = norm.sf(0.5 / width) - norm.sf(1.5 / width)
    assert table[3, 4] == pytest.approx(over, abs=2e-3)
    assert table[3, 3] == pytest.approx(1 - 2 * norm.sf(0.5 / width), abs=4e-3)
    assert np.allclose(table.sum(axis=1), 1.0)


def test_sensitivity_is_the_error_rate_of_columns():
    theta = ladder(10, 0.2, 0.01)
    rng = np.random.default_rng(1)
    counts = rng.integers(1, 11, 100_000)
    values = counts + np.sqrt(0.04 + 0.01 * counts) * rng.normal(size=len(counts))
    from crewe.atoms.counting.criteria import mixture_posterior

    off = np.abs(mixture_posterior(values, theta).argmax(axis=1) + 1 - counts)
    told = single_atom_sensitivity(theta)
    assert told["right"] == pytest.approx((off == 0).mean(), abs=0.004)
    assert told["off_by"][0] == pytest.approx((off == 1).mean(), abs=0.004)
    assert told["off_by"][1] == pytest.approx((off == 2).mean(), abs=0.001)
    assert told["right_by_component"][1] > told["right_by_component"][8]
