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
STRIP = 64


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
    _along_y(result, image, kernel[::-1].copy())
    return result


def blurred_along_x(image: Image, kernel: Kernel) -> Image:
    """Convolve each row of an image (y, x) with a kernel of odd length."""
    result = np.zeros_like(image)
    _along_x(result, image, kernel[::-1].copy())
    return result


@njit(cache=True, nogil=True)
def _along_y(result: Image, image: Image, weights: Kernel) -> None:
    rows, columns = image.shape
    reach = len(weights) // 2
    for left in range(0, columns, STRIP):
        right = min(left + STRIP, columns)
        for y in range(rows):
            first, last = max(0, y - reach), min(rows, y + reach + 1)
            _add_rows(result[y, left:right], image[:, left:right], first, last, weights, reach - y)


@njit(cache=True, nogil=True)
def _add_rows(
    total: Image, image: Image, first: int, last: int, weights: Kernel, shift: int
) -> None:
    y = first
    while y + 4 <= last:
        a, b, c, d = image[y], image[y + 1], image[y + 2], image[y + 3]
        _add_four(total, a, b, c, d, weights[y + shift : y + shift + 4])
        y += 4
    for rest in range(y, last):
        _add_one(total, image[rest], weights[rest + shift])


@njit(cache=True, nogil=True)
def _along_x(result: Image, image: Image, weights: Kernel) -> None:
    rows, columns = image.shape
    reach = len(weights) // 2
    padded = np.zeros(columns + 2 * reach, dtype=np.float32)
    for y in range(rows):
        padded[reach : reach + columns] = image[y]
        k = 0
        while k + 4 <= len(weights):
            a, b = padded[k : k + columns], padded[k + 1 : k + 1 + columns]
            c, d = padded[k + 2 : k + 2 + columns], padded[k + 3 : k + 3 + columns]
            _add_four(result[y], a, b, c, d, weights[k : k + 4])
            k += 4
        for rest in range(k, len(weights)):
            _add_one(result[y], padded[rest : rest + columns], weights[rest])


@njit(cache=True, nogil=True)
def _add_four(total: Image, a: Image, b: Image, c: Image, d: Image, weights: Kernel) -> None:
    wa, wb, wc, wd = weights[0], weights[1], weights[2], weights[3]
    for x in range(len(total)):
        total[x] += (wa * a[x] + wb * b[x]) + (wc * c[x] + wd * d[x])


@njit(cache=True, nogil=True)
def _add_one(total: Image, a: Image, weight: np.float32) -> None:
    for x in range(len(total)):
        total[x] += weight * a[x]
