"""The making of a training set: a plan goes in, blocks are made anywhere, a set comes out."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe import errors
from crewe.errors import CreweError, PlanError, WriteError
from crewe.workflows.many import Finished, Outcome, run_many
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.sample_progress import SampleProgress

if TYPE_CHECKING:
    from crewe.training_sets.blocks import BlockTask
    from crewe.training_sets.check import CheckReport
    from crewe.training_sets.folder import SetDescription
    from crewe.training_sets.making import Recall
    from crewe.training_sets.sample import SampleMaker
    from crewe.training_sets.store import TrainingSet

PACKERS = ("ase", "numcodecs", "pyarrow", "zarr")


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
    set, what a sample raises when it cannot be made, and WriteError when the disk or a worker
    fails, with what to do: what is whole by then stays.
    """
    from crewe.training_sets.blocks import BlockTask, clear_leftovers, missing_blocks
    from crewe.training_sets.folder import describe, prepare
    from crewe.training_sets.making import make_sample, maker_of
    from crewe.training_sets.store import open_training_set

    _check(plan)
    told = observer or Silent()
    path = plan.path.absolute()
    description = describe(plan.maker, plan.seed, plan.count, _versions())
    there = prepare(path, description)
    clear_leftovers(path)
    missing = missing_blocks(path, description)
    told.started(str(plan.path))
    if missing and there.versions != description.versions:
        told.warning(_other_versions(there.versions, description.versions))
    if missing:
        # What a recipe cannot make shows here, where its lines are still known.
        make_sample(plan.maker, plan.seed, 0)
    progress = SampleProgress(told, description, missing)
    tasks = [BlockTask(path, description, block, recall or maker_of) for block in missing]
    names = [f"block {block}" for block in missing]
    outcomes = run_many(make_one_block, tasks, names, workers=workers, scheduler=scheduler)
    _follow(outcomes, tasks, progress, plan.path)
    _finish(path, there)
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
    """Make one block of a set, wherever this runs.

    A sample that cannot be made is told in the summary, with its class: it would fail again.
    Raises WriteError.
    """
    from crewe.training_sets.blocks import make_block

    try:
        record = make_block(task)
    except WriteError:
        raise
    except CreweError as error:
        return _refusal(type(error).__name__, str(error))
    except Exception as error:
        said = f"unexpected {type(error).__name__}: {error}. Please report it; --debug shows where"
        return _refusal(CreweError.__name__, said)
    size = sum(file.bytes for file in record.files.values())
    return Finished({"samples": record.stop - record.start, "bytes": size})


def _refusal(kind: str, said: str) -> Finished:
    return Finished({"error": kind, "said": said, "trace": traceback.format_exc()})


def _versions() -> dict[str, str]:
    """Return the versions of what makes the numbers and of what packs them."""
    from importlib.metadata import version

    from crewe.workflows.provenance import versions

    return {**versions(), **{name: version(name) for name in PACKERS}}


def _other_versions(before: dict[str, str], now: dict[str, str]) -> str:
    """Return a line that names the libraries that changed since a set was begun."""
    changed = ", ".join(
        f"{name} {before.get(name, 'none')}, now {now.get(name, 'none')}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    )
    return (
        f"begun with {changed}: the last bits of the new samples may differ from what the old "
        "versions would make; the record of each block keeps its versions"
    )


def _check(plan: TrainingSetPlan) -> None:
    if plan.count < 1:
        raise PlanError(f"{plan.count} samples: give one or more")
    if plan.seed < 0:
        raise PlanError(f"seed {plan.seed}: give zero or a positive whole number")
    if plan.path.suffix != ".zarr":
        raise PlanError(f"{plan.path}: a training set is a zarr folder, give a name in .zarr")
    if not plan.path.absolute().parent.is_dir():
        raise WriteError(f"cannot write {plan.path}: its folder does not exist")


def _follow(outcomes: Any, tasks: list[BlockTask], progress: SampleProgress, shown: Path) -> None:
    """Hear of each block; the first that fails ends the run, as would all that follow."""
    try:
        for task, outcome in zip(tasks, outcomes, strict=True):
            if outcome.status == "failed":
                outcomes.close()
                raise _not_finished(outcome, how_to_go_on(task), shown)
            if "error" in outcome.summary:
                outcomes.close()
                raise _cannot_be_made(outcome.summary, so_far(task), shown)
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


def _cannot_be_made(refused: dict[str, str], there: str, shown: Path) -> CreweError:
    """Return the error of a sample again, as it was in the worker but for its place."""
    kind: type[CreweError] = getattr(errors, refused["error"], CreweError)
    error = kind(f"{shown} is not finished: {refused['said']}. {there}")
    error.add_note(refused["trace"])
    return error


def how_to_go_on(task: BlockTask) -> str:
    """Return how much of a set is whole, what the rest needs and what to do."""
    from crewe.training_sets.blocks import stored_bytes

    whole, count = _whole(task), task.description.count
    space = ""
    if whole:
        needed = stored_bytes(task.path, task.description) / whole * (count - whole)
        space = f", which need about {max(1, round(needed / 1e6))} MB more"
    return f"{so_far(task)}; run the same command again to make the others{space}"


def so_far(task: BlockTask) -> str:
    """Return how much of a set is whole."""
    return f"{_whole(task)} of {task.description.count} samples are whole"


def _whole(task: BlockTask) -> int:
    from crewe.training_sets.blocks import missing_blocks

    description = task.description
    spans = [description.span(block) for block in missing_blocks(task.path, description)]
    return description.count - sum(stop - start for start, stop in spans)


def _finish(path: Path, description: SetDescription) -> None:
    """Join the manifest and declare the set complete; nothing to do where it is already."""
    from crewe.training_sets.folder import completed, read_description, write_metadata
    from crewe.training_sets.pieces import merge_manifest

    if read_description(path).complete and (path / "manifest.parquet").exists():
        return
    merge_manifest(path, description)
    write_metadata(path, completed(description))
