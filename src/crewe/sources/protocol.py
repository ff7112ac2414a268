"""What every source of 4D-STEM data hands out, be it a file, a detector or an array."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from crewe.sources.counters import Counters
from crewe.sources.scan import Scan


@dataclass(frozen=True, slots=True)
class Frames:
    """Diffraction patterns of one scan and where they were taken.

    `patterns` (frame, ky, kx) is of any real dtype and byte order, each pattern contiguous;
    `positions` holds row·columns + column of each. Frames of the flyback are left out. Nothing of
    this scan follows below the position `finished`; 0 promises nothing.
    """

    positions: NDArray[np.int64]
    patterns: NDArray[Any]
    scan: int = 0
    finished: int = 0


@dataclass(frozen=True, slots=True)
class Events:
    """Single electrons of one scan: the probe position and the detector pixel of each.

    `positions` and `pixels` (ky·width + kx) have one entry per electron, in any order. All
    positions below `finished` were visited: without electrons they measured zero.
    """

    positions: NDArray[np.int64]
    pixels: NDArray[np.uint32]
    detector_shape: tuple[int, int]
    scan: int = 0
    finished: int = 0


Batch = Frames | Events


@dataclass(frozen=True)
class Known:
    """What data say about their own calibration; None where they say nothing."""

    detector_sampling_inverse_angstrom: tuple[float, float] | None = None
    """Size (ky, kx) of a detector pixel in 1/Å."""
    beam_energy_kev: float | None = None
    convergence_semi_angle_mrad: float | None = None


@runtime_checkable
class Source(Protocol):
    """Opened 4D-STEM data, in batches. Used as a context; what has ended gives no more batches.

    A batch is the receiver's: a source does not write into it again.
    """

    scan: Scan
    detector_shape: tuple[int, int]
    known: Known
    counters: Counters

    def batches(self) -> Iterator[Batch]:
        """Yield the data in the order of their arrival."""
        ...

    def close(self) -> None:
        """Let go of files and connections; may be called twice and from another thread."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class DividedSource(Source, Protocol):
    """A source whose batches can be read in any order and by several threads at once."""

    def parts(self) -> Iterator[Callable[[], Batch]]:
        """Yield one function per batch that reads it; together they are batches().

        Closing ends it; functions called afterwards raise ClosedError.
        """
        ...
