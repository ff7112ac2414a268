"""Convolution images with the exponent and the probe that pairs themselves ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.linear_model import LinearModel, fit_linear_model
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.validation import CrossValidation
from crewe.workflows.emulator_fit_tables import plain
from crewe.workflows.observer import Observer

if TYPE_CHECKING:
    import pandas as pd

STAGE = "exponent and probe"
# Searches end after about so many trials; what the bar shows is no promise.
USUAL_TRIALS = 50


class Reimaged(Sequence[Pair]):
    """Pairs whose convolution images are made anew, when asked for, from their atoms."""

    def __init__(self, pairs: Sequence[Pair], convolution: Convolution) -> None:
        self._pairs = pairs
        self._convolution = convolution

    def __len__(self) -> int:
        return len(self._pairs)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Reimaged(self._pairs[index], self._convolution)
        pair = self._pairs[index]
        shape = pair.linear.shape
        return replace(pair, linear=self._convolution.image(pair.numbers, pair.positions, shape))


@dataclass(frozen=True, eq=False)
class ChosenImages:
    """The convolution images that the emulator of a plan answers better from."""

    pairs: Sequence[Pair]
    convolution: Convolution | None
    validation: CrossValidation | None
    """Of the plan's own polynomial on them; None where there was nothing to compare."""
    curve: pd.DataFrame
    """What the search tried."""
    facts: dict[str, Any]
    """What was found, as JSON knows it; `used` tells whether the images are new."""


def chosen_images(
    pairs: Sequence[Pair],
    convolution: Convolution | None,
    validated: Callable[[Sequence[Pair], Convolution | None], CrossValidation],
    observer: Observer,
) -> ChosenImages:
    """Fit exponent and probe, and take them only where the plan's own polynomial gains.

    The search goes by a small emulator, to which another probe may be best; `validated`
    cross-validates the plan's polynomial on given convolution images. Raises CalibrationError.
    """
    found = fitted_probe(pairs, convolution, observer)
    facts = {**probe_facts(found), "used": False}
    if found.convolution is None:
        return ChosenImages(pairs, convolution, None, found.curve, facts)
    anew = Reimaged(pairs, found.convolution)
    before, after = validated(pairs, convolution), validated(anew, found.convolution)
    used = after.one_minus_r2 < before.one_minus_r2
    facts |= {
        "used": used,
        "plan_one_minus_r2_before": before.one_minus_r2,
        "plan_one_minus_r2": after.one_minus_r2,
    }
    if used:
        return ChosenImages(anew, found.convolution, after, found.curve, facts)
    observer.warning(
        f"with the fitted probe 1 − R² of this polynomial is {after.one_minus_r2:.5f}, with the "
        f"images as they are {before.one_minus_r2:.5f}: they stay as they are"
    )
    return ChosenImages(pairs, convolution, before, found.curve, facts)


def probe_was_fitted(emulator: Emulator) -> bool:
    """Whether an emulator learned from convolution images that were made anew."""
    found = emulator.about.get("probe") or {"used": False}
    return bool(found.get("used", found.get("width_of") != "blur"))


def fitted_probe(
    pairs: Sequence[Pair], convolution: Convolution | None, observer: Observer
) -> LinearModel:
    """Fit exponent and probe; what could not be told is a warning. Raises CalibrationError."""
    observer.stage_started(STAGE)
    found = fit_linear_model(
        pairs,
        convolution,
        progress=lambda tried: observer.advanced(STAGE, min(1.0, tried / USUAL_TRIALS)),
    )
    for remark in found.remarks:
        observer.warning(remark)
    if found.convolution is None:
        observer.warning("the emulator is fitted to the convolution images as they are")
    return found


def probe_facts(found: LinearModel) -> dict[str, Any]:
    """What was fitted, as JSON knows it."""
    names = ("exponent", "exponent_error", "width", "width_error", "width_of")
    figures = ("one_minus_r2", "one_minus_r2_before", "remarks")
    return dict(plain({name: getattr(found, name) for name in (*names, *figures)}))
