"""What came out, as Markdown."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.accuracy.fusion_cases import (
    CHEMICAL_SNRS,
    FILMS,
    HAADF_SNRS,
    MAIN,
    Case,
)
from crewe.testing.core_shell import KINDS

Scores = Callable[[str, Case], dict[str, Any] | None]
"""Scores of a group of methods for a case, None where there are none."""

METHODS = {
    "counts": ("filters", "counts"),
    "gaussian": ("filters", "Gaussian"),
    "variation": ("smoothed", "Poisson + TV"),
    "original default": ("original", "original, defaults"),
    "original tutorial": ("original", "original, tutorials"),
    "original best": ("original", "original, best"),
    "original sums": ("original", "original, best, sums kept"),
    "crewe": ("own", "crewe"),
}
CHOICES = {"composition": "c", "columns": "k", "spectra": "s"}


def table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [headings, ["---"] * len(headings), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def number(value: float | None, form: str = ".3f") -> str:
    return "–" if value is None or not np.isfinite(value) else format(value, form)


def mean_error(scores: Scores, method: str, cases: Sequence[Case]) -> float:
    """Mean over cases of the relative error; NaN where one is not known."""
    found = [scores(METHODS[method][0], case) for case in cases]
    return float(np.mean([one[method]["error"] if one else np.nan for one in found]))


def worst_fraction(scores: Scores, method: str, cases: Sequence[Case]) -> float:
    """Largest error of an atomic fraction over cases, phases and elements."""
    found = [scores(METHODS[method][0], case) for case in cases]
    return max(np.abs(one[method]["fractions"]).max() if one else np.nan for one in found)


def seeds_of(kind: str, snrs: tuple[int, int], seeds: int) -> list[Case]:
    return [Case(kind, *snrs, seed) for seed in range(seeds)]


def error_table(scores: Scores, seeds: int) -> str:
    """All methods at the main SNRs."""
    lines = []
    for kind in KINDS:
        for snrs in MAIN:
            cases = seeds_of(kind, snrs, seeds)
            values = [mean_error(scores, method, cases) for method in METHODS]
            gain = values[list(METHODS).index("gaussian")] / values[-1]
            cells = [*map(number, values[:-1]), f"**{number(values[-1])}**", number(gain, ".2f")]
            lines.append([kind, f"{snrs[0]} / {snrs[1]}", *cells])
    names = [name for _, name in METHODS.values()]
    return table(["", "HAADF / chemical SNR", *names, "Gaussian / crewe"], lines)


def fraction_table(scores: Scores, seeds: int) -> str:
    """Largest errors of fractions, in percent."""
    shown = ("counts", "variation", "original best", "original sums", "crewe")
    lines = []
    for kind in KINDS:
        for snrs in MAIN:
            cases = seeds_of(kind, snrs, seeds)
            values = [100 * worst_fraction(scores, method, cases) for method in shown]
            row = [kind, f"{snrs[0]} / {snrs[1]}", *(number(value, ".2f") for value in values)]
            lines.append(row)
    return table(["", "HAADF / chemical SNR", *(METHODS[name][1] for name in shown)], lines)


def grid_table(scores: Scores, seeds: int) -> str:
    """Errors of crewe over all SNRs, what the best Gaussian has more, and what was chosen."""
    lines = []
    for kind in KINDS:
        for haadf in HAADF_SNRS:
            row = [kind, str(haadf)]
            for chemical in CHEMICAL_SNRS:
                cases = seeds_of(kind, (haadf, chemical), seeds)
                crewe = mean_error(scores, "crewe", cases)
                gain = mean_error(scores, "gaussian", cases) / crewe
                row.append(f"{number(crewe)} × {number(gain, '.1f')} {_choices(scores, cases)}")
            lines.append(row)
    return table(["", "HAADF SNR", *(f"chemical {snr}" for snr in CHEMICAL_SNRS)], lines)


def _choices(scores: Scores, cases: Sequence[Case]) -> str:
    found = [scores("own", case) for case in cases]
    return "".join(sorted(CHOICES[one["crewe"]["chosen"]["prior"]] for one in found if one))


def film_table(scores: Scores, seeds: int) -> str:
    """The Ga2O3 films."""
    lines = []
    for snrs in MAIN:
        found = [scores("films", case) for case in seeds_of(FILMS, snrs, seeds)]
        rows = [one for one in found if one]
        keys = ("counts", "mean", "sigma", "error")
        values = [[row[key] for row in rows] for key in keys]
        cells = [", ".join(number(one, ".2f") for one in value) for value in values[:-1]]
        cells += [number(float(np.mean(values[-1])))] if rows else ["–"]
        lines.append([f"{snrs[0]} / {snrs[1]}", *cells])
    headings = ["HAADF / chemical SNR", "all counts %", "fused pixels: mean %", "sigma %"]
    return table([*headings, "error"], lines)


def error_bars(scores: Scores, cases: Sequence[Case]) -> list[tuple[Case, dict[str, float]]]:
    """Errors and standard errors of the cases that are known."""
    found = ((case, scores("own", case)) for case in cases)
    return [
        (case, {"error": one["crewe"]["error"], **one["standard errors"]})
        for case, one in found
        if one
    ]


def error_bar_table(scores: Scores, cases: Sequence[Case]) -> str:
    """Averages of standard errors beside errors."""
    lines = []
    for case, row in error_bars(scores, cases):
        values = [row["error"], row["repeated"], row["hessian"]]
        shares = [row["repeated within two"], row["hessian within two"]]
        cells = [*map(number, values), *(number(100 * share, ".0f") for share in shares)]
        lines.append([case.kind, f"{case.haadf_snr} / {case.chemical_snr}", *cells])
    headings = ["", "HAADF / chemical SNR", "error", "repeated", "Hessian"]
    return table([*headings, "within 2 repeated, %", "within 2 Hessian, %"], lines)


def correlations(scores: Scores, cases: Sequence[Case]) -> dict[str, float]:
    """Correlation of average standard error and error over cases."""
    rows = [row for _, row in error_bars(scores, cases)]
    off = [row["error"] for row in rows]
    if len(rows) < 3:
        return {"repeated": np.nan, "hessian": np.nan}
    return {
        name: float(np.corrcoef(off, [row[name] for row in rows])[0, 1])
        for name in ("repeated", "hessian")
    }
