"""Patterns of a lattice, and sources that hand them out as detectors do."""

import threading

import numpy as np

from crewe.sources import Frames, Known, Scan
from crewe.sources.memory import ArraySource
from crewe.testing.diffraction import lattice_patterns

SHAPE, DETECTOR = (12, 16), (16, 16)


def lattice(seed=0, shape=SHAPE):
    return lattice_patterns(shape, DETECTOR, 400, np.random.default_rng(seed), atoms_across=2)


class Detector(ArraySource):
    """Hands out scans of patterns in small batches; `gates` hold it up before some of them.

    After batch number n it waits for gates[n], so that a test can act in the middle of a scan.
    """

    def __init__(self, data, scans=1, batch=8, gates=None, error=None):
        super().__init__(data, Scan(data.shape[:2]), Known())
        self.scans, self.batch, self.error = scans, batch, error
        self.gates = gates or {}
        self.reached = {number: threading.Event() for number in self.gates}

    def batches(self):
        flat = self._data.reshape(-1, *self.detector_shape)
        number = 0
        for scan in range(self.scans):
            for first in range(0, len(flat), self.batch):
                if number in self.gates:
                    self.reached[number].set()
                    while not self.gates[number].wait(0.01) and not self._closed.is_set():
                        pass
                if self._closed.is_set():
                    return
                number += 1
                part = flat[first : first + self.batch]
                self.counters.received += len(part)
                self.counters.used += len(part)
                positions = np.arange(first, first + len(part))
                yield Frames(positions, part, scan, first)
        if self.error is not None:
            raise self.error
