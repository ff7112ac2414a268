"""Electrons as they would come from a lattice of atoms: a disk that the atoms push about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TICKS_PER_US = 3840
CLOCK_LEAD_TICKS = 96 * 40
"""A scan begins 1 µs after the clock does, so that no fine time lies before zero."""


@dataclass(frozen=True)
class Timepix3Phantom:
    """Poisson electrons in a bright-field disk, shifted by the gradient of a square lattice.

    The disk of `radius_px` lies in the middle of the detector; at row y and column x it is
    shifted by `push_px`·(sin 2πy/period, sin 2πx/period) pixels (ky, kx). Each line is followed by
    `flyback` times its duration of beam without a line. With seed and scan number the electrons
    are always the same.
    """

    scan_shape: tuple[int, int] = (64, 64)
    chips: int = 4
    electrons: float = 20.0
    """Mean number per probe position."""
    dwell_time_us: float = 1.0
    flyback: float = 0.1
    radius_px: float = 40.0
    push_px: float = 8.0
    period: float = 8.0
    seed: int = 0

    @property
    def width(self) -> int:
        """Pixels along one side of the detector."""
        return 256 if self.chips == 1 else 512

    @property
    def line_ticks(self) -> int:
        """Ticks from the beginning of a line to its end."""
        return round(self.scan_shape[1] * self.dwell_time_us * TICKS_PER_US)

    @property
    def period_ticks(self) -> int:
        """Ticks from the beginning of a line to that of the next."""
        return self.line_ticks + round(self.flyback * self.line_ticks)

    @property
    def scan_ticks(self) -> int:
        """Ticks from one scan to the next."""
        return self.scan_shape[0] * self.period_ticks

    def edges(
        self, scan: int = 0, start: int = CLOCK_LEAD_TICKS
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return times, kinds and trigger counts of the line signal of one scan on TDC1."""
        lines = np.arange(scan * self.scan_shape[0], (scan + 1) * self.scan_shape[0])
        begin = start + lines * self.period_ticks
        times = np.stack([begin, begin + self.line_ticks], axis=1).ravel()
        return times, np.tile([0xF, 0xA], len(lines)), np.repeat(lines + 1, 2)

    def electrons_of(
        self, scan: int = 0, start: int = CLOCK_LEAD_TICKS
    ) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Return times (ascending, ticks) and pixels of the electrons of one scan."""
        rng = np.random.default_rng([self.seed, scan])
        mean = self.electrons / (self.dwell_time_us * TICKS_PER_US) * self.scan_ticks
        number = int(rng.poisson(mean))
        since = np.sort(rng.integers(0, self.scan_ticks, number)) // 6 * 6
        row, within = np.divmod(since, self.period_ticks)
        column = np.minimum(within / self.line_ticks, 1.0) * self.scan_shape[1]
        radius = self.radius_px * np.sqrt(rng.random(number))
        angle = 2 * np.pi * rng.random(number)
        middle = (self.width - 1) / 2
        ky = middle + self._push(row) + radius * np.sin(angle)
        kx = middle + self._push(np.floor(column)) + radius * np.cos(angle)
        pixels = np.rint(ky).astype(np.int64) * self.width + np.rint(kx).astype(np.int64)
        return start + scan * self.scan_ticks + since, pixels.astype(np.uint32)

    def _push(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.push_px * np.sin(2 * np.pi * place / self.period)
