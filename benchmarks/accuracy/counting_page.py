"""The page of the counting benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.accuracy.counting_methods import Answer
from benchmarks.accuracy.counting_sets import KINDS
from benchmarks.accuracy.counting_widths import WidthRow

Answers = Mapping[tuple[str, str, float], list[Answer]]
BANDS = ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.99), (0.99, 1.001))
LEAST = 0.5
COLUMNS = (
    "limit",
    "curve",
    "atom",
    "library",
    "library, errors",
    "library off",
    "library off, nearest",
    "mixture",
    "mixture, number known",
)
CALIBRATED = ("curve", "atom", "library off", "mixture")
HEAD = """# Counting atoms

<!-- Written by `python -m benchmarks.accuracy.counting`; do not edit by hand. -->

300 columns of 1 to 20 atoms whose mean cross-sections follow g − 0.004 g²; {sets} sets of each
kind, noise in mean steps of that curve. *Uniform*: every number alike; *peaked*: 10.5 ± 2.5;
*gaps*: 12 of the 20 numbers, drawn anew for every set. Every method but the known library is told
the smallest count (the offset), and nothing else than its column says:

- **limit**: the nearest entry of the true library; no method can do much better.
- **curve**: `by="curve"`, no library at all.
- **atom**: the same with the cross-section of one atom, wrong by a draw from ±10 %.
- **library**: the shape of the true library with a free scale, prior 1 ± 0.1.
  *errors*: and the standard error of every cross-section is known (`width="measured"`).
- **library off**: the same, and the library's scale is wrong by a draw from that prior.
  *nearest*: the nearest entry of that wrong library, which is what the prior alone gives.
- **mixture**: free means, their number by ICL, as StatSTEM does it; *number known*: told how many.

The likeliest count is scored even where its probability is below 0.5, where crewe's tables leave
it out.

## Fraction of columns counted rightly
"""


def counting_page(
    answers: Answers, widths: Sequence[WidthRow], noises: Sequence[float], sets: int
) -> str:
    """The page as Markdown."""
    parts = [HEAD.format(sets=sets)]
    for kind in KINDS:
        parts += [f"### {kind.capitalize()} thickness\n", _fractions(answers, kind, noises)]
    parts += ["## Are the probabilities true?\n", _calibration_words()]
    parts += [_calibration(answers, noises)]
    parts += ["## What is left out\n", _answered(answers, noises)]
    parts += ["## Widths that grow with thickness\n", _widths(widths)]
    return "\n".join(parts)


def _fractions(answers: Answers, kind: str, noises: Sequence[float]) -> str:
    head = "| noise | " + " | ".join(COLUMNS) + " |\n" + "| --- " * (len(COLUMNS) + 1) + "|\n"
    rows = []
    for noise in noises:
        means = [_mean(answers[name, kind, noise]) for name in COLUMNS]
        cells = [f"{mean:.3f}" for mean in means]
        rows.append(f"| {noise:.2f} | " + " | ".join(cells) + " |\n")
    return head + "".join(rows)


def _mean(found: Sequence[Answer]) -> float:
    return float(np.mean([one.right for one in found]))


def _calibration_words() -> str:
    return (
        "Of the columns given a probability in each band, how many are right; in brackets how many "
        "columns there are. All kinds and noises together; a set stands and falls with its scale, "
        "so columns of one set are not independent: the last line counts the sets.\n"
    )


def _calibration(answers: Answers, noises: Sequence[float]) -> str:
    head = "| probability | " + " | ".join(CALIBRATED) + " |\n"
    head += "| --- " * (len(CALIBRATED) + 1) + "|\n"
    pooled = {name: _pooled(answers, name, noises) for name in CALIBRATED}
    rows = [
        f"| {low:.2f}–{min(high, 1):.2f} | "
        + " | ".join(_band(*pooled[name], low, high) for name in CALIBRATED)
        + " |\n"
        for low, high in BANDS
    ]
    worst = " | ".join(_worst(answers, name, noises) for name in CALIBRATED)
    return head + "".join(rows) + f"| confidently wrong sets | {worst} |\n" + CONFIDENT


CONFIDENT = (
    "\nA set is confidently wrong where the mean probability of its counts exceeds the fraction "
    "that is right by more than 0.2.\n"
)


def _pooled(answers: Answers, name: str, noises: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    found = [one for kind in KINDS for noise in noises for one in answers[name, kind, noise]]
    probability = np.concatenate([one.probability for one in found])
    return probability, np.concatenate([one.correct for one in found])


def _band(probability: np.ndarray, correct: np.ndarray, low: float, high: float) -> str:
    inside = (probability >= low) & (probability < high)
    if inside.sum() < 20:
        return "–"
    return f"{correct[inside].mean():.2f} ({inside.sum():,})"


def _worst(answers: Answers, name: str, noises: Sequence[float]) -> str:
    found = [one for kind in KINDS for noise in noises for one in answers[name, kind, noise]]
    wrong = sum(one.probability.mean() - one.correct.mean() > 0.2 for one in found)
    return f"{wrong} of {len(found)}"


def _answered(answers: Answers, noises: Sequence[float]) -> str:
    head = (
        "Share of the columns that get a count (probability at least 0.5) → right among them.\n\n"
    )
    head += "| kind | noise | curve | atom | library off |\n| --- | --- | --- | --- | --- |\n"
    rows = []
    for kind in KINDS:
        for noise in noises:
            cells = [
                _share(answers[name, kind, noise]) for name in ("curve", "atom", "library off")
            ]
            rows.append(f"| {kind} | {noise:.2f} | " + " | ".join(cells) + " |\n")
    return head + "".join(rows)


def _share(found: Sequence[Answer]) -> str:
    probability = np.concatenate([one.probability for one in found])
    correct = np.concatenate([one.correct for one in found])
    kept = probability >= LEAST
    right = f"{correct[kept].mean():.3f}" if kept.any() else "–"
    return f"{kept.mean():.2f} → {right}"


def _widths(rows: Sequence[WidthRow]) -> str:
    head = (
        "600 columns, variance = (0.08 step)² + cross-section / dose; standard deviation of the "
        "thinnest (1 atom) and thickest (20 atoms) in steps, mean ± scatter of 10 sets.\n\n"
        "| dose | method | 1 atom: true | found | 20 atoms: true | found | right | limit |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    )
    lines = [
        f"| {row.dose:.0f} | {row.method} | {row.truth_first:.3f} | {row.first[0]:.3f} ± "
        f"{row.first[1]:.3f} | {row.truth_last:.3f} | {row.last[0]:.3f} ± {row.last[1]:.3f} | "
        f"{row.right:.3f} | {row.limit:.3f} |\n"
        for row in rows
    ]
    return head + "".join(lines)
