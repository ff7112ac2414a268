"""How much fused maps scatter when a particle is measured again, and what was reported."""

import json
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.emulator_store import plain
from benchmarks.accuracy.fusion_cases import MAIN, Case, errors
from crewe.chemistry.fusion import fuse, refit
from crewe.chemistry.standard_error import (
    average_standard_error,
    hessian_error,
    repeated_error,
)
from crewe.testing.core_shell import KINDS, FusionMeasurement, measure

SEED = 7531
"""Of the noise; no other page draws the same."""
LEAST = 0.02
"""Amount, in shares of an element's mean, from which on its pixels count."""
IMAGES = ("truth", "fused", "scatter", "repeated", "hessian")


@dataclass(frozen=True)
class Scatter:
    """What was reported for the first measurement, and what all of them did; by element."""

    case: Case
    settings: str
    error: float
    scatter: float
    repeated_ratio: np.ndarray
    hessian_ratio: np.ndarray
    average_repeated: float
    average_hessian: float
    scatter_within: np.ndarray
    truth_within: np.ndarray
    relative_scatter: np.ndarray
    relative_repeated: np.ndarray
    folder: Path

    def images(self) -> dict[str, np.ndarray]:
        """Truth, fused maps, scatter and both errors of the first element, (y, x)."""
        with np.load(self.folder / f"{self.case.name}.npz") as stored:
            return {name: stored[name] for name in IMAGES}

    def cells(self) -> list[str]:
        """What stands in one line of the table."""
        return [
            self.case.kind,
            f"{self.case.haadf_snr}, {self.case.chemical_snr}",
            self.settings,
            f"{self.error:.4f}",
            f"{self.scatter:.4f}",
            ", ".join(f"{value:.2f}" for value in self.repeated_ratio),
            ", ".join(f"{value:.1f}" for value in self.hessian_ratio),
            ", ".join(f"{100 * value:.0f}" for value in self.scatter_within),
            ", ".join(f"{100 * value:.0f}" for value in self.truth_within),
        ]

    def line(self) -> str:
        """What is told while the others are under way."""
        return "  ".join(self.cells())


def cases() -> list[Case]:
    """All kinds at the main signal-to-noise ratios."""
    return [Case(kind, *snrs, 0) for kind, snrs in product(KINDS, MAIN)]


def checked(case: Case, repeats: int, folder: Path) -> Scatter:
    """Return what is kept of a case, measured where it is not there yet."""
    path = folder / f"{case.name}-{repeats}.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        found = _scatter(case, repeats, folder)
        _keep(path, found)
    kept = {
        name: np.array(value) if isinstance(value, list) else value
        for name, value in json.loads(path.read_text(encoding="utf-8")).items()
    }
    return Scatter(case=case, folder=folder, **kept)


def chosen_anew(case: Case, number: int, folder: Path) -> dict[str, Any]:
    """Scatter with settings chosen for each measurement over that with those of the first."""
    path = folder / f"{case.name}-anew-{number}.json"
    if not path.exists():
        first = fuse(*_given(_measured(case, 0)))
        seen = [_measured(case, index) for index in range(1, number + 1)]
        free = np.array([fuse(*_given(one)).maps.values for one in seen])
        fixed = np.array([refit(first, one.haadf.values, one.maps.values) for one in seen])
        ratio = np.sqrt(_variance(free).sum((1, 2)) / _variance(fixed).sum((1, 2)))
        names = ("kind", "haadf_snr", "chemical_snr")
        _keep(path, {**{name: asdict(case)[name] for name in names}, "ratio": ratio})
    return json.loads(path.read_text(encoding="utf-8"))


def _scatter(case: Case, repeats: int, folder: Path) -> dict[str, Any]:
    first = _measured(case, 0)
    result = fuse(*_given(first))
    reported = {"repeated": repeated_error(result), "hessian": hessian_error(result)}
    others = (_measured(case, index) for index in range(1, repeats))
    maps = [refit(result, one.haadf.values, one.maps.values) for one in others]
    fused = np.array([result.maps.values, *maps], np.float64)
    truth = np.asarray(first.truth.values)
    variance, sigma = _variance(fused), reported["repeated"].values
    sizes = np.linalg.norm(truth, axis=(1, 2))
    lengths = {name: np.linalg.norm(one.values, axis=(1, 2)) for name, one in reported.items()}
    length = np.sqrt(variance.sum((1, 2)))
    images = (truth, fused[0], np.sqrt(variance), *(one.values for one in reported.values()))
    shown = {name: image[0] for name, image in zip(IMAGES, images, strict=True)}
    np.savez_compressed(folder / f"{case.name}.npz", **shown)
    counted = truth > LEAST * truth.mean((1, 2), keepdims=True)
    return {
        "settings": f"{result.prior}, {result.strength:g}",
        "error": float(np.mean([errors(one, truth) for one in fused])),
        "scatter": float(np.mean(length / sizes)),
        "repeated_ratio": lengths["repeated"] / length,
        "hessian_ratio": lengths["hessian"] / length,
        "average_repeated": average_standard_error(reported["repeated"], result.maps),
        "average_hessian": average_standard_error(reported["hessian"], result.maps),
        # The reported error is of the first measurement: it alone has no say in its own test.
        "scatter_within": _within(fused[1:] - fused[1:].mean(0), sigma, counted, repeats - 1),
        "truth_within": _within(fused - truth, sigma, counted),
        "relative_scatter": length / sizes,
        "relative_repeated": lengths["repeated"] / sizes,
    }


def _within(
    off: np.ndarray, sigma: np.ndarray, counted: np.ndarray, mean_of: int = 0
) -> list[float]:
    """Share of pixels within one and two sigma, mean over elements."""
    # Distances from a mean that they helped to make are too short.
    off = np.abs(off) * (np.sqrt(mean_of / (mean_of - 1)) if mean_of else 1.0)
    return [
        float(
            np.mean([(off[:, e] <= k * sigma[e])[:, counted[e]].mean() for e in range(len(sigma))])
        )
        for k in (1, 2)
    ]


def _measured(case: Case, index: int) -> FusionMeasurement:
    rng = np.random.default_rng([SEED, case.haadf_snr, case.chemical_snr, index])
    return measure(case.phantom, case.haadf_snr, case.chemical_snr, rng)


def _given(measured: FusionMeasurement) -> tuple[Any, Any]:
    return measured.haadf, measured.maps


def _variance(maps: np.ndarray) -> np.ndarray:
    return np.asarray(maps, np.float64).var(axis=0, ddof=1)


def _keep(path: Path, value: Any) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(plain(value)), encoding="utf-8")
    partial.replace(path)
