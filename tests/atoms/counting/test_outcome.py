import numpy as np
import pandas as pd
import pytest

from crewe.atoms.counting.outcome import cross_sections, spread_out, sums_of
from crewe.errors import NoColumnsError, PlanError


def test_unknown_columns_are_marked():
    table = pd.DataFrame({"scs": [1.0] * 25 + [np.nan, np.inf]})
    values, known = cross_sections(table)
    assert len(values) == 27
    assert known.sum() == 25


def test_too_little_is_refused_with_what_was_given():
    with pytest.raises(NoColumnsError, match="3 columns"):
        cross_sections(pd.DataFrame({"scs": [1.0, 2.0, 3.0]}))
    with pytest.raises(PlanError, match="it has height"):
        cross_sections(pd.DataFrame({"height": [1.0]}))


def test_the_posterior_is_moved_by_the_offset():
    posterior = np.array([[0.2, 0.8], [1.0, 0.0]])
    whole = spread_out(posterior, np.array([True, False, True]), offset=2)
    assert np.array_equal(whole[0], [0, 0, 0.2, 0.8])
    assert np.isnan(whole[1]).all()


def test_sums_are_moments_of_the_posterior():
    posterior = np.array([[0.0, 0.5, 0.5], [0.0, 0.0, 1.0], [0.4, 0.3, 0.3], [np.nan] * 3])
    sums = sums_of(posterior)
    assert sums["atoms_total"] == pytest.approx(1.5 + 2.0 + 0.9)
    assert sums["atoms_total_std"] == pytest.approx(np.sqrt(0.25 + 0.0 + (0.3 + 1.2 - 0.81)))
    assert (sums["n_counted"], sums["n_undecided"], sums["n_left_out"]) == (2, 1, 1)
    assert sums["mean_probability"] == pytest.approx((0.5 + 1.0 + 0.4) / 3)
