import numpy as np
import pytest

from crewe.physics.small_matrices import determinant, inverse, length, product


@pytest.fixture
def matrices():
    return np.random.default_rng(1).normal(size=(3, 3, 3))


def test_products_are_those_of_numpy(matrices):
    a, b, c = matrices
    v = np.array([1.0, -2.0, 0.5])
    assert np.allclose(product(a, b, c), a @ b @ c)
    assert np.allclose(product(v, a), v @ a)
    assert np.allclose(product(a, v), a @ v)
    assert np.allclose(product(v, a, b, v), v @ a @ b @ v)
    many = np.random.default_rng(2).normal(size=(1000, 3))
    assert np.allclose(product(many, a), many @ a)


def test_inverse_and_determinant_are_those_of_numpy(matrices):
    for matrix in matrices:
        assert determinant(matrix) == pytest.approx(np.linalg.det(matrix))
        assert np.allclose(inverse(matrix), np.linalg.inv(matrix))


def test_length():
    assert length((3, 4, 12)) == 13
