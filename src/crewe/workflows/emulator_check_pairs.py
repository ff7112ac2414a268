"""Whether pairs of images are like those an emulator learned from, and how well it answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crewe.errors import CalibrationError
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.fit import known_pixels
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.pairs import Pair, read_pairs
from crewe.simulation.emulator.registration import common_shift
from crewe.simulation.emulator.scores import Score
from crewe.simulation.emulator.suitability import (
    ELEMENTS,
    brightness_reasons,
    element_reasons,
    pixel_reasons,
    thickness_reasons,
    thickness_remarks,
)
from crewe.simulation.emulator.suitability_recipe import lens_reasons, recipe_reasons
from crewe.workflows.emulator_fit_probe import Reimaged, probe_was_fitted
from crewe.workflows.emulator_plan import told_convolution
from crewe.workflows.observer import Observer

# Pairs registered like those of the training agree to a fraction of this.
SHIFT_TOLERANCE_PX = 0.1


class PairsCheck:
    """What speaks against pairs, what could not be compared, and their scores.

    Convolution images that were made by another recipe are made anew where atoms are known, as the
    emulator's own were: with a fitted probe no others suit.
    """

    def __init__(self, emulator: Emulator, path: Path) -> None:
        self.emulator = emulator
        stored = read_pairs(path)
        self.pairs: Sequence[Pair] = stored
        self.reasons: list[str] = []
        self.remarks: list[str] = []
        self.figures: dict[str, Any] = {}
        self._atoms = [p.numbers is not None and p.positions is not None for p in stored]
        self._compare_recipe(told_convolution(stored.about, path))
        self._compare_atoms()
        self.reasons += _shift_reasons(emulator, self.pairs)

    def score(self, observer: Observer) -> None:
        """Go through all pairs."""
        tally = _Tally()
        observer.stage_started("comparing")
        for done, pair in enumerate(self.pairs):
            found = _pair_reasons(self.emulator, pair)
            self.reasons += [f"pair {pair.name}: {reason}" for reason in found]
            tally.add(self.emulator, pair)
            observer.advanced("comparing", (done + 1) / len(self.pairs))
        self.figures = tally.figures()

    def _compare_recipe(self, described: Convolution | None) -> None:
        own = self.emulator.convolution
        if own is None:
            self.remarks.append(
                "it does not say how its convolution images were made: those of the pairs are "
                "taken as they are"
            )
        elif described is None:
            self._compare_unknown(own)
        else:
            self.reasons += lens_reasons(self.emulator, described)
            differing = recipe_reasons(self.emulator, described)
            same_pixels = not pixel_reasons(self.emulator, described.pixel_size_angstrom)
            if differing and same_pixels and all(self._atoms):
                self._make_anew(own, "; ".join(differing))
            else:
                self.reasons += differing

    def _compare_unknown(self, own: Convolution) -> None:
        said = "the pairs do not say how their convolution images were made"
        if not probe_was_fitted(self.emulator):
            self.remarks.append(f"{said}: they are taken for the emulator's own")
        elif all(self._atoms):
            self._make_anew(own, f"{said}, its exponent and probe were fitted")
        else:
            self.reasons.append(f"{said}; its exponent and probe were fitted, no others suit")

    def _make_anew(self, own: Convolution, reason: str) -> None:
        self.pairs = Reimaged(self.pairs, own)
        self.remarks.append(f"convolution images were made anew from the atoms: {reason}")

    def _compare_atoms(self) -> None:
        if not all(self._atoms):
            count = self._atoms.count(False)
            self.remarks.append(
                f"{count} of {len(self._atoms)} pairs hold no atoms: elements and thickness of "
                "those are not compared"
            )
        if any(self._atoms):
            self.remarks += thickness_remarks(self.emulator)
            if not self.emulator.about.get(ELEMENTS):
                self.reasons += element_reasons(self.emulator, ())


def _shift_reasons(emulator: Emulator, pairs: Sequence[Pair]) -> Iterator[str]:
    shift, trained = common_shift(pairs)[0], emulator.shift_px
    if emulator.plan.register and np.hypot(*np.subtract(shift, trained)) > SHIFT_TOLERANCE_PX:
        yield (
            f"its images are shifted by {_shift(shift)} px against each other, those of the "
            f"training by {_shift(trained)} px"
        )


def _pair_reasons(emulator: Emulator, pair: Pair) -> Iterator[str]:
    # Unknown elements have been told, once for all pairs.
    if pair.numbers is not None and emulator.about.get(ELEMENTS):
        yield from element_reasons(emulator, pair.numbers)
    if pair.positions is not None:
        yield from thickness_reasons(emulator, pair.positions)
    yield from brightness_reasons(emulator, pair.linear)
    yield from emulator.check(pair.linear).reasons


class _Tally:
    """Errors over all pixels of all pairs."""

    def __init__(self) -> None:
        self.score = Score()
        self.images: list[dict[str, Any]] = []
        self.within = np.zeros(2)

    def add(self, emulator: Emulator, pair: Pair) -> None:
        """Compare a pair where features and registration leave its pixels valid."""
        known = known_pixels(emulator, pair)
        emulated, actual = emulator.predict(pair.linear)[known], pair.multislice[known]
        one = Score()
        one.add(emulated, actual)
        self.score.merge(one)
        self.images.append({"name": pair.name, "one_minus_r2": one.one_minus_r2})
        ratio = np.abs(emulated - actual) / emulator.standard_error(pair.linear)[known]
        self.within += [(ratio <= limit).sum() for limit in (1, 2)]

    def figures(self) -> dict[str, Any]:
        """All of it in numbers."""
        if self.score.pixels == 0:
            raise CalibrationError("no pixel of these pairs can be compared: the images are small")
        within = self.within / self.score.pixels
        return {
            "one_minus_r2": self.score.one_minus_r2,
            "fractional_rms": self.score.fractional_rms,
            "within_1_standard_error": float(within[0]),
            "within_2_standard_errors": float(within[1]),
            "pairs": len(self.images),
            "pixels": self.score.pixels,
            "images": self.images,
        }


def _shift(shift: tuple[float, float]) -> str:
    return f"({shift[0]:.2f}, {shift[1]:.2f})"
