"""How strongly and how far each element scatters electrons.

Parametrisation of I. Lobato and D. Van Dyck, Acta Cryst. A 70 (2014) 636,
doi:10.1107/S205327331401643X, for the neutral atoms Z = 1…103.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CreweError

Array = NDArray[np.float64]
HEAVIEST = 103


def electron_scattering_factor(atomic_number: int, k: Any) -> Array:
    """Scattering factor of a free atom in Å, without relativistic mass, at `k` in 1/Å.

    k = θ/λ is twice the s of crystallographers' tables; the fit was made for k < 12 1/Å. Eq. (16)
    of Lobato and Van Dyck (2014). Raises CreweError for elements other than 1…103.
    """
    a, b = _coefficients()[:, _row(atomic_number)]
    x = 1 + b * np.square(np.asarray(k, dtype=np.float64))[..., None]
    result: Array = np.sum(a * (1 + x) / x**2, axis=-1)
    return result


def projected_radius(atomic_numbers: Any) -> Array:
    """Root of the mean square radius r̂ in Å of the projected potential of each element.

    Eq. (21) of Lobato et al., npj Comput. Mater. 10 (2024) 10, doi:10.1038/s41524-023-01188-0. In
    closed form: the transform of the projected potential is proportional to f(k), and that of any
    round function begins as 1 − π²⟨r²⟩k², hence ⟨r²⟩ = 3 Σab / (2π² Σa). Raises CreweError for
    elements other than 1…103.
    """
    a, b = _coefficients()[:, _row(atomic_numbers)]
    result: Array = np.sqrt(1.5 * np.sum(a * b, axis=-1) / np.sum(a, axis=-1)) / np.pi
    return result


def transformed_radii(atomic_numbers: Any, alpha: float) -> Array:
    """Radii a·r̂^α + b in Å, whose mean and spread over all elements are those of r̂.

    Eqs. (18)-(20) of Lobato et al. (2024), doi:10.1038/s41524-023-01188-0: α > 1 sets the largest
    atoms apart, α < 1 the smallest. Mean and standard deviation run over Z = 1…103, so that an
    element's radius does not depend on its neighbours.
    """
    everything = projected_radius(np.arange(1, HEAVIEST + 1))
    powers = everything**alpha
    slope = everything.std() / powers.std()
    shift = everything.mean() - slope * powers.mean()
    result: Array = slope * projected_radius(atomic_numbers) ** alpha + shift
    return result


def _row(atomic_numbers: Any) -> NDArray[np.int64]:
    numbers = np.asarray(atomic_numbers, dtype=np.int64)
    if numbers.size and (numbers.min() < 1 or numbers.max() > HEAVIEST):
        raise CreweError(
            f"scattering factors are known for elements 1…{HEAVIEST}, "
            f"got {numbers.min()}…{numbers.max()}"
        )
    return numbers - 1


@lru_cache(maxsize=1)
def _coefficients() -> Array:
    """Read the table as (a or b, element, term)."""
    text = resources.files("crewe.physics").joinpath("lobato.csv").read_text(encoding="ascii")
    lines = [line for line in text.splitlines() if not line.startswith("#")][1:]
    table = np.array([line.split(",") for line in lines], dtype=np.float64)
    return np.stack([table[:, 1:6], table[:, 6:]])
