"""Pixels that an emulator was tested on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crewe.simulation.emulator.fit import known_pixels
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.noise import Noise, measured_noise
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.scores import Score
from crewe.simulation.emulator.splits import Mask, Split

Values = NDArray[np.float32]
NO_NOISE = Noise(np.zeros(1), np.zeros(1))


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What an emulator made of the pixels of one image that it had not learned from."""

    name: str
    """The pair's."""
    repeat: int
    """The split's."""
    fit: int
    """Which fit tested it: splits are told apart by it."""
    known: Mask
    """Pixels (y, x) of the image that these are, row by row."""
    emulated: Values
    """Emulated values (n,)."""
    actual: Values
    """Multislice values (n,)."""
    coefficient_error: Values
    """Standard error (n,) of the emulated values from the coefficients' errors."""
    share_outside: float
    """Share of the image's pixels outside the emulator's domain."""
    phonon_variance: float | None
    """Mean square of the multislice values' own standard error."""

    def image(self) -> Values:
        """The emulated image (y, x), NaN where it was not tested."""
        result = np.full(self.known.shape, np.nan, dtype=np.float32)
        result[self.known] = self.emulated
        return result


def held_out(
    emulator: Emulator, pair: Pair, mask: Mask, split: Split, standard_errors: bool
) -> HeldOut:
    """Compare the pixels of a mask (y, x) that the emulator can know with multislice."""
    known = mask & known_pixels(emulator, pair)
    spread = np.zeros(int(known.sum()), dtype=np.float32)
    if standard_errors:
        # Without the noise, only the coefficients' part is left.
        spread = replace(emulator, noise=NO_NOISE).standard_error(pair.linear)[known]
    phonons = pair.phonon_error
    variance = None
    if phonons is not None and known.any():
        variance = float(np.mean(phonons[known].astype(np.float64) ** 2))
    return HeldOut(
        name=pair.name,
        repeat=split.repeat,
        fit=id(split),
        known=known,
        emulated=emulator.predict(pair.linear)[known],
        actual=pair.multislice[known],
        coefficient_error=spread,
        share_outside=emulator.check(pair.linear).share_outside,
        phonon_variance=variance,
    )


def pooled(tested: Iterable[HeldOut]) -> Score:
    """One score over all pixels."""
    total = Score()
    for part in tested:
        total.add(part.emulated, part.actual)
    return total


def coverage(tested: Sequence[HeldOut]) -> tuple[float, float]:
    """Share of the pixels within one and two standard errors.

    The noise is measured on the other folds of the repeat, as it would be for a new image. NaN
    where no repeat has another fold.
    """
    within = np.zeros(2)
    pixels = 0
    for fit in dict.fromkeys(part.fit for part in tested):
        mine = [part for part in tested if part.fit == fit]
        others = [part for part in tested if part.fit != fit and part.repeat == mine[0].repeat]
        if not others:
            continue
        noise = measured_noise(
            np.concatenate([part.emulated for part in others]),
            np.concatenate([part.actual for part in others]),
        )
        for part in mine:
            error = np.abs(part.emulated - part.actual)
            expected = np.hypot(noise(part.emulated), part.coefficient_error)
            within += [(error <= expected).sum(), (error <= 2 * expected).sum()]
            pixels += len(error)
    if pixels == 0:
        return math.nan, math.nan
    return float(within[0] / pixels), float(within[1] / pixels)
