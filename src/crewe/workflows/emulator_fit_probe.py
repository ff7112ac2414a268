"""Convolution images with the exponent and the probe that pairs themselves ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.linear_model import LinearModel, fit_linear_model
from crewe.simulation.emulator.pairs import Pair
from crewe.workflows.emulator_fit_tables import plain
from crewe.workflows.observer import Observer

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
