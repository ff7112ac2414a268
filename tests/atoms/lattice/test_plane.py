import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crewe.atoms.lattice.plane import completed, integer_basis, reduced, usual_shape

SMALL = st.integers(-9, 9)


@given(st.tuples(SMALL, SMALL, SMALL))
def test_completed_bases_hold_every_lattice_point_once(direction):
    assume(math.gcd(*direction) == 1)
    basis = completed(np.array(direction))
    assert tuple(basis[0]) == direction
    assert abs(round(np.linalg.det(basis))) == 1


@given(st.lists(st.tuples(SMALL, SMALL), min_size=2, max_size=5))
def test_the_basis_spans_what_the_rows_span(rows):
    rows = np.array(rows)
    assume(np.linalg.matrix_rank(rows) == 2)
    basis = integer_basis(rows)
    parts = rows @ np.linalg.inv(basis)
    assert np.allclose(parts, np.round(parts), atol=1e-6)
    pairs = [rows[[i, j]] for i in range(len(rows)) for j in range(i)]
    minors = [abs(round(np.linalg.det(pair))) for pair in pairs]
    assert abs(round(np.linalg.det(basis))) == math.gcd(*minors)


def test_rows_along_a_line_have_no_basis():
    with pytest.raises(ValueError, match="fewer dimensions"):
        integer_basis(np.array([[1, 2], [2, 4]]))


@settings(deadline=None)
@given(*[st.integers(-500, 500)] * 4)
def test_reduced_vectors_are_the_shortest(p, q, r, s):
    vectors = np.array([[p, q], [r, s]]) / 100
    assume(abs(np.linalg.det(vectors)) > 0.5)
    short = reduced(vectors) @ vectors
    steps = np.array([[i, j] for i in range(-6, 7) for j in range(-6, 7) if i or j])
    lengths = np.linalg.norm(steps @ short, axis=1)
    assert np.linalg.norm(short[0]) == pytest.approx(lengths.min())
    assert abs(np.linalg.det(short)) == pytest.approx(abs(np.linalg.det(vectors)))


@pytest.mark.parametrize(
    ("vectors", "cells", "angle"),
    [
        ([[3, 0], [9, 4]], 1, 90),  # rectangular, given askew
        ([[2, 1.3], [2, -1.3]], 2, 90),  # a rhombus
        ([[2, 0], [1, 3]], 2, 90),  # centred rectangular, its short edge primitive
        ([[1, 1], [1, -1]], 1, 90),  # a square on its corner
        ([[3, 0], [1.5, 1.5 * 3**0.5]], 1, 120),
        ([[3, 0], [0.7, 4]], 1, None),
    ],
)
def test_cells_take_the_shape_that_one_draws(vectors, cells, angle):
    vectors = np.array(vectors, dtype=float)
    a, b = usual_shape(vectors) @ vectors
    area = abs(np.linalg.det(np.stack([a, b]))) / abs(np.linalg.det(vectors))
    assert area == pytest.approx(cells)
    found = np.rad2deg(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))
    assert 90 - 1e-6 <= found <= 120 + 1e-6
    assert angle is None or found == pytest.approx(angle)
