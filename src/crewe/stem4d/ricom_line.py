"""The compiled loops under riCOM: what scan lines add to the lines around them."""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Images(NamedTuple):
    """What has been integrated: vectors and weights (2, …), and the images made of them."""

    vectors: Array
    weights: Array
    image: Array
    weight_images: Array


@njit(cache=True, nogil=True)
def _folded(line: Array, sign: float, out: Array) -> None:
    """Sum line[p − e] + sign·line[p + e] for each distance e; nothing lies beyond the ends."""
    columns = line.size
    out[:] = 0.0
    out[0] = line
    for distance in range(1, min(out.shape[0], columns)):
        row = out[distance]
        for p in range(distance, columns):
            row[p] = line[p - distance]
        for p in range(columns - distance):
            row[p] += sign * line[p + distance]


@njit(cache=True, nogil=True)
def _weighted(one: Array, two: Array, rows: Array, out_one: Array, out_two: Array) -> None:
    """Sums of rows times either weights; two and four at a time, so that little is loaded twice."""
    columns = out_one.size
    out_one[:] = 0.0
    out_two[:] = 0.0
    n = 0
    while n + 4 <= one.size:
        a, b, c, d = one[n], one[n + 1], one[n + 2], one[n + 3]
        e, f, g, h = two[n], two[n + 1], two[n + 2], two[n + 3]
        for p in range(columns):
            v, w, x, y = rows[n, p], rows[n + 1, p], rows[n + 2, p], rows[n + 3, p]
            out_one[p] += a * v + b * w + c * x + d * y
            out_two[p] += e * v + f * w + g * x + h * y
        n += 4
    while n < one.size:
        for p in range(columns):
            out_one[p] += one[n] * rows[n, p]
            out_two[p] += two[n] * rows[n, p]
        n += 1


@njit(cache=True, nogil=True)
def line_products(along_y: Array, along_x: Array, kernel: Array) -> Array:
    """Convolve a line (columns) of each component with each row of a kernel's quarter.

    `kernel` (2, h + 1, h + 1) holds K_y, odd in rows and even in columns, and K_x, the reverse, for
    distances ≥ 0. Returns (2, h + 1, columns): what the line adds to the line d below it is
    [1, d] + [0, d], and to the one d above it [1, d] − [0, d].
    """
    size = kernel.shape[1]
    folded = np.empty((2, size, along_y.size))
    _folded(along_y, 1.0, folded[0])
    _folded(along_x, -1.0, folded[1])
    products = np.empty((2, size, along_y.size))
    spare = np.empty(along_y.size)
    for part in range(2):
        for one in range(0, size, 2):
            two = min(one + 1, size - 1)
            second = products[part, two] if two > one else spare
            weights = kernel[part]
            _weighted(weights[one], weights[two], folded[part], products[part, one], second)
    return products


@njit(cache=True, nogil=True)
def _add_sum(products: Array, row: int, first: int, image: Array) -> None:
    """Add what a line contributes to an image, from column `first` on; see `line_products`."""
    for distance in range(products.shape[1]):
        odd, even = products[0, distance], products[1, distance]
        if row + distance < image.shape[0]:
            below = image[row + distance]
            for p in range(odd.size):
                below[first + p] += even[p] + odd[p]
        if distance and row - distance >= 0:
            above = image[row - distance]
            for p in range(odd.size):
                above[first + p] += even[p] - odd[p]


@njit(cache=True, nogil=True)
def _add_apart(products: Array, scale: float, row: int, first: int, images: Array) -> None:
    """Add scale times both products to an image (2, rows, columns) of their own each."""
    for distance in range(products.shape[1]):
        odd, even = products[0, distance], products[1, distance]
        if row + distance < images.shape[1]:
            below = images[:, row + distance]
            for p in range(odd.size):
                below[0, first + p] += scale * odd[p]
                below[1, first + p] += scale * even[p]
        if distance and row - distance >= 0:
            above = images[:, row - distance]
            for p in range(odd.size):
                above[0, first + p] -= scale * odd[p]
                above[1, first + p] += scale * even[p]


@njit(cache=True, nogil=True)
def _span(line: Array, reach: int) -> tuple[int, int]:
    """First column within reach of what is not zero, and the one after the last; 0, 0: none."""
    first, last = line.size, -1
    for p in range(line.size):
        if line[p] != 0:
            first, last = min(first, p), p
    if last < 0:
        return 0, 0
    return max(0, first - reach), min(line.size, last + reach + 1)


@njit(cache=True, nogil=True)
def take_line(
    done: Images, row: int, vectors: Array, weights: Array, kernel: Array, full_line: Array
) -> None:
    """Bring images up to date with the vectors (2, columns) and weights that a line holds now.

    `kernel` as for `line_products`, `full_line` the products of a line of ones.
    """
    reach = kernel.shape[1] - 1
    change_y, change_x = vectors[0] - done.vectors[0, row], vectors[1] - done.vectors[1, row]
    first, last = _span(np.abs(change_y) + np.abs(change_x), reach)
    if last:
        products = line_products(change_y[first:last], change_x[first:last], kernel)
        _add_sum(products, row, first, done.image)
    change = weights - done.weights[row]
    first, last = _span(change, reach)
    if last and np.all(change == change[0]):
        _add_apart(full_line, change[0], row, 0, done.weight_images)
    elif last:
        products = line_products(change[first:last], change[first:last], kernel)
        _add_apart(products, 1.0, row, first, done.weight_images)
    done.vectors[:, row] = vectors
    done.weights[row] = weights
