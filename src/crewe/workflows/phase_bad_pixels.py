"""Which detector pixels are replaced before anything is made of the patterns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError, ReadError
from crewe.sources.bad_pixels import BadPixels, Replacement, find_bad_pixels
from crewe.stem4d.mean_pattern import MeanPattern
from crewe.workflows.observer import Observer
from crewe.workflows.phase_plan import PhasePlan, PixelList

NAMED = 5
"""So many pixels are named where a reader is told of them; the note names all."""


@dataclass(frozen=True)
class Replaced:
    """The pixels (ky, kx) that are replaced, and those that look bad and are not."""

    mask: NDArray[np.bool_]
    kept: NDArray[np.bool_]

    def in_pattern(self, pattern: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a pattern (ky, kx) with the pixels replaced."""
        return Replacement(self.mask).of(pattern[None])[0]

    def note(self) -> dict[str, Any]:
        """Return them as lists of [ky, kx], as YAML and JSON know it."""
        masks = {"replaced": self.mask, "suspected": self.kept}
        return {name: np.argwhere(mask).tolist() for name, mask in masks.items()}


def replaced_pixels(plan: PhasePlan, mean: MeanPattern, observer: Observer) -> Replaced:
    """Choose the pixels to replace: as the plan says, and those that are not finite in any case.

    Tells of those, and of hot and dead pixels that stay. Raises ReadError when all are NaN,
    PlanError for a mask of another detector.
    """
    found = find_bad_pixels(mean.pattern, mean.number)
    if found.non_finite.all():
        raise ReadError(
            f"no pixel of the {mean.number:,} patterns looked at holds a finite number: were they "
            "ever filled?"
        )
    given = _given(plan, mean.detector_shape, found)
    mask = given | found.non_finite
    kept = found.all & ~mask
    _tell(found, given, kept, observer)
    return Replaced(mask, kept)


def _given(plan: PhasePlan, shape: tuple[int, int], found: BadPixels) -> NDArray[np.bool_]:
    """Mask of what the plan wants replaced."""
    mask = np.zeros(shape, bool)
    if plan.bad_pixels == "auto":
        return found.hot | found.dead
    if isinstance(plan.bad_pixels, PixelList):
        of = plan.bad_pixels.detector_shape
        if of is not None and of != tuple(shape):
            raise PlanError(f"a mask of bad pixels of {of} for a detector of {tuple(shape)}")
        for ky, kx in plan.bad_pixels.pixels:
            if ky >= shape[0] or kx >= shape[1]:
                raise PlanError(
                    f"bad pixel {ky},{kx}: a detector of {shape[0]} × {shape[1]} has none there; "
                    "give ky,kx, counted from 0"
                )
            mask[ky, kx] = True
    return mask


def _tell(
    found: BadPixels, given: NDArray[np.bool_], kept: NDArray[np.bool_], observer: Observer
) -> None:
    means = "the mean of the pixels around"
    if given.any():
        observer.message(f"replaced by {means}: {_named(given)}")
    if (unforeseen := found.non_finite & ~given).any():
        observer.warning(f"no finite numbers, so replaced by {means}: {_named(unforeseen)}")
    for mask, what in ((found.hot, "far above all around"), (found.dead, "without counts")):
        if (mask & kept).any():
            observer.warning(
                f"{what}: {_named(mask & kept)}; bad pixels shift centres of mass, replace these "
                "with --bad-pixels auto"
            )


def _named(mask: NDArray[np.bool_]) -> str:
    places = [f"{ky},{kx}" for ky, kx in np.argwhere(mask)[:NAMED]]
    more = int(mask.sum()) - len(places)
    noun = "detector pixel" if len(places) == 1 else "detector pixels"
    return f"{noun} {'; '.join(places)}{f' and {more:,} more' if more else ''}"
