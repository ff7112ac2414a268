from dataclasses import replace

import numpy as np
import pytest
from test_splitting import field

from crewe.chemistry.estimate import Settings, estimate
from crewe.errors import ImageError

USUAL = Settings("composition", 4.0, 1.7, 0.0)


def error(amounts, truth):
    return np.linalg.norm(amounts - truth) / np.linalg.norm(truth)


def test_haadf_brings_texture_that_spectra_alone_do_not():
    truth, measured = field()
    with_haadf = estimate(measured, USUAL)
    without = estimate(measured, replace(USUAL, prior="spectra"))
    assert error(with_haadf.amounts, truth) < 0.5 * error(without.amounts, truth)
    assert error(without.amounts, truth) < error(measured.counts, truth)


def test_eq_1_as_printed_lowers_its_own_cost():
    truth, measured = field()
    found = estimate(measured, replace(USUAL, prior="amounts", strength=1.0), iterations=40)
    total = found.history["total"].to_numpy()
    assert (np.diff(total) <= 0).all()
    assert total[-1] < total[0]
    assert error(found.amounts, truth) < error(measured.counts, truth)


def test_columns_need_columns():
    _, measured = field()
    with pytest.raises(ImageError, match="no columns"):
        estimate(measured, replace(USUAL, prior="columns"))


@pytest.mark.parametrize("prior", ["composition", "spectra"])
def test_sums_are_those_of_the_counts(prior):
    _, measured = field()
    found = estimate(measured, replace(USUAL, prior=prior))
    np.testing.assert_allclose(found.amounts.sum((1, 2)), measured.counts.sum((1, 2)), rtol=0.01)
