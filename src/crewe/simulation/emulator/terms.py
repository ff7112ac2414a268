"""Which products of features a polynomial holds, and in which order.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2, Eqs. (7)
and (8).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CalibrationError

Index = NDArray[np.int64]
CONSTANT = -1


@dataclass(frozen=True)
class Terms:
    """All monomials of `features` variables up to `degree`, or only the powers of each.

    The order is the constant, then degree by degree; within a degree by the features that are
    multiplied, x0·x0 before x0·x1 before x1·x1. With `interactions` that are all products (the sum
    over r and g_k of Eq. 7), without it x_r^k alone. The monomials form a tree: each is its parent,
    a monomial of one degree less, times one more feature, none smaller than those before. So the
    children of a monomial follow one another, and so do the features which they add.

    Raises CalibrationError when features or degree are not whole numbers above 0.
    """

    features: int
    degree: int
    interactions: bool

    def __post_init__(self) -> None:
        for name in ("features", "degree"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise CalibrationError(f"a polynomial needs {name} of 1 or more, got {value!r}")

    @property
    def count(self) -> int:
        """Number of terms, the constant included."""
        if self.interactions:
            return math.comb(self.features + self.degree, self.degree)
        return 1 + self.features * self.degree

    @cached_property
    def factors(self) -> Index:
        """Feature (term,) that each monomial adds to its parent; CONSTANT for the constant."""
        return self._tree[1]

    @cached_property
    def parents(self) -> Index:
        """Monomial (term,) that each extends by its factor; CONSTANT for the constant."""
        return self._tree[0]

    @cached_property
    def degrees(self) -> Index:
        """Degree (term,) of each monomial."""
        result: Index = self.exponents.sum(axis=1)
        return result

    @cached_property
    def exponents(self) -> Index:
        """Power (term, feature) of each feature in each monomial."""
        result = np.zeros((self.count, self.features), dtype=np.int64)
        for term in range(1, self.count):
            result[term] = result[self.parents[term]]
            result[term, self.factors[term]] += 1
        return result

    @cached_property
    def first_children(self) -> Index:
        """First child (term + 1,) of each monomial; the last is before the next one's first."""
        result: Index = np.searchsorted(self.parents, np.arange(self.count + 1))
        return result

    def names(self, features: tuple[str, ...]) -> tuple[str, ...]:
        """Write each monomial in the names of the features, as `1`, `a` or `a² b`."""
        return tuple(_product(powers, features) for powers in self.exponents)

    @cached_property
    def _tree(self) -> tuple[Index, Index]:
        parents, factors = [CONSTANT], [CONSTANT]
        first = 0
        for degree in range(1, self.degree + 1):
            end = len(parents)
            for parent in range(first, end):
                added = self._extensions(degree, factors[parent])
                parents += [parent] * len(added)
                factors += added
            first = end
        return np.array(parents), np.array(factors)

    def _extensions(self, degree: int, last: int) -> range:
        """Features that may follow `last`, so that each product comes once."""
        if degree == 1:
            return range(self.features)
        return range(last, self.features if self.interactions else last + 1)


def _product(powers: Index, features: tuple[str, ...]) -> str:
    marks = "⁰¹²³⁴⁵⁶⁷⁸⁹"
    written = [
        features[k] + ("" if power == 1 else "".join(marks[int(d)] for d in str(power)))
        for k, power in enumerate(powers)
        if power
    ]
    return " ".join(written) or "1"
