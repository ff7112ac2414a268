"""Where the elements show in a spectrum: X-ray lines and energy-loss edges."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from crewe.chemistry.checks import element_symbol
from crewe.errors import SpecimenError

# Share of the first line of the same shell, for thin specimens; of use for overlaps only
# (X-Ray Data Booklet, LBNL 2009, Table 1-3, rounded).
_WEIGHTS = {"Ka": 1.0, "Kb": 0.13, "La": 1.0, "Lb1": 0.5, "Lb2": 0.2, "Lg1": 0.1, "Ma": 1.0}
_EDGES = ("K", "L3", "M5")
MN_KA_EV = 5898.7


@dataclass(frozen=True)
class XrayLine:
    """A characteristic X-ray line: `energy_ev`, and `weight` relative to its shell's first line."""

    element: str
    name: str
    energy_ev: float
    weight: float

    def __str__(self) -> str:
        return f"{self.element} {self.name} ({self.energy_ev / 1000:.3f} keV)"


@dataclass(frozen=True)
class Edge:
    """An ionisation edge of electron energy loss, named by its subshell, at `onset_ev`."""

    element: str
    name: str
    onset_ev: float

    def __str__(self) -> str:
        return f"{self.element} {self.name} ({self.onset_ev:g} eV)"


def x_ray_lines(element: str) -> tuple[XrayLine, ...]:
    """List the K, L and M lines of an element that spectra show, K first.

    Ka is Kα1 (8047.8 eV for Cu), Kb Kβ1, Lb2 Lβ2,15, Ma Mα1; hydrogen and helium have none.
    Sources are named in ``lines.csv``. Raises PlanError for an unknown element.
    """
    symbol = element_symbol(element)
    row = _table()[symbol]
    return tuple(
        XrayLine(symbol, name, row[f"{name}_ev"], weight)
        for name, weight in _WEIGHTS.items()
        if f"{name}_ev" in row
    )


def edges(element: str) -> tuple[Edge, ...]:
    """List the major ionisation edges of an element, K, L3 and M5, up to 4 keV.

    Onsets in eV are those of the EELS Atlas (Ahn and Krivanek, Gatan 1983), where L3 stands for
    the pair L2,3 and M5 for M4,5. Raises PlanError for an unknown element.
    """
    symbol = element_symbol(element)
    row = _table()[symbol]
    return tuple(
        Edge(symbol, name, row[f"{name}_edge_ev"]) for name in _EDGES if f"{name}_edge_ev" in row
    )


def x_ray_line(name: str) -> XrayLine:
    """Find a line by a name such as 'Fe_Ka' or 'Pt La'.

    Raises SpecimenError if there is none, PlanError for an unknown element.
    """
    element, line = _split(name)
    for candidate in x_ray_lines(element):
        if candidate.name == line:
            return candidate
    known = ", ".join(candidate.name for candidate in x_ray_lines(element)) or "none"
    raise SpecimenError(f"{element} has no X-ray line {line!r}: it has {known}")


def edge(name: str) -> Edge:
    """Find an edge by a name such as 'Fe_L3' or 'O K'.

    Raises SpecimenError if there is none, PlanError for an unknown element.
    """
    element, shell = _split(name)
    for candidate in edges(element):
        if candidate.name == shell:
            return candidate
    known = ", ".join(candidate.name for candidate in edges(element)) or "none"
    raise SpecimenError(f"{element} has no edge {shell!r}: it has {known}")


def x_ray_resolution_ev(energy_ev: float, resolution_at_mn_ka_ev: float = 130.0) -> float:
    """Full width at half maximum, in eV, of a line in a silicon detector's spectrum.

    The width grows with the square root of energy above the electronic noise
    (C. E. Fiori and D. E. Newbury, SEM 1978/I, 401: FWHM² = FWHM_Mn² + 2.5 (E − E_Mn), in eV).
    Never less than 30 eV.
    """
    square = resolution_at_mn_ka_ev**2 + 2.5 * (energy_ev - MN_KA_EV)
    return math.sqrt(max(square, 900.0))


def _split(name: str) -> tuple[str, str]:
    parts = name.replace("_", " ").split()
    if len(parts) != 2:
        raise SpecimenError(f"{name!r} names no line or edge: write the element too, as in 'Fe_Ka'")
    return element_symbol(parts[0]), parts[1]


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, float]]:
    """Read the energies, in eV, of every element; what it does not have is left out."""
    text = resources.files("crewe.chemistry").joinpath("lines.csv").read_text(encoding="ascii")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {
        row["symbol"]: {
            key: float(value) for key, value in row.items() if key.endswith("_ev") and value
        }
        for row in rows
    }
