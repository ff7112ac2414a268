"""The parts of the emulator benchmark that need nothing but pairs: all but those of our own."""

from typing import Any

import numpy as np

from benchmarks.accuracy.emulator_divisions import drawn
from benchmarks.accuracy.emulator_plans import (
    LARGEST,
    PAPER,
    SMOOTHED,
    plans_of_fig_4,
)
from benchmarks.accuracy.emulator_scores import (
    FOLDS,
    REPEATS,
    SEED,
    figures_of,
)
from benchmarks.accuracy.emulator_store import Measured
from crewe.simulation.emulator.leave_out import TRAINING, leave_out
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.registration import common_shift
from crewe.simulation.emulator.selection import scan_plans
from crewe.simulation.emulator.splits import KINDS, image_splits, leave_out_splits
from crewe.simulation.emulator.validation import cross_validate, validate_splits

# Of the paper's images the seven of crystals along a zone axis reach more; no other reaches 0.083.
CRYSTALLINE_ABOVE = 0.1
DRAWS = 3
BOTH = {"378": PAPER, "364": SMOOTHED}


def is_bright(pair: Pair) -> bool:
    """Whether a pair of the paper shows a crystal along a zone axis."""
    return float(pair.multislice.max()) > CRYSTALLINE_ABOVE


def number_of_terms(measured: Measured, most: int):
    """Fig. 4 as a table of `scan_plans`; plans of more than `most` terms are left out."""
    measured.folder.mkdir(parents=True, exist_ok=True)
    return scan_plans(
        measured.pairs,
        [plan for plan in plans_of_fig_4() if plan.terms().count <= most],
        rng=np.random.default_rng(SEED),
        folds=FOLDS,
        repeats=REPEATS,
        path=measured.folder / "scan.jsonl",
        progress=lambda done, total: print(f"    plan {done} of {total}", flush=True),
    )


def largest(measured: Measured, wanted: bool) -> dict[str, Any] | None:
    """The paper's largest model on one division, beside the 378 terms on the same."""
    if not wanted and not (measured.folder / "largest.json").exists():
        return None

    def make() -> dict[str, Any]:
        split = image_splits(len(measured.pairs), FOLDS, 1, np.random.default_rng(SEED))[:1]
        return {
            name: validate_splits(
                measured.pairs, plan, split, kind="image", folds=FOLDS, standard_errors=False
            ).one_minus_r2
            for name, plan in (("378", PAPER), ("364", SMOOTHED), ("3654", LARGEST))
        }

    return measured.value("largest", make)


def kinds_of_folds(measured: Measured) -> dict[str, Any]:
    """Folds of images, blocks and pixels, one division each."""

    def make(plan, kind) -> dict[str, Any]:
        found = cross_validate(
            measured.pairs,
            plan,
            rng=np.random.default_rng(SEED),
            kind=kind,
            folds=FOLDS,
            repeats=1,
        )
        return figures_of(found, measured.pairs, is_bright) | {"coverage": found.coverage}

    return {
        f"{name} {kind}": measured.value(
            f"folds {name} {kind}", lambda plan=plan, kind=kind: make(plan, kind)
        )
        for name, plan in BOTH.items()
        for kind in KINDS
    }


def training_images(measured: Measured) -> dict[str, list[dict[str, Any]]]:
    """Leave-out-X: rows of `leave_out` by name of the plan."""

    def make(plan) -> list[dict[str, Any]]:
        table = leave_out(
            measured.pairs,
            plan,
            rng=np.random.default_rng(SEED),
            repeats=DRAWS,
            progress=lambda done, total: print(f"    fit {done} of {total}", flush=True),
        )
        return table.to_dict(orient="records")

    return {
        name: measured.value(f"leave-out {name}", lambda plan=plan: make(plan))
        for name, plan in BOTH.items()
    }


def crystals_drawn(measured: Measured) -> list[str]:
    """How many crystals each draw of `training_images` held, drawn once more."""
    rng = np.random.default_rng(SEED)
    bright = np.array([is_bright(pair) for pair in measured.pairs])
    drawn_again = [leave_out_splits(len(bright), number, DRAWS, rng) for number in TRAINING]
    return [", ".join(str(bright[list(s.training)].sum()) for s in each) for each in drawn_again]


def many_draws(measured: Measured) -> dict[str, list[dict[str, Any]]]:
    """Leave-out-X over many draws by name of the plan."""
    return {
        name: measured.value(
            f"draws {name}", lambda plan=plan: drawn(measured.pairs, plan, is_bright)
        )
        for name, plan in BOTH.items()
    }


def registration(measured: Measured) -> dict[str, Any]:
    """Shift of each pair."""

    def make() -> dict[str, Any]:
        shift, each = common_shift(measured.pairs)
        names = [pair.name for pair in measured.pairs]
        bright = [is_bright(pair) for pair in measured.pairs]
        return {"shift": shift, "each": each, "names": names, "crystalline": bright}

    return measured.value("registration", make)
