"""The image of one atom of each element as a radial function, drawn at random but ordered with Z.

I. Lobato, T. Friedrich and S. Van Aert, npj Comput. Mater. 10 (2024) 10,
doi:10.1038/s41524-023-01188-0, Eqs. (17)-(22).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.errors import CreweError
from crewe.physics.scattering import transformed_radii
from crewe.simulation.radial_transform import (
    HIGHEST_ORDER,
    LOWEST_ORDER,
    butterworth_integral,
    butterworth_transform,
    exponential_transform,
    gaussian_transform,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RadialModel:
    """Radial functions of the elements of one specimen, Eq. (17).

    f_Z(r) = h1·exp(−r²/2r_m²) + h2·exp(−r/r_m) + h3/(1 + (r/r_m)²ⁿ), all arrays (element,):
    `elements` rising atomic numbers, `heights` (3, element) h1, h2, h3, `orders` n, `radii` r_m in
    Å, and the `alpha` of Eq. (18) that the radii were drawn with. Raises CreweError for arrays of
    other shapes or values that are not positive.
    """

    elements: NDArray[np.uint8]
    heights: Array
    orders: Array
    radii: Array
    alpha: float = 1.0

    def __post_init__(self) -> None:
        count = len(self.elements)
        if self.heights.shape != (3, count) or {len(self.orders), len(self.radii)} != {count}:
            raise CreweError(f"{count} elements need 3 heights, one order and one radius each")
        if np.any(np.diff(self.elements.astype(int)) <= 0):
            raise CreweError(f"elements must rise, got {self.elements.tolist()}")
        if not (np.all(self.heights > 0) and np.all(self.radii > 0)):
            raise CreweError("heights and radii of a radial model must be positive")

    def only(self, kept: Any) -> RadialModel:
        """The model of some of the elements, by their places in `elements` or a mask."""
        part = (self.elements[kept], self.heights[:, kept], self.orders[kept], self.radii[kept])
        return RadialModel(*part, self.alpha)

    def profile(self, r: Any) -> Array:
        """f_Z at distances `r` in Å, as (element, …) with the shape of `r`."""
        distance = np.asarray(r, dtype=np.float64)[None]
        column = (slice(None), *([None] * (distance.ndim - 1)))
        x = distance / self.radii[column]
        h1, h2, h3 = (height[column] for height in self.heights)
        # Beyond a few radii x²ⁿ overflows to infinity, which is the right limit.
        with np.errstate(over="ignore"):
            butterworth = 1 / (1 + x ** (2 * self.orders[column]))
        result: Array = h1 * np.exp(-(x**2) / 2) + h2 * np.exp(-x) + h3 * butterworth
        return result

    def transform(self, k: Any) -> Array:
        """Two-dimensional transform of each f_Z at `k` in 1/Å (k,), as (element, k) in Å²."""
        q = self.radii[:, None] * np.asarray(k, dtype=np.float64)[None]
        h1, h2, h3 = self.heights[:, :, None]
        rows = zip(q, self.orders, strict=True)
        butterworth = np.stack([butterworth_transform(row, order) for row, order in rows])
        smooth = h1 * gaussian_transform(q) + h2 * exponential_transform(q)
        result: Array = self.radii[:, None] ** 2 * (smooth + h3 * butterworth)
        return result

    def integrals(self) -> Array:
        """∫ f_Z d²r of each element in Å²."""
        return _integrals(self.heights, self.orders, self.radii)


def draw_radial_model(
    elements: Any,
    rng: Generator,
    *,
    size_factor: tuple[float, float] = (0.4, 0.9),
    alpha: tuple[float, float] = (0.75, 1.25),
    order: tuple[float, float] = (4.0, 16.0),
    height: tuple[float, float] = (0.5, 1.0),
) -> RadialModel:
    """Draw the radial functions of some elements (atomic numbers, any order, repeats allowed).

    Every range is (lowest, highest) of a uniform draw; α and the size are drawn once, order and
    heights for each element. Three choices where the paper is silent:

    - r_m is only said to be proportional to the radius of Eq. (18); the factor is `size_factor`.
      f falls to half its top near r_m, so that a column is as wide as a Gaussian of σ = 0.85 r_m:
      with the default 0.3…0.7 Å for the average element and just over 1 Å for the alkali metals.
    - We read Eq. (22) as the integral over the plane, for its reason is the intensity that an atom
      scatters; the radii already decide much of it.
    - Radii do not rise with Z (sodium is larger than xenon), so that no heights in the paper's
      range may satisfy Eq. (22). Heights are drawn freely; then the integrals that resulted are
      handed out in the order of Z, each element's three heights being scaled together.

    Raises CreweError for elements other than 1…103 or a range that is not 0 < lowest ≤ highest.
    """
    _check_ranges(size_factor=size_factor, alpha=alpha, order=order, height=height)
    numbers = np.unique(np.asarray(elements, dtype=np.int64))
    drawn_alpha = float(rng.uniform(*alpha))
    radii = rng.uniform(*size_factor) * transformed_radii(numbers, drawn_alpha)
    orders = rng.uniform(*order, len(numbers))
    heights = rng.uniform(*height, (3, len(numbers)))
    integrals = _integrals(heights, orders, radii)
    heights = heights * np.sort(integrals) / integrals
    return RadialModel(numbers.astype(np.uint8), heights, orders, radii, drawn_alpha)


def _integrals(heights: Array, orders: Array, radii: Array) -> Array:
    h1, h2, h3 = heights
    result: Array = radii**2 * (2 * np.pi * (h1 + h2) + h3 * butterworth_integral(orders))
    return result


def _check_ranges(**ranges: tuple[float, float]) -> None:
    for name, (lowest, highest) in ranges.items():
        if not 0 < lowest <= highest < np.inf:
            raise CreweError(f"{name} is a range 0 < lowest ≤ highest, got {(lowest, highest)}")
    lowest, highest = ranges["order"]
    if lowest < LOWEST_ORDER or highest > HIGHEST_ORDER:
        raise CreweError(
            f"Butterworth orders are {LOWEST_ORDER:g}…{HIGHEST_ORDER:g}, got {ranges['order']}"
        )
