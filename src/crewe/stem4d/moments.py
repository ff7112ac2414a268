"""Counts and first moments of all patterns: what every centre-of-mass image is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe.sources import Batch, Events
from crewe.stem4d.event_moments import event_moments
from crewe.stem4d.frame_moments import frame_moments
from crewe.stem4d.places import Places
from crewe.stem4d.reducer import Repeats


@dataclass(frozen=True, slots=True)
class MeasuredMoments:
    """Moments (position, 3) of one batch, at `positions` or from a first position on."""

    positions: NDArray[np.int64] | int
    values: NDArray[np.float64]
    scan: int
    finished: int


class Moments:
    """Reducer that keeps Σ I, Σ ky·I and Σ kx·I of each probe position, in detector pixels.

    24 bytes per probe position are all that is kept of the patterns: centre, rotation, kernel and
    filter of the images made of it can change afterwards. Sums of counts are exact below 2⁵³, so
    frames and events, in any order and from any number of threads, give the same bits.
    """

    def __init__(
        self,
        scan_shape: tuple[int, int],
        detector_shape: tuple[int, int],
        repeats: Repeats = "newest",
    ) -> None:
        self.scan_shape = scan_shape
        self.detector_shape = detector_shape
        self._places = Places(scan_shape, 3, repeats)

    @property
    def counts(self) -> NDArray[np.float64]:
        """Sum of each pattern (rows, columns); 0 where not measured."""
        return self._places.values[:, 0].reshape(self.scan_shape)

    @property
    def first(self) -> NDArray[np.float64]:
        """Σ ky·I and Σ kx·I (2, rows, columns) in detector pixels; 0 where not measured."""
        return self._places.values[:, 1:].T.reshape(2, *self.scan_shape)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which positions (rows, columns) were measured."""
        return self._places.measured

    @property
    def version(self) -> int:
        """A number that grows with each batch."""
        return self._places.version

    def rows_changed_since(self, version: int) -> NDArray[np.bool_]:
        """Return which rows were touched after that version."""
        return self._places.rows_changed_since(version)

    def measure(self, batch: Batch) -> MeasuredMoments:
        """Return the moments of one batch; changes nothing."""
        if isinstance(batch, Events):
            first, values = event_moments(batch)
            return MeasuredMoments(first, values, batch.scan, batch.finished)
        values = frame_moments(batch.patterns)
        return MeasuredMoments(batch.positions, values, batch.scan, 0)

    def add(self, measured: MeasuredMoments) -> None:
        """Add the moments of one batch; the order of batches does not matter."""
        if isinstance(measured.positions, int):
            self._places.add_from(measured.positions, measured.values, measured.scan)
            self._places.finish(measured.finished, measured.scan)
        else:
            self._places.add(measured.positions, measured.values, measured.scan)
