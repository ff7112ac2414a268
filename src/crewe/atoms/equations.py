"""Normal equations of the joint fit: sparse, for any number of columns.

The full parameter vector is (height, x, y, width) of column 0, of column 1, … and then the
background knots. A sparse matrix S says which of them are free and which are shared (one width
for all columns of a type): θ_full = S·θ, so the equations of every variant are SᵀAS·δ = Sᵀb.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

from crewe.atoms.background import (
    Mesh,
    background_overlaps,
    cross_overlaps,
    draw_background,
    project_background,
)
from crewe.atoms.peaks import CUTOFF_WIDTHS, PEAK_CODES
from crewe.atoms.stamps import Array, Grid, Index, draw, overlaps, project

HEIGHT, X, Y, WIDTH = range(4)


@dataclass(frozen=True)
class ColumnModel:
    """Background plus overlapping peaks, all lengths in the unit of the grid's steps.

    `columns` is (N, 4): height, x, y, width; sorted by y. `knots` are the background's values.
    """

    grid: Grid
    peak: str
    columns: Array
    mesh: Mesh
    knots: Array

    @property
    def geometry(self) -> tuple[Array, Array, Array, Array, int]:
        """What the compiled loops take: x, y, width, radius, shape."""
        _, x, y, width = np.ascontiguousarray(self.columns.T)
        return x, y, width, CUTOFF_WIDTHS[self.peak] * width, PEAK_CODES[self.peak]

    def background(self) -> Array:
        """Image of the background alone."""
        return draw_background(self.grid, self.mesh, self.knots)

    def image(self) -> Array:
        """The expected image: equation 2.19 of Friedrich (2023), or its Lorentzian twin."""
        terms = np.zeros((len(self.columns), 7))
        terms[:, 0] = self.columns[:, HEIGHT]
        return draw(self.grid, *self.geometry, terms) + self.background()

    def blur(self, covariance: Array) -> Array:
        """Mean change of the image when every column scatters by its covariance (N, 4, 4).

        Half the trace of covariance times second derivative, the curvature term of Box (1971),
        doi:10.1111/j.2517-6161.1971.tb00871.x.
        """
        h, width = self.columns[:, HEIGHT], self.columns[:, WIDTH]
        c = covariance
        terms = np.zeros((len(h), 7))
        terms[:, 1], terms[:, 2] = c[:, HEIGHT, X], c[:, HEIGHT, Y]
        terms[:, 3] = c[:, HEIGHT, WIDTH] / width
        terms[:, 4], terms[:, 5] = 0.5 * h * c[:, X, X], 0.5 * h * c[:, Y, Y]
        terms[:, 6] = h * c[:, X, Y]
        return draw(self.grid, *self.geometry, terms)

    def moved(self, step: Array) -> "ColumnModel":
        """The model after a step of the full parameter vector."""
        n = self.columns.size
        return ColumnModel(
            self.grid,
            self.peak,
            self.columns + step[:n].reshape(-1, 4),
            self.mesh,
            self.knots + step[n:],
        )

    def scales(self) -> Array:
        """Factors from (g, s·dx, s·dy, s·r²) to the derivatives by height, x, y, width, (N, 4)."""
        h, width = self.columns[:, HEIGHT], self.columns[:, WIDTH]
        return np.stack([np.ones_like(h), h, h, h / width], axis=1)


def neighbour_pairs(model: ColumnModel) -> tuple[Index, Index]:
    """Pairs of columns whose peaks overlap: first every column with itself, then left < right."""
    x, y, _, radius, _ = model.geometry
    # All that overlap: leaving out even the faintest can make the equations indefinite.
    tree = cKDTree(np.stack([x, y], axis=1))
    pairs = tree.query_pairs(2 * radius.max(), output_type="ndarray")
    pairs = np.sort(pairs, axis=1)
    own = np.arange(len(x))
    return np.concatenate([own, pairs[:, 0]]), np.concatenate([own, pairs[:, 1]])


def assemble(model: ColumnModel, weight: Array, pairs: tuple[Index, Index]) -> sparse.csr_array:
    """JᵀWJ of the full parameters, for pixel weights `weight`."""
    left, right = pairs
    scales = model.scales()
    blocks = overlaps(weight, model.grid, *model.geometry, left, right)
    blocks = blocks * scales[left][:, :, None] * scales[right][:, None, :]
    count, knots = len(scales), len(model.knots)
    other = left != right
    block_rows = np.concatenate([left, right[other]])
    order = np.argsort(block_rows, kind="stable")
    data = np.concatenate([blocks, blocks[other].transpose(0, 2, 1)])[order]
    pointers = np.searchsorted(block_rows[order], np.arange(count + 1))
    indices = np.concatenate([right, left[other]])[order]
    columns = sparse.bsr_array((data, indices, pointers), shape=(4 * count, 4 * count)).tocsr()
    values, knot = cross_overlaps(weight, model.grid, *model.geometry, model.mesh)
    values = values * scales[:, :, None]
    rows = np.broadcast_to(np.arange(4 * count).reshape(count, 4, 1), values.shape)
    knot = np.broadcast_to(knot[:, None, :], values.shape)
    cross = sparse.csr_array((values.ravel(), (rows.ravel(), knot.ravel())), (4 * count, knots))
    corner = background_overlaps(weight, model.mesh)
    return sparse.block_array([[columns, cross], [cross.T, corner]], format="csr")


def gradient(model: ColumnModel, weighted_residual: Array) -> Array:
    """JᵀWr of the full parameters."""
    columns = project(weighted_residual, model.grid, *model.geometry) * model.scales()
    return np.concatenate([columns.ravel(), project_background(weighted_residual, model.mesh)])


def sharing(count: int, knots: int, free: str, kinds: Index | None = None) -> sparse.csr_array:
    """Matrix S from free to full parameters.

    `free` is a subset of "hxyw"; with `kinds` (N,) the widths of a kind move as one.
    """
    own = [
        k
        for k, name in enumerate("hxyw")
        if name in free and not (k == WIDTH and kinds is not None)
    ]
    rows = (4 * np.arange(count)[:, None] + np.array(own)).ravel()
    columns = np.arange(len(rows))
    size = len(rows)
    knot_columns = size + np.arange(knots)
    rows = np.concatenate([rows, 4 * count + np.arange(knots)])
    columns = np.concatenate([columns, knot_columns])
    size += knots
    if "w" in free and kinds is not None:
        rows = np.concatenate([rows, 4 * np.arange(count) + WIDTH])
        columns = np.concatenate([columns, size + kinds])
        size += int(kinds.max()) + 1
    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(4 * count + knots, size))
