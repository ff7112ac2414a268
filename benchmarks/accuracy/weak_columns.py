"""Weak columns beside heavy ones: how many are found, missed and invented, dose by dose.

    python -m benchmarks.accuracy.weak_columns --markdown docs/benchmarks/weak_columns.md

Images like SrTiO3 along [001]; the heavy columns are given, the oxygen columns looked for.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from benchmarks.accuracy.tables import environment
from crewe import axes
from crewe.atoms.weak_columns import find_weak_columns

PIXELS, STEP, CELL, WIDTH, BACKGROUND = 256, 0.15, 3.905, 0.45, 0.01
HEIGHTS = {"Sr": 0.04, "Ti": 0.024, "O": 0.0032}
DOSES = (5e3, 1e4, 2e4, 3e4, 4e4, 5e4, 7e4, 1e5)
EMPTY_DOSES = (5e3, 5e4)
SAME = 0.5
"""A column found within this many Å of a true one is that one."""

EXPLANATION = """\
# Weak columns beside heavy ones

<!-- Written by `python -m benchmarks.accuracy.weak_columns`; do not edit by hand. -->

The test: {pixels} × {pixels} pixels of {step} Å like SrTiO₃ along [001]: {sr} Sr columns of height
0.04 of the beam and {ti} TiO columns of 0.024, Gaussian, of width 0.45 Å, on a background of 0.01,
each displaced by N(0, 0.03 Å); {oxygen} O columns of 0.0032, a twelfth of Sr, lie half-way between.
Counts are Poisson. The heavy columns are given by their true places; `find_weak_columns` looks for
others without being told how many, how high or where.

- **signal / error**: height of an O column over its standard error, neighbours and place known.
- **detected**, **missed**: of the O columns, mean over realisations. **invented**: columns added
  where there is none within {same} Å.
- **counts**: Poisson likelihood of known dose. **image**: noise read off the residual.
- **least**: signal over error that a lone column must reach for even odds, by the priors.
- **s**: seconds for one image, one thread, others at work beside it.
"""

READING = """\
A lone column is believed in from five times its error on. Here, where they are many and the dose is
known, a third of them are found at four times and nine in ten at five: the factor k! of
exchangeable columns lets the first ones found say how many more to expect. Those found at the
lowest doses are true columns that noise has lifted, and most are marked as doubtful. The noise read
off the image counts the columns not yet found as noise and so is the more careful.
"""


@dataclass(frozen=True)
class Row:
    """Means over the realisations of one dose."""

    dose: float
    ratio: float
    detected: float
    missed: float
    invented: float
    doubtful: float
    least: float
    seconds: float


def sites(seed: int = 1) -> dict[str, np.ndarray]:
    """Positions (n, 2) of (x, y) of each kind of column."""
    edge = (PIXELS - 1) * STEP
    cells = int((edge - CELL) // CELL)
    corner = np.arange(cells + 1) * CELL + (edge - cells * CELL) / 2
    centre = corner[:-1] + CELL / 2
    rng = np.random.default_rng(seed)
    pairs = {
        "Sr": [(corner, corner)],
        "Ti": [(centre, centre)],
        "O": [(corner, centre), (centre, corner)],
    }
    placed = {}
    for name, parts in pairs.items():
        place = np.concatenate([np.stack(np.meshgrid(u, v), -1).reshape(-1, 2) for u, v in parts])
        placed[name] = place + rng.normal(0, 0.03, place.shape)
    return placed


def expectation(places: dict[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray:
    """Image without noise, as a fraction of the beam."""
    along = np.arange(PIXELS) * STEP
    image = np.full((PIXELS, PIXELS), BACKGROUND)
    for name in names:
        for x, y in places[name]:
            rows = np.exp(-((along - y) ** 2) / (2 * WIDTH**2))
            image += HEIGHTS[name] * rows[:, None] * np.exp(-((along - x) ** 2) / (2 * WIDTH**2))
    return image


def signal_to_error(dose: float) -> float:
    """Height of a lone weak column over the bound of its error, place known."""
    x, y = np.meshgrid(np.arange(-3, 3, STEP), np.arange(-3, 3, STEP))
    peak = np.exp(-(x**2 + y**2) / (2 * WIDTH**2))
    expected = BACKGROUND + HEIGHTS["O"] * peak
    return float(HEIGHTS["O"] * np.sqrt(np.sum(peak**2 / expected) * dose * STEP**2))


def score(places: dict[str, np.ndarray], dose: float, seeds: int, known: bool, weak: bool) -> Row:
    """Search `seeds` realisations at a dose."""
    names = ("Sr", "Ti", "O") if weak else ("Sr", "Ti")
    mean = expectation(places, names) * dose * STEP**2
    heavy = np.concatenate([places["Sr"], places["Ti"]])
    start = pd.DataFrame({"x": heavy[:, 0], "y": heavy[:, 1]})
    truth = places["O"] if weak else np.zeros((0, 2))
    found = []
    for seed in range(seeds):
        counts = np.random.default_rng([round(dose), seed]).poisson(mean)
        image = axes.calibrated_image(counts / (dose * STEP**2), STEP)
        begun = time.perf_counter()
        result = find_weak_columns(
            image, start, electrons_per_unit=dose * STEP**2 if known else None
        )
        seconds = time.perf_counter() - begun
        hits = matched(result.columns[["x", "y"]].to_numpy(), truth)
        summary = result.summary
        rest = (summary["n_doubtful"], summary["least_signal_to_noise"], seconds)
        found.append((hits, len(truth) - hits, len(result.columns) - hits, *rest))
    return Row(dose, signal_to_error(dose), *np.mean(found, axis=0))


def matched(places: np.ndarray, truth: np.ndarray) -> int:
    """How many true columns have one found beside them."""
    if not len(places) or not len(truth):
        return 0
    distance, which = cKDTree(truth).query(places)
    return len(np.unique(which[distance < SAME]))


def table(rows: list[Row], label: str) -> str:
    heads = ("noise", "dose e/Å²", "signal / error", "detected", "missed", "invented")
    heads = (*heads, "doubtful", "least", "s")
    lines = [heads, ("---",) * len(heads)]
    for row in rows:
        numbers = (row.detected, row.missed, row.invented, row.doubtful)
        cells = (label, f"{row.dose:,.0f}", f"{row.ratio:.1f}", *(f"{n:.1f}" for n in numbers))
        lines.append((*cells, f"{row.least:.1f}", f"{row.seconds:.1f}"))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="realisations with weak columns")
    parser.add_argument("--empty-seeds", type=int, default=20, help="realisations without")
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    places = sites()
    oxygen = len(places["O"])
    counts = {"sr": len(places["Sr"]), "ti": len(places["Ti"]), "oxygen": oxygen}
    parts = [EXPLANATION.format(pixels=PIXELS, step=STEP, same=SAME, **counts)]
    for label, known in (("counts", True), ("image", False)):
        rows = [score(places, dose, options.seeds, known, weak=True) for dose in DOSES]
        parts += [f"## {oxygen} weak columns, {label}", table(rows, label)]
        print(parts[-1], flush=True)
    for label, known in (("counts", True), ("image", False)):
        rows = [score(places, d, options.empty_seeds, known, weak=False) for d in EMPTY_DOSES]
        title = f"## None there, {label}: mean of {options.empty_seeds} realisations"
        parts += [title, table(rows, label)]
        print(parts[-1], flush=True)
    parts += ["## Reading", READING.rstrip(), environment("numpy", "scipy", "numba")]
    if options.markdown:
        options.markdown.write_text("\n\n".join(part.strip() for part in parts) + "\n")


if __name__ == "__main__":
    main()
