"""Phonon configurations carried out one after the other or by several processes, with time left."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence

from crewe import errors
from crewe.errors import CreweError, WriteError
from crewe.workflows.many import Finished, run_many
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.phonon_folder import PhononTask
from crewe.workflows.sample_progress import SECONDS_BETWEEN_MESSAGES, readable_time

STAGE = "multislice"


def carry_out(
    tasks: Sequence[PhononTask], observer: Observer, workers: int = 0, there: int = 0
) -> None:
    """Make the configurations that are missing, in the order of the tasks.

    `there` more are stored already. The images do not depend on the workers. Raises the error of
    the first that fails; what is whole by then stays, as after an interruption.
    """
    progress = _Progress(observer, len(tasks), there)
    names = [f"configuration {one.configuration} of specimen {one.specimen}" for one in tasks]
    outcomes = run_many(_make, tasks, names, observer=progress, workers=workers)
    try:
        for outcome in outcomes:
            if outcome.error is not None:
                raise WriteError(f"{outcome.name}: {outcome.error}")
            if "error" in outcome.summary:
                kind: type[CreweError] = getattr(errors, outcome.summary["error"], CreweError)
                error = kind(outcome.summary["said"])
                error.add_note(outcome.summary["trace"])
                raise error
            progress.made()
    except KeyboardInterrupt:
        observer.warning(
            f"interrupted; {progress.whole} of {progress.all} configurations are whole: run the "
            "same command again to go on"
        )
        raise
    finally:
        outcomes.close()  # type: ignore[attr-defined]


def _make(task: PhononTask, observer: Observer) -> Finished:
    """Carry out a task wherever this runs; its own errors keep their class."""
    try:
        task.carry_out(observer)
    except WriteError:
        raise
    except CreweError as error:
        said = {"error": type(error).__name__, "said": str(error)}
        return Finished({**said, "trace": traceback.format_exc()})
    return Finished({})


class _Progress(Silent):
    """Tells how many configurations are there, and when the last one will be."""

    def __init__(self, told: Observer, missing: int, there: int) -> None:
        self.told = told
        self.all = missing + there
        self.whole = there
        self._there = there
        self._began = self._told_at = time.monotonic()
        told.stage_started(STAGE)
        if there:
            told.message(f"{there} of {self.all} configurations are there already")

    def advanced(self, stage: str, fraction: float) -> None:
        """Hear how far the configuration at hand has come."""
        self.told.advanced(STAGE, (self.whole + fraction) / self.all)

    def made(self) -> None:
        """Count a configuration."""
        self.whole += 1
        self.told.advanced(STAGE, self.whole / self.all)
        now = time.monotonic()
        if now - self._told_at >= SECONDS_BETWEEN_MESSAGES and self.whole < self.all:
            self._told_at = now
            each = (now - self._began) / (self.whole - self._there)
            left = readable_time(each * (self.all - self.whole))
            self.told.message(f"{self.whole} of {self.all} configurations, {left} left")
