"""How the probe was moved: the record that gives each frame its probe position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError

NOWHERE = -1
"""Place of a frame that belongs to no probe position: flyback, or before the first."""


@dataclass(frozen=True)
class Scan:
    """A scan of `shape` (rows, columns), line by line from top left, repeated without end.

    `flyback_per_line` frames follow each line and `flyback_per_scan` further frames each scan
    while the probe returns. `sync_offset` is the number of the first frame that lies on a probe
    position; a negative one says that so many were never recorded. `rotation_degrees` is the angle
    by which scan axes must be turned, anticlockwise as displayed, to lie along the detector axes,
    and `mirrored` says that the detector was read upside down (ky reversed) before. Step (y, x) in
    Å and dwell time in µs are None where they are unknown. Raises PlanError for what cannot be.
    """

    shape: tuple[int, int]
    flyback_per_line: int = 0
    flyback_per_scan: int = 0
    sync_offset: int = 0
    rotation_degrees: float = 0.0
    mirrored: bool = False
    step_angstrom: tuple[float, float] | None = None
    dwell_time_us: float | None = None

    def __post_init__(self) -> None:
        rows, columns = self.shape
        if rows < 1 or columns < 1:
            raise PlanError(f"a scan of {rows} × {columns} probe positions is none: give both > 0")
        if self.flyback_per_line < 0 or self.flyback_per_scan < 0:
            raise PlanError(
                f"flyback of {self.flyback_per_line} frames per line and {self.flyback_per_scan} "
                "per scan: give numbers of frames, 0 or more"
            )
        for name, value in (("step", self.step_angstrom), ("dwell time", self.dwell_time_us)):
            if value is not None and not np.all(np.isfinite(value) & (np.asarray(value) > 0)):
                raise PlanError(f"{name} {value} of a scan: give a positive number")

    @property
    def size(self) -> int:
        """Probe positions of one scan."""
        return self.shape[0] * self.shape[1]

    @property
    def frames_per_line(self) -> int:
        """Frames of a line with its flyback."""
        return self.shape[1] + self.flyback_per_line

    @property
    def frames_per_scan(self) -> int:
        """Frames of a scan with all flyback."""
        return self.shape[0] * self.frames_per_line + self.flyback_per_scan

    def place(self, numbers: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return scan number and probe position (row·columns + column) of frame numbers from 0.

        The position is NOWHERE (−1) during flyback and before the first probe position.
        """
        since = np.asarray(numbers, np.int64) - self.sync_offset
        scans, within = np.divmod(since, self.frames_per_scan)
        row, column = np.divmod(within, self.frames_per_line)
        outside = (since < 0) | (row >= self.shape[0]) | (column >= self.shape[1])
        return scans, np.where(outside, NOWHERE, row * self.shape[1] + column)

    def finished_before(self, number: int) -> tuple[int, int]:
        """Return the scan that frame `number` opens or continues and its positions before it."""
        scan, within = divmod(max(number - self.sync_offset, 0), self.frames_per_scan)
        row, column = divmod(within, self.frames_per_line)
        return scan, min(row * self.shape[1] + min(column, self.shape[1]), self.size)
