"""Several methods over the same data in one pass, in one thread or in several."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import islice
from threading import RLock
from typing import TYPE_CHECKING, Any

from crewe.errors import ClosedError
from crewe.sources import Batch, DividedSource, Source
from crewe.stem4d.reducer import ImageMaker, Reducer

if TYPE_CHECKING:
    import xarray as xr


class Reduction:
    """Reducers that see each batch once, and the images made of what they keep.

    `lock` is held while something is added and while images are made: take it to change several
    parameters at once from another thread.
    """

    def __init__(self, reducers: Sequence[Reducer], makers: Sequence[ImageMaker]) -> None:
        self.reducers = tuple(reducers)
        self.makers = tuple(makers)
        self.lock = RLock()

    def measure(self, batch: Batch) -> tuple[Any, ...]:
        """Return what each reducer measures of a batch; changes nothing, needs no lock."""
        return tuple(reducer.measure(batch) for reducer in self.reducers)

    def add(self, measured: Sequence[Any]) -> None:
        """Add what was measured of one batch."""
        with self.lock:
            for reducer, part in zip(self.reducers, measured, strict=True):
                reducer.add(part)

    def images(self) -> dict[str, xr.DataArray]:
        """Return the images of all methods by name, of the data so far."""
        with self.lock:
            return {name: image for maker in self.makers for name, image in maker.images().items()}


def reduce(
    source: Source,
    reduction: Reduction,
    threads: int = 1,
    heard: Callable[[Batch], None] | None = None,
) -> None:
    """Take all batches of a source into a reduction.

    With several threads batches are read, where the source can be read at any place, and measured
    side by side; the result is the same. `heard` is told of each batch after it was added. A source
    that is closed meanwhile, from another thread, ends there.
    """
    if threads == 1:
        for batch in source.batches():
            reduction.add(reduction.measure(batch))
            if heard:
                heard(batch)
        return
    with ThreadPoolExecutor(threads) as pool:
        for batch, measured in _side_by_side(pool, _tasks(source), reduction.measure, 2 * threads):
            reduction.add(measured)
            if heard:
                heard(batch)


def _tasks(source: Source) -> Iterator[Callable[[], Batch]]:
    if isinstance(source, DividedSource):
        yield from source.parts()
    else:
        for batch in source.batches():
            yield partial(_same, batch)


def _same(batch: Batch) -> Batch:
    return batch


def _side_by_side(
    pool: ThreadPoolExecutor,
    tasks: Iterator[Callable[[], Batch]],
    measure: Callable[[Batch], Any],
    ahead: int,
) -> Iterator[tuple[Batch, Any]]:
    def run(task: Callable[[], Batch]) -> tuple[Batch, Any]:
        batch = task()
        return batch, measure(batch)

    # Bounded, so that a fast reader cannot fill the memory.
    waiting: deque[Future[tuple[Batch, Any]]] = deque(
        pool.submit(run, task) for task in islice(tasks, ahead)
    )
    try:
        while waiting:
            first = waiting.popleft()
            # Closing a source ends it; what was read before counts.
            with suppress(ClosedError):
                yield first.result()
            for task in islice(tasks, 1):
                waiting.append(pool.submit(run, task))
    finally:
        for future in waiting:
            future.cancel()
