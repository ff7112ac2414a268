"""The elastic images that element maps predict: A of eq. 1, its adjoint and its derivatives.

Schwartz et al. 2022, doi:10.1038/s41524-021-00692-5: HAADF ≈ A xᵞ, a sum over the elements with
weights from the atomic number Z. Further elastic signals (ABF, …) are more rows of A. The paper
writes (Z x)ᵞ: that is the weighting "power" up to a common factor.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.chemistry.bands import Bands, processors
from crewe.chemistry.elastic_loops import curvatures, misfits, predictions, slopes
from crewe.errors import ImageError, PlanError

Array = NDArray[Any]

WEIGHTINGS = ("ones", "number", "power", "number_share", "power_share")


@dataclass(frozen=True)
class ElasticRow:
    """One more elastic signal: its weight of each element, and its γ where that is another."""

    weights: tuple[float, ...]
    gamma: float | None = None


@dataclass(frozen=True)
class ElasticModel:
    """Elastic signals as sums of powers of the amounts: row r is Σₑ w[r, e] xₑ^γ[r].

    `elements` are symbols. `weighting` gives the first row: "ones" 1, "number" Z/mean(Z), "power"
    Zᵞ/mean(Zᵞ), "number_share" Z/Σ Z, "power_share" Zᵞ/Σ Zᵞ, or the weights themselves, one for
    each element. Amounts x (n, y, x) are 0 or more; signals (rows, y, x). x, signal and result
    are float32 where x is, and float64 otherwise.

    Raises PlanError for what is no element, no weighting, or a γ that is not 1 or more.
    """

    elements: tuple[str, ...]
    gamma: float = 1.7
    weighting: str | tuple[float, ...] = "number"
    further_rows: tuple[ElasticRow, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be weighed, at once rather than at first use."""
        if not np.all(self.gammas >= 1) or not np.all(np.isfinite(self.gammas)):
            raise PlanError(f"γ is 1 or more, for HAADF 1.4 to 2; given was {self.gammas.tolist()}")
        if not np.all(np.isfinite(self.weights)):
            raise PlanError("a weight of an elastic signal is not finite")

    @cached_property
    def numbers(self) -> Array:
        """Atomic numbers of the elements, (n,)."""
        return np.array([atomic_number(symbol) for symbol in self.elements])

    @cached_property
    def gammas(self) -> Array:
        """γ of each row, (rows,)."""
        further = [self.gamma if r.gamma is None else r.gamma for r in self.further_rows]
        return np.array([self.gamma, *further], np.float64)

    @cached_property
    def weights(self) -> Array:
        """A itself at one pixel: (rows, n)."""
        rows = [self._first_row(), *(row.weights for row in self.further_rows)]
        for row in rows:
            if len(row) != len(self.elements):
                raise PlanError(
                    f"{len(row)} weights were given for {len(self.elements)} elements "
                    f"({', '.join(self.elements)}): give one each"
                )
        return np.array(rows, np.float64)

    def _first_row(self) -> Any:
        if not isinstance(self.weighting, str):
            return tuple(self.weighting)
        if self.weighting not in WEIGHTINGS:
            raise PlanError(
                f"weighting {self.weighting!r} is unknown; known are {', '.join(WEIGHTINGS)}"
            )
        power = {"ones": 0.0, "number": 1.0, "number_share": 1.0}.get(self.weighting, self.gamma)
        raised = self.numbers.astype(np.float64) ** power
        return raised / (raised.sum() if "share" in self.weighting else raised.mean())

    def apply(self, powers: Array) -> Array:
        """A z: the weighted sums (rows, y, x) of z (n, y, x), which is xᵞ where γ is common."""
        return np.einsum("re,e...->r...", self.weights, _stack(powers, len(self.elements), "z"))

    def adjoint(self, signals: Array) -> Array:
        """Aᵀ r: (n, y, x) from (rows, y, x)."""
        return np.einsum("re,r...->e...", self.weights, _stack(signals, len(self.weights), "r"))

    def forward(self, amounts: Array) -> Array:
        """The elastic signals (rows, y, x) of amounts (n, y, x), each row with its own γ."""
        x = self._amounts(amounts)
        found = np.empty((len(self.weights), *x.shape[1:]), x.dtype)
        _in_bands(predictions, x, self.weights, self.gammas, found)
        return found

    def misfit(self, amounts: Array, signals: Array) -> float:
        """½‖A xᵞ − b‖², the first term of eq. 1."""
        x, b = self._pair(amounts, signals)
        sums = np.empty(x.shape[1])
        _in_bands(misfits, x, b, self.weights, self.gammas, sums)
        return 0.5 * float(sums.sum())

    def gradient(self, amounts: Array, signals: Array) -> Array:
        """Gradient (n, y, x) of ½‖A xᵞ − b‖², eq. 2: γ diag(xᵞ⁻¹) Aᵀ(A xᵞ − b)."""
        return self.misfit_and_slope(amounts, signals)[1]

    def misfit_and_slope(self, amounts: Array, signals: Array) -> tuple[float, Array, Array]:
        """½‖A xᵞ − b‖², its gradient, and a positive diagonal that bounds the Hessian at x.

        The bound of the rank-one part γ²vvᵀ is γ² diag(v Σ v); what is left of eq. 4 counts
        where it is positive. Both (n, y, x).
        """
        x, b = self._pair(amounts, signals)
        gradient, bound, sums = np.empty_like(x), np.empty_like(x), np.empty(x.shape[1])
        _in_bands(slopes, x, b, self.weights, self.gammas, gradient, bound, sums)
        return 0.5 * float(sums.sum()), gradient, bound

    def hessian(self, amounts: Array, signals: Array) -> NDArray[np.float64]:
        """Second derivatives (n, n, y, x) of ½‖A xᵞ − b‖², a block for each pixel: eq. 4.

        γ(γ−1) diag(xᵞ⁻²) Aᵀ(A xᵞ − b) + γ² diag(xᵞ⁻¹) AᵀA diag(xᵞ⁻¹). Where x is 0 and γ < 2 the
        first part, there infinite, is left out.
        """
        x, b = self._pair(amounts, signals)
        blocks = np.empty((len(x), *x.shape))
        _in_bands(curvatures, x, b, self.weights, self.gammas, blocks)
        return blocks

    def _amounts(self, amounts: Array) -> Array:
        x = _stack(amounts, len(self.elements), "amounts")
        kind = np.float32 if x.dtype == np.float32 else np.float64
        return np.ascontiguousarray(x, kind)

    def _pair(self, amounts: Array, signals: Array) -> tuple[Array, Array]:
        x = self._amounts(amounts)
        b = np.asarray(signals)
        b = b[None] if b.ndim == 2 else b
        if b.shape != (len(self.weights), *x.shape[1:]):
            raise ImageError(
                f"elastic signals of shape {b.shape} do not fit {len(self.weights)} rows of "
                f"{x.shape[1:]} pixels"
            )
        return x, np.ascontiguousarray(b, x.dtype)


def atomic_number(symbol: str) -> int:
    """Atomic number of an element's symbol; PlanError for what is not in the periodic table."""
    from ase.data import atomic_numbers

    number = int(atomic_numbers.get(str(symbol).strip().capitalize(), 0))
    if number == 0:
        raise PlanError(f"{symbol!r} is no element: name maps by symbols such as Co, S or O")
    return number


def _in_bands(loop: Callable[..., None], amounts: Array, *arrays: Array) -> None:
    """Let threads share a compiled loop over the rows of the image."""
    rows = amounts.shape[1]
    with Bands(rows, processors()) as bands:
        bands.run(lambda first, last: loop(amounts, *arrays, first, last))


def _stack(given: Array, count: int, what: str) -> Array:
    array = np.asarray(given)
    if array.ndim != 3 or len(array) != count:
        raise ImageError(f"{what} has shape {array.shape}; needed is ({count}, y, x)")
    return array
