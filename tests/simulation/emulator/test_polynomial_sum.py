import numpy as np
import pytest

from crewe.simulation.emulator.monomials import monomials
from crewe.simulation.emulator.polynomial_sum import (
    ALIGNED_BYTES,
    BLOCK,
    add_polynomial,
    workspace,
)
from crewe.simulation.emulator.terms import Terms


@pytest.mark.parametrize("terms", [Terms(7, 1, True), Terms(10, 3, True), Terms(4, 5, False)])
def test_the_row_after_the_ones_is_the_sum_of_all_terms(terms):
    rng = np.random.default_rng(2)
    work = workspace(terms)
    z = rng.normal(size=(terms.features, BLOCK))
    work[: z.size] = z.ravel()
    coefficients = rng.normal(size=terms.count)
    tree = terms.first_children, terms.factors
    path = np.zeros((2, terms.degree + 1), dtype=np.int64)
    add_polynomial(work, terms.features, coefficients, tree, terms.degree, path)
    found = work[(terms.features + 1) * BLOCK :][:BLOCK]
    assert np.allclose(found, coefficients @ monomials(z, terms), rtol=1e-12, atol=1e-12)
    assert np.array_equal(work[: z.size], z.ravel())
    assert (work[z.size : z.size + BLOCK] == 1).all()


def test_the_workspace_is_aligned():
    for features in range(1, 9):
        work = workspace(Terms(features, 2, True))
        assert work.ctypes.data % ALIGNED_BYTES == 0
        assert len(work) == (features + 3) * BLOCK
