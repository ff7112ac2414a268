"""What the emulator benchmark found, in a few lines, from what has been measured."""

import json
from typing import Any

from benchmarks.accuracy.emulator_divisions import DIVISIONS
from benchmarks.accuracy.emulator_plans import NESTED, TABLE
from benchmarks.accuracy.emulator_store import Measured

WANTED_378, WANTED_BEST = 0.0119, 0.009
SIGMA = "σ = "
FEW = (3, 5, 8)
HONEST = ("smoothed, chosen on Pt", NESTED)


def summary(paper: Measured, own: Measured) -> str:
    """Paragraphs; nothing of what has not been measured."""
    found = [*_paper(paper), *_divisions(paper), *_own(own), *_floor(own), *_failings(paper, own)]
    lines = [f"- {line}" for line in found] or ["Not measured yet."]
    return "## In short\n\n" + "\n".join(lines)


def _known(measured: Measured, name: str) -> Any:
    path = measured.folder / f"{name}.json"
    if not measured.found or not path.exists():
        return None
    return json.loads(path.read_text(encoding="utf-8"))


def _errors(measured: Measured, *names: str) -> list[float | None]:
    rows = [_known(measured, f"table {name}") for name in names]
    return [None if row is None else row["one_minus_r2"] for row in rows]


def _paper(paper: Measured) -> list[str]:
    plain, before, smoothed = _errors(paper, "5 × 5", "5 × 5, not registered", "smoothed")
    lines = []
    if plain is not None and before is not None:
        lines.append(
            f"**378 terms, the paper's pairs** (paper: 0.012; wanted: {WANTED_378} or less): "
            f"1 − R² = {_judged(before, WANTED_378)} not registered, {_judged(plain, WANTED_378)} "
            "registered."
        )
    if smoothed is not None:
        judged = [
            f"{name}: {_judged(value, WANTED_BEST)}"
            for name, value in zip(HONEST, _errors(paper, *HONEST), strict=True)
            if value is not None
        ]
        lines.append(
            f"**Smoothed features, the same pairs** (wanted: {WANTED_BEST} or less): "
            f"{_judged(smoothed, WANTED_BEST)} with features chosen in view of these images. Where "
            f"the tested images had no say in the choice: {'; '.join(judged)}."
        )
    return lines


def _divisions(paper: Measured) -> list[str]:
    found = {name: _known(paper, f"divisions {name}") for name in ("5 × 5", "smoothed", HONEST[0])}
    if None in found.values():
        return []
    said = "; ".join(
        f"{name}: {row['mean']:.5f} ± {row['deviation']:.5f}" for name, row in found.items()
    )
    return [
        f"**Which images are learned from matters.** Mean and deviation over {DIVISIONS} divisions "
        f"into halves: {said}. One figure from two divisions is good to about a tenth."
    ]


def _failings(paper: Measured, own: Measured) -> list[str]:
    """What falls short, and where."""
    lines = []
    drawn = _known(paper, "draws 364")
    if drawn is not None:
        rows = {row["images"]: row for row in drawn}
        said = ", ".join(f"{rows[number]['all'][0]:.4f} from {number}" for number in FEW)
        worse = ", ".join(f"{rows[number]['all'][1]:.2g}" for number in FEW)
        lines.append(
            f"**Few images:** learned from images drawn at random, 364 smoothed terms reach a "
            f"median 1 − R² of {said}; but one draw in ten is worse than {worse}. Without "
            "crystals among them the polynomial goes astray in bright columns."
        )
    unseen = [row for row in _known(own, "domain") or () if SIGMA in row["asked"]]
    if unseen:
        images, flagged = (sum(row[key] for row in unseen) for key in ("images", "flagged"))
        lines.append(
            f"**Another probe goes unnoticed** where only a convolution image is given: "
            f"{flagged} of {images} images with other widths are flagged. A lens, a detector or "
            "pixels that are named and differ always are."
        )
    shown = _known(paper, "pictures")
    if shown is not None:
        last = shown["364"]["by_value"][-1]
        lines.append(
            f"**The brightest columns** ({last['low']:.3f}–{last['high']:.3f} of the beam) are "
            f"emulated {abs(last['bias']):.4f} too {'dark' if last['bias'] < 0 else 'bright'}, "
            f"with an r.m.s. error of {last['rms']:.4f}."
        )
    return lines


def _own(own: Measured) -> list[str]:
    names = [name for name in (*TABLE, NESTED) if name != "5 × 5, not registered"]
    errors = _errors(own, *names)
    if None in errors:
        return []
    said = "; ".join(f"{name} {value:.4f}" for name, value in zip(names, errors, strict=True))
    noise = _known(own, "table smoothed")["phonon_floor"]
    share = "" if noise is None else f" Phonon noise makes {noise:.4f} of each."
    worse = errors[names.index("smoothed")] > errors[names.index("5 × 5")]
    words = " The default features of degree 3 are no gain here." if worse else ""
    return [f"**Our own platinum pairs:** {said}.{words}{share}"]


def _floor(own: Measured) -> list[str]:
    rows = _known(own, "depth")
    if rows is None:
        return []
    first, *others = (row["one_minus_r2"] for row in rows)
    return [
        f"**The floor:** told the depths of atoms, which no projection holds, the same fit of our "
        f"pairs goes from {first:.4f} to {min(others):.4f}."
    ]


def _judged(value: float, limit: float) -> str:
    return f"{value:.5f} ({'reached' if value <= limit else 'not reached'})"
