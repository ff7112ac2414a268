"""The mean pattern of a sample of the data, from which the bright-field disk is found."""

from __future__ import annotations

from collections.abc import Iterator

from crewe.errors import ReadError
from crewe.sources import Batch, DividedSource, Events, Source
from crewe.stem4d.mean_pattern import MeanPattern
from crewe.workflows.phase_faults import reasons

PARTS = 32
SAMPLED_BYTES = 512 * 2**20
SAMPLED_EVENTS = 5_000_000
_GOLDEN = 0.6180339887498949


def sample(source: Source) -> MeanPattern:
    """Return the mean pattern of parts spread over the data.

    Of a source that is read from its beginning only, the first patterns or events are taken.
    Raises ReadError when there are none.
    """
    mean = MeanPattern(source.detector_shape, at_most=None)
    taken = 0.0
    for batch in _spread(source):
        mean.add(mean.measure(batch))
        if isinstance(batch, Events):
            taken += len(batch.pixels) / SAMPLED_EVENTS
        else:
            taken += batch.patterns.nbytes / SAMPLED_BYTES
        if taken >= 1:
            break
    if mean.number == 0:
        raise ReadError(
            "the data hold no pattern on a probe position: is the scan the right one? "
            f"({reasons(source.counters)})"
        )
    return mean


def _spread(source: Source) -> Iterator[Batch]:
    if not isinstance(source, DividedSource):
        yield from source.batches()
        return
    parts = list(source.parts())
    # Golden steps cover the data evenly, however early they are broken off.
    chosen = (int((0.5 + step * _GOLDEN) % 1 * len(parts)) for step in range(PARTS))
    for number in dict.fromkeys(chosen if parts else ()):
        yield parts[number]()
