"""Rows of an image, shared out to threads."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

# Fewer rows than this are done before a second thread has woken up.
_LEAST_ROWS = 96


def processors() -> int:
    """Return how many threads this process may keep busy: NUMBA_NUM_THREADS, or its processors."""
    wanted = os.environ.get("NUMBA_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Bands:
    """Runs compiled steps over bands of rows at once; a context manager.

    A step is called with the first row and the row after the last, and must release the
    interpreter lock. Compiled loops that are parallel by themselves would wait for each other
    on a busy machine, and may not be called from several threads.
    """

    def __init__(self, rows: int, threads: int) -> None:
        self.threads = max(1, min(threads, rows // _LEAST_ROWS))
        edges = [rows * band // self.threads for band in range(self.threads + 1)]
        self._bands = list(itertools.pairwise(edges))
        self._pool = ThreadPoolExecutor(self.threads) if self.threads > 1 else None

    def __enter__(self) -> Bands:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool:
            self._pool.shutdown()

    def run(self, step: Callable[[int, int], None]) -> None:
        """Call a step for every band and wait for all."""
        if self._pool is None:
            for first, last in self._bands:
                step(first, last)
            return
        for done in [self._pool.submit(step, first, last) for first, last in self._bands]:
            done.result()
