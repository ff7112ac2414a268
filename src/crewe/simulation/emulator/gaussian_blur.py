"""Gaussian blurs of an image and their derivatives, separable and truncated at 4 σ.

Beyond its border the image is zero.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Image = NDArray[np.float32]
Kernel = NDArray[np.float32]
TRUNCATED_SIGMAS = 4.0
# Columns of a strip in the pass along y: 129 rows of it, a blur of σ 16, stay in the first cache.
STRIP = 128
_1, _2, _3, _4 = (np.uint64(k) for k in range(1, 5))


def radius(sigma_px: float) -> int:
    """Pixels on each side of the centre that a blur reaches."""
    return int(TRUNCATED_SIGMAS * sigma_px + 0.5)


def gaussian_kernel(sigma_px: float, order: int) -> Kernel:
    """Weights (2·radius + 1,) of the Gaussian's derivative of `order` 0, 1 or 2.

    Convolved along an axis, order 0 keeps a constant, order 1 turns a ramp into its slope and order
    2 a parabola into its second derivative, all exactly in spite of the truncation; 1 and 2 turn a
    constant into zero.
    """
    reach = radius(sigma_px)
    x = np.arange(-reach, reach + 1, dtype=np.float64)
    weights = np.exp(-0.5 * (x / sigma_px) ** 2)
    weights /= weights.sum()
    if order == 1:
        weights *= -x
        weights /= -(weights @ x) if reach else 1.0
    elif order == 2:
        weights *= x**2 - weights @ x**2
        weights *= 2 / (weights @ x**2) if reach else 1.0
    return weights.astype(np.float32)


def blurred_along_y(image: Image, kernel: Kernel) -> Image:
    """Convolve each column of an image (y, x) with a kernel of odd length."""
    result = np.zeros_like(image)
    _along_y(result.reshape(-1), image.reshape(-1), image.shape, kernel[::-1].copy())
    return result


def blurred_along_x(image: Image, kernel: Kernel) -> Image:
    """Convolve each row of an image (y, x) with a kernel of odd length."""
    result = np.zeros_like(image)
    _along_x(result.reshape(-1), image.reshape(-1), image.shape, kernel[::-1].copy())
    return result


@njit(cache=True, nogil=True)
def _along_y(result: Image, image: Image, shape: tuple[int, int], weights: Kernel) -> None:
    rows, columns = shape
    reach = len(weights) // 2
    for left in range(0, columns, STRIP):
        width = min(STRIP, columns - left)
        for y in range(rows):
            first, last = max(0, y - reach), min(rows, y + reach + 1)
            _add_products(
                result,
                np.uint64(y * columns + left),
                np.uint64(width),
                image,
                np.uint64(first * columns + left),
                np.uint64(columns),
                weights,
                np.uint64(first - y + reach),
                np.uint64(last - y + reach),
            )


@njit(cache=True, nogil=True)
def _along_x(result: Image, image: Image, shape: tuple[int, int], weights: Kernel) -> None:
    rows, columns = shape
    reach = len(weights) // 2
    padded = np.zeros(columns + 2 * reach, dtype=np.float32)
    for y in range(rows):
        padded[reach : reach + columns] = image[y * columns : (y + 1) * columns]
        _add_products(
            result,
            np.uint64(y * columns),
            np.uint64(columns),
            padded,
            np.uint64(0),
            np.uint64(1),
            weights,
            np.uint64(0),
            np.uint64(len(weights)),
        )


# Flat arrays and unsigned places, which numba need not test for a sign: slices cost more than sums.
@njit(cache=True, nogil=True)
def _add_products(
    total: Image,
    to: np.uint64,
    width: np.uint64,
    source: Image,
    at: np.uint64,
    step: np.uint64,
    weights: Kernel,
    k: np.uint64,
    end: np.uint64,
) -> None:
    """Add weights[k] · source[at], weights[k + 1] · source[at + step], … to a stretch of total."""
    while k + _4 <= end:
        a, b, c, d = weights[k], weights[k + _1], weights[k + _2], weights[k + _3]
        at_b, at_c, at_d = at + step, at + _2 * step, at + _3 * step
        for i in range(width):
            total[to + i] += (a * source[at + i] + b * source[at_b + i]) + (
                c * source[at_c + i] + d * source[at_d + i]
            )
        k += _4
        at += _4 * step
    while k < end:
        a = weights[k]
        for i in range(width):
            total[to + i] += a * source[at + i]
        k += _1
        at += step
