"""One way to do a thing to many items: here, in local processes or on a Dask cluster.

Every verb that works on many things goes through `run_many`. Whatever carries it
out is a `concurrent.futures` executor; the verb cannot know which. Keep this
module free of heavy imports: a worker process sets its number of threads before
numpy is loaded.
"""

import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, TypeVar

from crewe.errors import CreweError, PlanError
from crewe.workflows.observer import Observer, Recorder, Silent, retell

Item = TypeVar("Item")


@dataclass(frozen=True)
class Finished:
    """What a verb gives back for one item."""

    summary: dict[str, Any]
    """The result in numbers; can be written as JSON."""
    skipped: bool = False
    """True when the result was there already."""


Verb = Callable[[Item, Observer], Finished]


@dataclass(frozen=True)
class Outcome:
    """How one item went."""

    name: str
    status: str
    """'done', 'skipped' or 'failed'."""
    summary: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    """What was wrong and what to do, when the item failed."""
    trace: str | None = None
    """The traceback of the failure, for --debug."""
    heard: list[tuple[str, str]] = field(default_factory=list)
    """What an observer was told in a worker process."""


def run_many(
    verb: Verb[Item],
    items: Sequence[Item],
    names: Sequence[str],
    *,
    observer: Observer | None = None,
    workers: int = 0,
    scheduler: str | None = None,
) -> Iterator[Outcome]:
    """Do the verb to every item and yield the outcomes in the order of the items.

    An item that fails is an outcome like the others. `workers` counts local
    processes (0: this process); `scheduler` is the address of a Dask cluster
    whose workers see the same files. Closing the iterator cancels what has not
    begun. Raises PlanError when both are given or the cluster does not answer.
    """
    listener = observer or Silent()
    if workers and scheduler:
        raise PlanError("choose either --workers or --scheduler, not both")
    if not workers and not scheduler:
        for item, name in zip(items, names, strict=True):
            yield attempt(verb, item, name, listener)
        return
    pool = local_processes(workers, len(items)) if workers else dask_cluster(str(scheduler))
    with pool as executor:
        with _interrupts_held():
            futures = [
                executor.submit(attempt, verb, item, name)
                for item, name in zip(items, names, strict=True)
            ]
        try:
            for future, name in zip(futures, names, strict=True):
                outcome = _outcome_of(future, name)
                retell(outcome.heard, listener)
                yield outcome
        finally:
            for future in futures:
                future.cancel()


def attempt(verb: Verb[Item], item: Item, name: str, observer: Observer | None = None) -> Outcome:
    """Do the verb to one item; every failure becomes an outcome.

    Without an observer, what would have been said is kept in the outcome.
    """
    recorder = Recorder()
    try:
        with _interruptible():
            finished = verb(item, observer or recorder)
    except CreweError as error:
        return Outcome(name, "failed", {}, str(error), traceback.format_exc(), recorder.heard)
    except Exception as error:
        said = f"unexpected {type(error).__name__}: {error}. Please report it; --debug shows where"
        return Outcome(name, "failed", {}, said, traceback.format_exc(), recorder.heard)
    status = "skipped" if finished.skipped else "done"
    return Outcome(name, status, finished.summary, heard=recorder.heard)


@contextmanager
def local_processes(workers: int, items: int) -> Iterator[Executor]:
    """Lend an executor of local processes that share the cores between them."""
    processes = max(1, min(workers, items))
    threads = max(1, (os.cpu_count() or 1) // processes)
    with ProcessPoolExecutor(
        processes,
        # Forking a process that has started threads can deadlock it.
        mp_context=get_context("spawn"),
        initializer=_prepare_worker,
        initargs=(threads,),
    ) as executor:
        yield executor


@contextmanager
def dask_cluster(address: str) -> Iterator[Executor]:
    """Lend an executor on a running Dask cluster; raise PlanError when it does not answer."""
    from distributed import Client

    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError, TimeoutError) as error:
        raise PlanError(
            f"no Dask scheduler answers at {address}: start one with 'dask scheduler', "
            "or use --workers for processes on this machine"
        ) from error
    with client, client.get_executor(pure=False) as executor:
        yield executor


def _outcome_of(future: "Future[Outcome]", name: str) -> Outcome:
    try:
        return future.result()
    except Exception as error:
        said = f"its worker process ended early ({type(error).__name__}): is there enough memory?"
        return Outcome(name, "failed", {}, said, traceback.format_exc())


class _Interrupts:
    """Ctrl-C in a worker: ends the item at hand, and every item that was queued behind it."""

    in_item = False
    came = False

    @classmethod
    def hear(cls, signal_number: int, frame: Any) -> None:
        cls.came = True
        # Between items an exception would only end in a traceback on the terminal.
        if cls.in_item:
            raise KeyboardInterrupt


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while processes start: they inherit this until they are prepared."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


def _prepare_worker(threads: int) -> None:
    signal.signal(signal.SIGINT, _Interrupts.hear)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(variable, str(threads))


@contextmanager
def _interruptible() -> Iterator[None]:
    _Interrupts.in_item = True
    try:
        if _Interrupts.came:
            raise KeyboardInterrupt
        yield
    finally:
        _Interrupts.in_item = False
