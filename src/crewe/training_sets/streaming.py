"""Samples without a store: made while the network trains."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from itertools import count

from crewe.training_sets.making import Recall, make_sample, maker_of, recalled
from crewe.training_sets.sample import Sample, SampleMaker

SAMPLES_PER_TASK = 4


def stream(
    maker: SampleMaker,
    seed: int,
    start: int = 0,
    executor: Executor | None = None,
    *,
    ahead: int = 64,
    recall: Recall = maker_of,
) -> Iterator[Sample]:
    """Yield sample `start`, `start` + 1, … for ever, the same ones that a store would hold.

    With any executor of `concurrent.futures` about `ahead` samples are made in advance, a few
    in each task, and no more, however slowly they are taken; closing the iterator cancels
    those that have not begun. `recall` turns the recipe's text into the maker in the worker.
    A sample that fails ends the stream with its error.
    """
    if executor is None:
        for index in count(start):
            yield make_sample(maker, seed, index)
    else:
        yield from _ahead(executor, maker.text, seed, start, ahead, recall)


def _ahead(
    executor: Executor, text: str, seed: int, start: int, ahead: int, recall: Recall
) -> Iterator[Sample]:
    waiting: deque[Future[list[Sample]]] = deque()
    tasks = max(1, ahead // SAMPLES_PER_TASK)
    try:
        for first in count(start, SAMPLES_PER_TASK):
            waiting.append(executor.submit(_some, recall, text, seed, first))
            if len(waiting) >= tasks:
                yield from waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _some(recall: Recall, text: str, seed: int, first: int) -> list[Sample]:
    maker = recalled(recall, text)
    return [make_sample(maker, seed, first + i) for i in range(SAMPLES_PER_TASK)]
