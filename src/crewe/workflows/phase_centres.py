"""Whether the patterns have centres of mass, and how many do not."""

from __future__ import annotations

import numpy as np

from crewe.errors import ImageError
from crewe.stem4d.methods import Methods
from crewe.stem4d.moments import Moments
from crewe.workflows.observer import Observer

CENTRED = {"com", "field", "divergence", "icom", "ricom"}
"""Methods that are made of centres of mass."""


def check_centres(methods: Methods, observer: Observer) -> dict[str, int]:
    """Count measured patterns without a centre of mass, by the reason, and warn of them.

    Raises ImageError when a method needs centres of mass and no pattern has one.
    """
    without = patterns_without_centre(methods.moments)
    needed = bool(set(methods.names) & CENTRED)
    measured = int(methods.moments.measured.sum())
    said = _in_words(without)
    if needed and sum(without.values()) == measured:
        raise ImageError(
            f"no pattern has a centre of mass: of {measured:,} patterns {said}; check the data and "
            "what was subtracted from them"
        )
    if without["not_finite"] or (needed and said):
        what = "no centre of mass, so no shift is assumed there" if needed else "not usable"
        observer.warning(f"of {measured:,} patterns {said}: {what}")
    return without


def patterns_without_centre(moments: Moments) -> dict[str, int]:
    """Count measured patterns of which the sum is zero, below zero and not finite."""
    with np.errstate(invalid="ignore"):
        finite = np.isfinite(moments.counts + moments.first.sum(axis=0))
    reasons = {
        "without_intensity": finite & (moments.counts == 0),
        "below_zero": finite & (moments.counts < 0),
        "not_finite": ~finite,
    }
    return {name: int((moments.measured & which).sum()) for name, which in reasons.items()}


def _in_words(without: dict[str, int]) -> str:
    words = {
        "without_intensity": "have no intensity",
        "below_zero": "have a sum below zero",
        "not_finite": "are not finite",
    }
    return " and ".join(f"{number:,} {words[why]}" for why, number in without.items() if number)
