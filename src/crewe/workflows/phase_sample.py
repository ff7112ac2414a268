"""The mean pattern of a sample of the data, from which the bright-field disk is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from crewe.errors import ReadError
from crewe.sources import Batch, DividedSource, Events, Source
from crewe.stem4d.mean_pattern import MeanPattern
from crewe.workflows.phase_faults import reasons

PARTS = 32
SAMPLED_BYTES = 512 * 2**20
SAMPLED_EVENTS = 5_000_000
MOST_READ = 2
"""So many samples are read at most to be spread: large parts are read whole, but not all used."""
_GOLDEN = 0.6180339887498949


def sample(source: Source) -> MeanPattern:
    """Return the mean pattern of parts spread over the data.

    Of a source that is read from its beginning only, the first patterns or events are taken.
    Raises ReadError when there are none.
    """
    mean = MeanPattern(source.detector_shape, at_most=None)
    for batch in _spread(source) if isinstance(source, DividedSource) else _first(source):
        mean.add(mean.measure(batch))
    if mean.number == 0:
        raise ReadError(
            "the data hold no pattern on a probe position: is the scan the right one? "
            f"({reasons(source.counters)})"
        )
    return mean


def _first(source: Source) -> Iterator[Batch]:
    taken = 0.0
    for batch in source.batches():
        yield batch
        taken += _share(batch)
        if taken >= 1:
            return


def _spread(source: DividedSource) -> Iterator[Batch]:
    parts = list(source.parts())
    # Golden steps cover the data evenly, however early they are broken off.
    steps = (int((0.5 + step * _GOLDEN) % 1 * len(parts)) for step in range(PARTS))
    chosen = list(dict.fromkeys(steps if parts else ()))
    read = 0.0
    for number in chosen:
        batch = parts[number]()
        share = _share(batch)
        yield _every_second(batch) if share * len(chosen) > 1 else batch
        read += share
        if read >= MOST_READ:
            return


def _share(batch: Batch) -> float:
    """Return how much of a sample a batch is."""
    if isinstance(batch, Events):
        return len(batch.pixels) / SAMPLED_EVENTS
    return batch.patterns.nbytes / SAMPLED_BYTES


def _every_second(batch: Batch) -> Batch:
    if isinstance(batch, Events):
        return replace(batch, positions=batch.positions[::2], pixels=batch.pixels[::2])
    return replace(batch, positions=batch.positions[::2], patterns=batch.patterns[::2])
