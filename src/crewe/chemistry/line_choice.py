"""Which line or edge shows an element alone, and which elements cannot be told apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crewe.chemistry.checks import element_symbol
from crewe.chemistry.lines import (
    Edge,
    XrayLine,
    edge,
    edges,
    x_ray_line,
    x_ray_lines,
    x_ray_resolution_ev,
)
from crewe.errors import SpecimenError

# Share of a foreign line inside a window, from which it is worth a word.
NOTED_LEAK = 0.02
# From here another line of the element is tried.
_AVOIDED_LEAK = 0.05
# K lines above are weakly excited and pass a thin silicon detector; L lines below are absorbed.
_HARDEST_K_EV, _SOFTEST_L_EV = 12_000.0, 900.0
# Noise of the electronics lies below.
SOFTEST_LINE_EV = 100.0


@dataclass(frozen=True)
class Chosen:
    """A line or edge for each element, and in words what is to be known about the choice."""

    lines: dict[str, XrayLine] = field(default_factory=dict)
    edges: dict[str, Edge] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def choose_lines(
    elements: Sequence[str],
    low_ev: float,
    high_ev: float,
    lines: Mapping[str, str] | None = None,
    resolution_at_mn_ka_ev: float = 130.0,
) -> Chosen:
    """Choose for each element a line within `low_ev` to `high_ev` that no other one overlaps.

    Ka up to 12 keV comes first, then La, then Ma; one that more than 5 % of a listed element's
    line leaks into is passed over while there is another. `lines` names lines outright
    ({'Pt': 'La'} or {'Pt': 'Pt_La'}). Elements that are not listed are not known of.
    Raises SpecimenError for an element without a line in the range.
    """
    symbols = list(dict.fromkeys(element_symbol(element) for element in elements))
    named = {element_symbol(key): value for key, value in (lines or {}).items()}
    chosen: dict[str, XrayLine] = {}
    remarks: list[str] = []
    for symbol in symbols:
        if symbol in named:
            chosen[symbol] = x_ray_line(_full_name(symbol, named[symbol]))
        else:
            chosen[symbol] = _best_line(symbol, symbols, low_ev, high_ev, resolution_at_mn_ka_ev)
        remarks += _overlaps(chosen[symbol], symbols, resolution_at_mn_ka_ev)
    return Chosen(lines=chosen, remarks=tuple(remarks))


def choose_edges(
    elements: Sequence[str],
    low_ev: float,
    high_ev: float,
    lines: Mapping[str, str] | None = None,
) -> Chosen:
    """Choose for each element the lowest edge above 80 eV that the spectrum holds.

    It holds an edge when 7 % of the onset's energy lie before it, to fit the background on,
    and 5 % after. Raises SpecimenError when none does.
    """
    symbols = list(dict.fromkeys(element_symbol(element) for element in elements))
    named = {element_symbol(key): value for key, value in (lines or {}).items()}
    chosen: dict[str, Edge] = {}
    for symbol in symbols:
        if symbol in named:
            chosen[symbol] = edge(_full_name(symbol, named[symbol]))
            continue
        held = [
            candidate
            for candidate in edges(symbol)
            if max(low_ev, 70.0) <= 0.93 * candidate.onset_ev
            and candidate.onset_ev * 1.05 < high_ev
        ]
        if not held:
            known = ", ".join(map(str, edges(symbol))) or "none that is known"
            raise SpecimenError(
                f"no edge of {symbol} between {low_ev:g} and {high_ev:g} eV ({known}): leave the "
                "element out or give the spectrum image that holds it"
            )
        chosen[symbol] = min(held, key=lambda candidate: candidate.onset_ev)
    return Chosen(edges=chosen, remarks=tuple(_close_edges(chosen)))


def leak(line: XrayLine, other: XrayLine, resolution_at_mn_ka_ev: float = 130.0) -> float:
    """Share of a foreign line's counts, relative to its shell's first line, within ± 1 FWHM."""
    half = x_ray_resolution_ev(line.energy_ev, resolution_at_mn_ka_ev)
    scale = x_ray_resolution_ev(other.energy_ev, resolution_at_mn_ka_ev) / math.sqrt(
        4 * math.log(2)
    )
    distance = other.energy_ev - line.energy_ev
    inside = math.erf((half - distance) / scale) + math.erf((half + distance) / scale)
    return other.weight * inside / 2


def _held(item: Edge, low_ev: float, high_ev: float) -> bool:
    return max(low_ev, 70.0) <= 0.93 * item.onset_ev and 1.05 * item.onset_ev <= high_ev


def _best_line(
    symbol: str, symbols: Sequence[str], low_ev: float, high_ev: float, resolution: float
) -> XrayLine:
    held = []
    for line in x_ray_lines(symbol):
        width = x_ray_resolution_ev(line.energy_ev, resolution)
        inside = low_ev + width <= line.energy_ev <= high_ev - width
        if line.weight == 1 and inside and line.energy_ev >= SOFTEST_LINE_EV:
            held.append(line)
    if not held:
        known = ", ".join(map(str, x_ray_lines(symbol))) or "it has none"
        raise SpecimenError(
            f"no X-ray line of {symbol} between {low_ev:g} and {high_ev:g} eV ({known}): "
            "leave the element out"
        )
    held.sort(key=_preference)
    for line in held:
        if _worst_leak(line, symbols, resolution) < _AVOIDED_LEAK:
            return line
    return min(held, key=lambda line: _worst_leak(line, symbols, resolution))


def _preference(line: XrayLine) -> int:
    if line.name == "Ka" and line.energy_ev <= _HARDEST_K_EV:
        return 0
    if line.name == "La" and line.energy_ev >= _SOFTEST_L_EV:
        return 1
    return {"Ma": 2, "Ka": 3, "La": 4}[line.name]


def _worst_leak(line: XrayLine, symbols: Sequence[str], resolution: float) -> float:
    foreign = [
        other for symbol in symbols if symbol != line.element for other in x_ray_lines(symbol)
    ]
    return max((leak(line, other, resolution) for other in foreign), default=0.0)


def _overlaps(line: XrayLine, symbols: Sequence[str], resolution: float) -> list[str]:
    words = []
    for symbol in symbols:
        leaks = [(leak(line, other, resolution), other) for other in x_ray_lines(symbol)]
        if symbol == line.element or not leaks:
            continue
        share, other = max(leaks, key=lambda pair: pair[0])
        if share >= NOTED_LEAK:
            words.append(
                f"{other} overlaps {line}: the map of {line.element} also holds about "
                f"{100 * share:.0f} % as many counts as {symbol} {other.name[0]}a has"
            )
    return words


def _close_edges(chosen: Mapping[str, Edge]) -> list[str]:
    """Name pairs whose later edge starts inside the fit window of the earlier or hides in it."""
    ordered = sorted(chosen.values(), key=lambda item: item.onset_ev)
    return [
        f"{late} starts {late.onset_ev - early.onset_ev:g} eV after {early}: its background "
        "includes that edge's tail"
        for early, late in itertools.pairwise(ordered)
        if late.onset_ev < 1.12 * early.onset_ev
    ]


def _full_name(symbol: str, line: str) -> str:
    return line if line.replace("_", " ").split()[0].capitalize() == symbol else f"{symbol} {line}"
