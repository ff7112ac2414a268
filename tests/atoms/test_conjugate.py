import numpy as np
from scipy import sparse

from crewe.atoms.conjugate import block_preconditioner, conjugate_gradients


def spd_matrix(size=24, seed=0):
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=(size, size)) * (rng.random((size, size)) < 0.3)
    return sparse.csr_array(factor @ factor.T + 3 * np.eye(size))


def test_solves_one_and_several_right_hand_sides():
    matrix = spd_matrix()
    right = np.random.default_rng(1).normal(size=(24, 3))
    preconditioner = block_preconditioner(matrix, 3, 7)
    exact = np.linalg.solve(matrix.toarray(), right)
    assert np.allclose(conjugate_gradients(matrix, right, preconditioner, 1e-10), exact, atol=1e-7)
    one = conjugate_gradients(matrix, right[:, 0], preconditioner, 1e-10)
    assert np.allclose(one, exact[:, 0], atol=1e-7)


def test_a_block_diagonal_matrix_is_solved_in_one_iteration():
    blocks = [spd_matrix(3, seed).toarray() for seed in range(4)]
    matrix = sparse.csr_array(sparse.block_diag([*blocks, np.diag([2.0, 5.0])]))
    right = np.arange(14.0)
    answer = conjugate_gradients(matrix, right, block_preconditioner(matrix, 3, 4), iterations=1)
    assert np.allclose(matrix @ answer, right)


def test_a_zero_right_hand_side_gives_zero():
    matrix = spd_matrix()
    answer = conjugate_gradients(matrix, np.zeros(24), block_preconditioner(matrix, 3, 8))
    assert not answer.any()
