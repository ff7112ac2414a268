"""What a fit is given, what it returns, and its linear system at a point."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from crewe.atoms.equations import ColumnModel, assemble, neighbour_pairs, sharing
from crewe.atoms.noise import NoiseModel
from crewe.atoms.stamps import Array, Index, Mask


@dataclass(frozen=True)
class Problem:
    """Data and rules of a fit.

    `noise` gives the noise model from (residual, expected image); `kinds` (N,) the columns that
    share a width, None for one width each; `free` names what is fitted, out of height, x, y and
    width; `uniform` gives every pixel the same weight, whatever its noise.
    """

    data: Array
    noise: Callable[[Array, Array], NoiseModel]
    kinds: Index | None
    free: str = "hxyw"
    uniform: bool = False
    iterations: int = 40

    @property
    def own(self) -> int:
        """How many parameters belong to one column alone."""
        return len(self.free if self.kinds is None else self.free.replace("w", ""))

    def weight(self, noise: NoiseModel, expected: Array) -> Array:
        """Weight of each pixel: the inverse of its variance, or the same for all."""
        variance = noise.variance(expected)
        return np.full_like(variance, 1 / np.mean(variance)) if self.uniform else 1 / variance

    def share(self, model: ColumnModel) -> sparse.csr_array:
        """Matrix from the free parameters to all."""
        return sharing(len(model.columns), len(model.knots), self.free, self.kinds)

    def information(self, model: ColumnModel, weight: Array) -> sparse.csr_array:
        """SᵀJᵀWJS of the free parameters, with a trace of a ridge against coinciding columns."""
        share = self.share(model)
        equations = assemble(model, weight, neighbour_pairs(model))
        matrix = (share.T @ equations @ share).tocsr()
        ridge = 1e-9 * matrix.diagonal()
        return (matrix + sparse.diags_array(ridge + 1e-6 * np.median(ridge))).tocsr()


@dataclass(frozen=True)
class Solution:
    """Where the scoring ended: model, noise, covariance (N, 4, 4) of height, x, y, width."""

    model: ColumnModel
    noise: NoiseModel
    covariance: Array
    converged: Mask
    iterations: int
