"""Measurements of known element maps at many noise levels, and how far maps are from the truth."""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.testing.core_shell import (
    KINDS,
    FusionMeasurement,
    FusionPhantom,
    core_shell,
    gallium_oxide,
    measure,
)

Maps = NDArray[np.float64]

HAADF_SNRS, CHEMICAL_SNRS = (4, 10, 20, 40), (1, 2, 3, 5, 10)
MAIN = ((4, 1), (10, 2), (20, 5), (40, 10))
"""HAADF and chemical SNR at which every method is run."""
SHOWN = (10, 2)
FILMS = "films"


@dataclass(frozen=True)
class Case:
    """One measurement of one phantom."""

    kind: str
    """Of `core_shell`, or `films`."""
    haadf_snr: int
    chemical_snr: int
    seed: int

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.kind}-{self.haadf_snr}-{self.chemical_snr}-{self.seed}"

    @cached_property
    def phantom(self) -> FusionPhantom:
        """What is measured; the texture differs from seed to seed."""
        if self.kind == FILMS:
            return gallium_oxide()
        return core_shell(self.kind, seed=self.seed)

    @cached_property
    def measurement(self) -> FusionMeasurement:
        """Counts, whose noise is that of this case alone."""
        rng = np.random.default_rng([self.seed, self.haadf_snr, self.chemical_snr])
        return measure(self.phantom, self.haadf_snr, self.chemical_snr, rng)

    @property
    def truth(self) -> Maps:
        """Counts to be expected (element, y, x)."""
        return np.asarray(self.measurement.truth.values)


@dataclass(frozen=True)
class Found:
    """Maps (element, y, x) in counts, what was chosen for them and how long they took."""

    maps: Maps
    chosen: dict[str, Any] = field(default_factory=dict)
    seconds: float = np.nan


def grid(seeds: int) -> list[Case]:
    """All kinds at all SNRs."""
    return [Case(*one) for one in product(KINDS, HAADF_SNRS, CHEMICAL_SNRS, range(seeds))]


def main_cases(seeds: int) -> list[Case]:
    """All kinds at the SNRs at which every method is run."""
    return [Case(kind, *snrs, seed) for kind, snrs, seed in product(KINDS, MAIN, range(seeds))]


def film_cases(seeds: int) -> list[Case]:
    """The films of gallium oxide."""
    return [Case(FILMS, *snrs, seed) for snrs, seed in product(MAIN, range(seeds))]


def errors(maps: Maps, truth: Maps) -> NDArray[np.float64]:
    """‖x − truth‖ / ‖truth‖ of each element."""
    return np.linalg.norm(maps - truth, axis=(1, 2)) / np.linalg.norm(truth, axis=(1, 2))


def fraction_errors(case: Case, maps: Maps) -> NDArray[np.float64]:
    """Atomic fractions (phase, element) of maps less the true ones."""
    truth = case.measurement.truth
    found = case.phantom.fractions(truth.copy(data=np.asarray(maps, float)))
    return np.asarray((found - case.phantom.fractions(truth)).values)


def error_bar_cases() -> list[Case]:
    """Where standard errors are looked at: the textured particle everywhere, others less often."""
    everywhere = [Case("textured", *snrs, 0) for snrs in product(HAADF_SNRS, CHEMICAL_SNRS)]
    return [*everywhere, *(Case(kind, *snrs, 0) for kind in ("smooth", "atomic") for snrs in MAIN)]
