"""Heights and background of columns whose places and widths are given: one linear solve."""

from scipy import sparse

from crewe.atoms.conjugate import block_preconditioner, conjugate_gradients
from crewe.atoms.equations import ColumnModel, assemble, gradient, neighbour_pairs, sharing
from crewe.atoms.stamps import Array


def solve_heights(model: ColumnModel, image: Array, weight: Array) -> tuple[ColumnModel, Array]:
    """Weighted least-squares heights and knots of a model, and each height's information.

    The information is the diagonal of JᵀWJ, an upper limit to 1/variance.
    """
    count = len(model.columns)
    equations = assemble(model, weight, neighbour_pairs(model))
    share = sharing(count, len(model.knots), "h")
    matrix = (share.T @ equations @ share).tocsr()
    diagonal = matrix.diagonal()
    # Columns drawn on top of one another would make the matrix singular.
    ridge = sparse.diags_array(1e-9 * diagonal + 1e-12 * diagonal.max())
    matrix = (matrix + ridge).tocsr()
    slope = share.T @ gradient(model, weight * (image - model.image()))
    step = conjugate_gradients(matrix, slope, block_preconditioner(matrix, 1, count), 1e-5)
    return model.moved(share @ step), diagonal[:count]
