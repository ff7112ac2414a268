"""The making of a training set: a plan goes in, blocks are made anywhere, a set comes out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.errors import PlanError, WriteError
from crewe.workflows.many import Finished, Outcome, run_many
from crewe.workflows.observer import Observer, Silent

if TYPE_CHECKING:
    from crewe.training_sets.blocks import BlockTask
    from crewe.training_sets.check import CheckReport
    from crewe.training_sets.folder import SetDescription
    from crewe.training_sets.making import Recall
    from crewe.training_sets.sample import SampleMaker
    from crewe.training_sets.store import TrainingSet

STAGE = "samples"
PACKERS = ("ase", "numcodecs", "pyarrow", "zarr")
SECONDS_BETWEEN_MESSAGES = 10.0


@dataclass(frozen=True)
class TrainingSetPlan:
    """All that decides a training set."""

    maker: SampleMaker
    """A recipe that has been read."""
    count: int
    """Number of samples."""
    path: Path
    """Folder to write, which ends in .zarr."""
    seed: int = 0


def make_training_set(
    plan: TrainingSetPlan,
    *,
    observer: Observer | None = None,
    workers: int = 0,
    scheduler: str | None = None,
    recall: Recall | None = None,
) -> TrainingSet:
    """Make what is missing of a training set and return the set.

    The bytes of the set depend on recipe, seed, count and the versions of the libraries, not on
    who makes which block. A set that was interrupted goes on, one that is there is kept, and
    one that shall hold more samples grows. `recall` reads the recipe's text in a worker; by
    default it is a recipe of this package. Raises PlanError for a folder that holds another
    set and WriteError when the set cannot be finished: what is whole by then stays.
    """
    from crewe.training_sets.blocks import BlockTask, clear_leftovers, missing_blocks
    from crewe.training_sets.folder import describe, prepare
    from crewe.training_sets.making import maker_of
    from crewe.training_sets.store import open_training_set

    _check(plan)
    told = observer or Silent()
    path = plan.path.absolute()
    description = describe(plan.maker, plan.seed, plan.count, _versions())
    prepare(path, description)
    clear_leftovers(path)
    missing = missing_blocks(path, description)
    told.started(str(plan.path))
    progress = _Progress(told, description, missing)
    tasks = [BlockTask(path, description, block, recall or maker_of) for block in missing]
    names = [f"block {block}" for block in missing]
    outcomes = run_many(make_one_block, tasks, names, workers=workers, scheduler=scheduler)
    _follow(outcomes, tasks, progress, plan.path)
    _finish(path, description)
    told.finished(f"{plan.count} samples of {plan.maker.name} in {plan.path}")
    return open_training_set(plan.path)


def mend_training_set(
    report: CheckReport,
    *,
    observer: Observer | None = None,
    workers: int = 0,
    scheduler: str | None = None,
    recall: Recall | None = None,
) -> TrainingSet:
    """Make the blocks again that a check found damaged or missing, and return the set.

    The recipe is the one that the set holds. Raises what `make_training_set` raises.
    """
    from crewe.training_sets.check import prepare_mending
    from crewe.training_sets.folder import read_description
    from crewe.training_sets.making import maker_of, recalled

    description = read_description(report.path)
    maker = recalled(recall or maker_of, description.recipe)
    plan = TrainingSetPlan(maker, description.count, report.path, description.seed)
    prepare_mending(report)
    return make_training_set(
        plan, observer=observer, workers=workers, scheduler=scheduler, recall=recall
    )


def make_one_block(task: BlockTask, observer: Observer) -> Finished:
    """Make one block of a set, wherever this runs."""
    from crewe.training_sets.blocks import make_block

    record = make_block(task)
    size = sum(file.bytes for file in record.files.values())
    return Finished({"samples": record.stop - record.start, "bytes": size})


def _versions() -> dict[str, str]:
    """Return the versions of what makes the numbers and of what packs them."""
    from importlib.metadata import version

    from crewe.workflows.provenance import versions

    return {**versions(), **{name: version(name) for name in PACKERS}}


def _check(plan: TrainingSetPlan) -> None:
    if plan.count < 1:
        raise PlanError(f"{plan.count} samples: give one or more")
    if plan.seed < 0:
        raise PlanError(f"seed {plan.seed}: give zero or a positive whole number")
    if plan.path.suffix != ".zarr":
        raise PlanError(f"{plan.path}: a training set is a zarr folder, give a name in .zarr")
    if not plan.path.absolute().parent.is_dir():
        raise WriteError(f"cannot write {plan.path}: its folder does not exist")


def _follow(outcomes: Any, tasks: list[BlockTask], progress: _Progress, shown: Path) -> None:
    """Hear of each block; the first that fails ends the run, as would all that follow."""
    try:
        for task, outcome in zip(tasks, outcomes, strict=True):
            if outcome.status == "failed":
                outcomes.close()
                raise _not_finished(outcome, how_to_go_on(task), shown)
            progress.made(*task.description.span(task.block))
    except KeyboardInterrupt:
        outcomes.close()
        progress.observer.warning(f"interrupted; {how_to_go_on(tasks[0])}")
        raise


def _not_finished(outcome: Outcome, advice: str, shown: Path) -> WriteError:
    error = WriteError(f"{shown} is not finished: {outcome.error}. {advice}")
    if outcome.trace:
        error.add_note(outcome.trace)
    return error


def how_to_go_on(task: BlockTask) -> str:
    """Return how much of a set is whole, what the rest needs and what to do."""
    from crewe.training_sets.blocks import missing_blocks, stored_bytes

    description = task.description
    missing = missing_blocks(task.path, description)
    spans = [description.span(block) for block in missing]
    whole = description.count - sum(stop - start for start, stop in spans)
    space = ""
    if whole:
        needed = stored_bytes(task.path, description) / whole * (description.count - whole)
        space = f", which need about {max(1, round(needed / 1e6))} MB more"
    return (
        f"{whole} of {description.count} samples are whole; run the same command again to make "
        f"the others{space}"
    )


def _finish(path: Path, description: SetDescription) -> None:
    """Join the manifest and declare the set complete; nothing to do where it is already."""
    from crewe.training_sets.folder import completed, read_description, write_metadata
    from crewe.training_sets.pieces import merge_manifest

    if read_description(path).complete and (path / "manifest.parquet").exists():
        return
    merge_manifest(path, description)
    write_metadata(path, completed(description))


class _Progress:
    """Tells how many samples there are, how fast they come and how long it will take."""

    def __init__(self, observer: Observer, description: SetDescription, missing: list[int]) -> None:
        self.observer = observer
        self._count = description.count
        spans = [description.span(block) for block in missing]
        self._there = description.count - sum(stop - start for start, stop in spans)
        self._new = 0
        self._began = self._told = time.monotonic()
        observer.stage_started(STAGE)
        if self._there:
            observer.message(f"{self._there} of {self._count} samples are there already")

    def made(self, start: int, stop: int) -> None:
        """Count the samples of a block."""
        self._new += stop - start
        self.observer.advanced(STAGE, (self._there + self._new) / self._count)
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_MESSAGES:
            self._told = now
            self.observer.message(self.so_far(now - self._began))

    def so_far(self, seconds: float) -> str:
        """Return number, speed and time left in one line."""
        rate = self._new / seconds
        left = (self._count - self._there - self._new) / rate
        return (
            f"{self._there + self._new} of {self._count} samples, {rate:.3g} per second, "
            f"{readable_time(left)} left"
        )


def readable_time(seconds: float) -> str:
    """Write a duration in the units that people use."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
