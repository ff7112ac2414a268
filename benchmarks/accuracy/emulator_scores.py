"""What cross-validation and a clock say of one emulator."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.accuracy.emulator_plans import NESTED, SMOOTHED, TABLE
from benchmarks.accuracy.emulator_store import Measured
from crewe.simulation.emulator.figures import CrossValidation
from crewe.simulation.emulator.fit import fit_emulator
from crewe.simulation.emulator.forward_selection import validate_selection
from crewe.simulation.emulator.held_out import pooled
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.splits import image_splits
from crewe.simulation.emulator.validation import validate_splits

SEED = 0
FOLDS = REPEATS = 2
CALLS = 40
PIXELS = 250 * 250
Sort = Callable[[Pair], bool]


def accuracy(measured: Measured, is_crystalline: Sort) -> dict[str, dict[str, Any]]:
    """Rows of the table of emulators, by name."""
    rows = {}
    for name, plan in {**TABLE, NESTED: None}.items():
        row = measured.value(
            f"table {name}", lambda plan=plan: _tested(measured.pairs, plan, is_crystalline)
        )
        timed = plan or replace(SMOOTHED, kinds=tuple(row["kinds"][0]))
        spent = measured.value(f"times {name}", lambda timed=timed: _times(measured.pairs, timed))
        rows[name] = {**row, **spent}
    return rows


def _tested(
    pairs: Sequence[Pair], plan: EmulatorPlan | None, is_crystalline: Sort
) -> dict[str, Any]:
    """Twofold image-wise cross-validation repeated twice.

    Without a plan, of smoothed features that are chosen anew within each training half.
    """
    rng = np.random.default_rng(SEED)
    if plan is not None:
        splits = image_splits(len(pairs), FOLDS, REPEATS, rng)
        found = validate_splits(
            pairs, plan, splits, kind="image", folds=FOLDS, standard_errors=False
        )
        return figures_of(found, pairs, is_crystalline)
    found, chosen = validate_selection(
        pairs,
        SMOOTHED,
        rng=rng,
        folds=FOLDS,
        repeats=REPEATS,
        progress=lambda done: print(f"    fold {done}", flush=True),
    )
    kinds = [one.plan.kinds for one in chosen]
    return {**figures_of(found, pairs, is_crystalline), "kinds": kinds}


def figures_of(
    found: CrossValidation, pairs: Sequence[Pair], is_crystalline: Sort
) -> dict[str, Any]:
    """Plain values; the errors of both sorts of images with the variance of just these."""
    crystals = {pair.name for pair in pairs if is_crystalline(pair)}
    sorts = [[p for p in found.held_out if (p.name in crystals) == sort] for sort in (True, False)]
    return {
        "terms": found.terms,
        "one_minus_r2": found.one_minus_r2,
        "fractional_rms": found.fractional_rms,
        "each_repeat": found.each_repeat,
        "crystalline": pooled(sorts[0]).one_minus_r2,
        "amorphous": pooled(sorts[1]).one_minus_r2,
        "crystalline_fractional_rms": pooled(sorts[0]).rms / pooled(found.held_out).deviation,
        "amorphous_fractional_rms": pooled(sorts[1]).rms / pooled(found.held_out).deviation,
        "crystals": len(crystals),
        "phonon_floor": found.phonon_floor,
        "shifts_px": found.shifts_px,
        "per_image": found.per_image.to_dict(orient="records"),
    }


def _times(pairs: Sequence[Pair], plan: EmulatorPlan) -> dict[str, float]:
    """CPU seconds of a fit to half of the pairs, CPU milliseconds of a prediction.

    The prediction is that of an image whose atoms are known, or of pairs from one program: without
    the shift between the images, whose spline is told apart.
    """
    training = pairs[: len(pairs) // FOLDS]
    fit_emulator(training[:2], plan)
    begin = time.process_time()
    emulator = fit_emulator(training, plan)
    fit_s = time.process_time() - begin
    linear = training[0].linear
    still = replace(emulator, shift_px=(0.0, 0.0))
    return {
        "fit_images": len(training),
        "fit_s": fit_s,
        "predict_ms": _least_ms(lambda: still.predict(linear)) * PIXELS / linear.size,
        "with_shift_ms": _least_ms(lambda: emulator.predict(linear)) * PIXELS / linear.size,
    }


def _least_ms(call: Callable[[], Any]) -> float:
    spent = []
    for _ in range(CALLS):
        begin = time.process_time()
        call()
        spent.append(time.process_time() - begin)
    return 1e3 * min(spent)
