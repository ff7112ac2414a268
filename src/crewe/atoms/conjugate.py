"""Preconditioned conjugate gradients for the normal equations."""

import numpy as np
from scipy import sparse

from crewe.atoms.stamps import Array


def block_preconditioner(matrix: sparse.csr_array, block: int, count: int) -> sparse.csr_array:
    """Inverse of the `count` leading diagonal blocks of size `block` and of the rest's diagonal."""
    rest = matrix.diagonal()[block * count :]
    tail = sparse.diags_array(1 / np.maximum(rest, 1e-300))
    if not block:
        return tail.tocsr()
    offsets = np.arange(block)
    rows = block * np.arange(count)[:, None, None] + offsets[None, :, None]
    columns = block * np.arange(count)[:, None, None] + offsets[None, None, :]
    rows, columns = np.broadcast_arrays(rows, columns)
    blocks = np.asarray(matrix[rows.ravel(), columns.ravel()]).reshape(count, block, block)
    head = sparse.bsr_array(
        (np.linalg.inv(blocks), np.arange(count), np.arange(count + 1)),
        shape=(block * count, block * count),
    )
    return sparse.block_array([[head, None], [None, tail]], format="csr")


def conjugate_gradients(
    matrix: sparse.csr_array,
    right: Array,
    preconditioner: sparse.csr_array,
    tolerance: float = 1e-4,
    iterations: int = 400,
) -> Array:
    """Solve A·x = b for one or several right-hand sides (n, k); A symmetric positive definite."""
    b = right.reshape(len(right), -1)
    x = np.zeros_like(b)
    r = b.copy()
    z = preconditioner @ r
    p = z.copy()
    rz = np.sum(r * z, axis=0)
    goal = tolerance**2 * rz
    for _ in range(iterations):
        if np.all(rz <= goal):
            break
        q = matrix @ p
        step = rz / np.maximum(np.sum(p * q, axis=0), 1e-300)
        x += step * p
        r -= step * q
        z = preconditioner @ r
        new = np.sum(r * z, axis=0)
        p = z + new / np.maximum(rz, 1e-300) * p
        rz = new
    return x.reshape(right.shape)
