"""The parts of the emulator benchmark about pairs of our own, whose atoms and noise are known."""

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.accuracy.emulator_divisions import divided
from benchmarks.accuracy.emulator_plans import CHOSEN_ON_PLATINUM, PAPER, SMOOTHED
from benchmarks.accuracy.emulator_scores import (
    FOLDS,
    REPEATS,
    SEED,
)
from benchmarks.accuracy.emulator_store import Measured
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.held_out import HeldOut, pooled
from crewe.simulation.emulator.linear_model import SMALL_PLAN, LinearModel, fit_linear_model
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.validation import cross_validate
from crewe.workflows.emulator_fit_probe import Reimaged, probe_facts
from crewe.workflows.pair_set_plan import pair_set_plan

PROBES = ("Gaussian of 0.38 Å", "Gaussian, fitted", "probe of the optics", "optics, fitted")
PLANS = {"378": PAPER, "364": SMOOTHED, "364 chosen on Pt": CHOSEN_ON_PLATINUM, "21": SMALL_PLAN}


def ordered(measured: Measured):
    """Return a function that tells particles of which most is crystalline."""
    particles = pair_set_plan(measured.about["plan"]).particles

    def is_ordered(pair: Pair) -> bool:
        return particles.disorder(int(pair.name)) < 0.5

    return is_ordered


def convolution_of(measured: Measured) -> Convolution:
    """How its convolution images were made."""
    return Convolution.from_dict(measured.about["convolution"])


def facts(measured: Measured) -> dict[str, Any]:
    """Pairs, configurations, brightest pixel."""
    return {
        "pairs": len(measured.pairs),
        "configurations": measured.about["configurations"],
        "maximum": max(float(pair.multislice.max()) for pair in measured.pairs),
        "deviation": _deviation(measured),
        "megabytes": measured.path.stat().st_size / 1e6,
    }


def probes(measured: Measured) -> dict[str, Any]:
    """Widths that the pairs ask for, of a Gaussian probe and beside that of the optics."""
    before = convolution_of(measured)

    def make(how: Convolution) -> dict[str, Any]:
        found = fit_linear_model(measured.pairs, how)
        return {**probe_facts(found), "recipe": _recipe(found)}

    gaussian = measured.value("probe gaussian", lambda: make(before))
    of_optics = replace(before, probe_sigma_angstrom=None)
    return {
        "gaussian": gaussian,
        "optics": measured.value("probe optics", lambda: make(of_optics)),
    }


def probe_table(measured: Measured, found: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Mean error over many divisions by convolution image and plan."""
    before = convolution_of(measured)
    recipes = [
        before,
        Convolution.from_dict(found["gaussian"]["recipe"]),
        replace(before, probe_sigma_angstrom=None),
        Convolution.from_dict(found["optics"]["recipe"]),
    ]
    if recipes[3] == recipes[2]:
        recipes.pop()

    def make(recipe: Convolution, plan: EmulatorPlan) -> float:
        return divided(list(Reimaged(measured.pairs, recipe)), plan)["mean"]

    return {
        name: {
            label: measured.value(
                f"probe table {name} {label}",
                lambda recipe=recipe, plan=plan: make(recipe, plan),
            )
            for label, plan in PLANS.items()
        }
        for name, recipe in zip(PROBES, recipes, strict=False)
    }


def noise_by_disorder(measured: Measured) -> list[dict[str, Any]]:
    """Error and phonon noise of the smoothed emulator, by how much of a particle is amorphous."""
    particles = pair_set_plan(measured.about["plan"]).particles

    def make() -> list[dict[str, Any]]:
        tested = _validated(measured.pairs, SMOOTHED).held_out
        total = pooled(tested).squared_error
        parts: dict[float, list[HeldOut]] = {}
        for part in tested:
            parts.setdefault(particles.disorder(int(part.name)), []).append(part)
        return [_of_disorder(kind, mine, total) for kind, mine in sorted(parts.items())]

    return measured.value("disorder", make)


def _of_disorder(disorder: float, parts: list[HeldOut], total: float) -> dict[str, Any]:
    found = pooled(parts)
    noise = [part.phonon_variance for part in parts if part.phonon_variance is not None]
    return {
        "disorder": disorder,
        "particles": len({part.name for part in parts}),
        "one_minus_r2": found.one_minus_r2,
        "share": found.squared_error / total,
        "floor": np.mean(noise) / found.deviation**2 if noise else None,
    }


def _validated(pairs, plan: EmulatorPlan):
    return cross_validate(
        pairs, plan, rng=np.random.default_rng(SEED), folds=FOLDS, repeats=REPEATS
    )


def _recipe(found: LinearModel) -> dict[str, Any]:
    return found.convolution.to_dict()


def _deviation(measured: Measured) -> float:
    return float(np.concatenate([pair.multislice.ravel() for pair in measured.pairs]).std())
