"""A training run: a plan goes in, a folder with weights, log and pictures comes out."""

from __future__ import annotations

import importlib.util
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.errors import CreweError, PlanError, WriteError
from crewe.io.atomic import atomic_path
from crewe.workflows.many import local_processes
from crewe.workflows.observer import Observer, Silent

if TYPE_CHECKING:
    from crewe.networks.train import Trained
    from crewe.networks.training_plan import TrainingPlan
    from crewe.networks.validation import Picture

PLAN, RECIPE, FIGURE = "plan.yaml", "recipe.yaml", "figure.png"


def run_training(
    plan: TrainingPlan,
    folder: Path,
    *,
    resume: bool = False,
    steps: int | None = None,
    observer: Observer | None = None,
) -> Trained:
    """Train by a plan into a folder, which is made, and return how it ended.

    Besides what `crewe.networks.train.train` writes, the folder holds the plan and the recipe with
    every default spelled out, and a picture of fixed validation examples: given, restored, wanted.
    Ctrl-C and SIGTERM end the run after its step, with a checkpoint, in a KeyboardInterrupt.
    Raises PlanError without torch, and what `train` raises.
    """
    require_torch()
    from crewe.networks.starting_weights import weights_path
    from crewe.networks.train import CHECKPOINT, train
    from crewe.networks.training_plan import maker_of_plan
    from crewe.recipes import to_yaml

    told = observer or Silent()
    told.started(str(folder))
    maker = maker_of_plan(plan)
    if (folder / CHECKPOINT).exists() and not resume:
        raise PlanError(f"{folder} holds a run: resume it (--resume) or give another folder")
    if plan.network.start_from is not None and not (folder / CHECKPOINT).exists():
        weights_path(plan.network.start_from)
    _make(folder)
    with _interrupts_noted() as stop, _workers(plan.workers) as executor:
        told_and_drawn = _Told(told, folder)
        trained = train(
            plan,
            folder,
            told_and_drawn,
            resume=resume,
            steps=steps,
            executor=executor,
            stop=stop,
            maker=maker,
            begun=lambda: _write_texts(folder, {PLAN: to_yaml(plan), RECIPE: maker.text}),
        )
    if not trained.whole:
        told.warning(f"interrupted after step {trained.step}; --resume goes on from there")
        raise KeyboardInterrupt
    told.finished(
        f"step {trained.step} of {plan.steps}; best validation {trained.best_psnr_db:.2f} dB at "
        f"step {trained.best_step}"
    )
    return trained


def require_torch() -> None:
    """Raise PlanError, with what to install, when there is no torch."""
    if importlib.util.find_spec("torch") is None:
        raise PlanError("training needs torch, which is not installed: pip install 'crewe[train]'")


@dataclass(frozen=True)
class _Told:
    """Hands what a run says to an observer, and draws its pictures."""

    observer: Observer
    folder: Path

    def stage_started(self, stage: str) -> None:
        self.observer.stage_started(stage)

    def advanced(self, stage: str, fraction: float) -> None:
        self.observer.advanced(stage, fraction)

    def message(self, text: str) -> None:
        self.observer.message(text)

    def warning(self, text: str) -> None:
        self.observer.warning(text)

    def pictured(self, drawn: list[Picture], step: int) -> None:
        if drawn:
            write_pictures(drawn, step, self.folder / FIGURE)


def write_pictures(drawn: list[Picture], step: int, path: Path) -> None:
    """Write a contact sheet of validation examples as PNG, one in each row. Raises WriteError."""
    from crewe.plots.contact_sheet import CaptionedImage, SheetRow, contact_sheet, sheet_png

    def row(number: int, one: Picture) -> SheetRow:
        pixel = one.pixel_size_angstrom or None
        shown = ((one.given, "given"), (one.restored, "network"), (one.wanted, "ideal"))
        images = [CaptionedImage(array, word, pixel) for array, word in shown]
        return SheetRow(images, f"{number}  {one.psnr_db:.2f} dB, step {step}")

    rows = [row(number, one) for number, one in enumerate(drawn)]
    with atomic_path(path, overwrite=True) as temporary:
        temporary.write_bytes(sheet_png(contact_sheet(rows)))


@contextmanager
def _interrupts_noted() -> Iterator[Callable[[], bool]]:
    """Note Ctrl-C and SIGTERM instead of breaking off a step; a second one breaks off.

    Only the main thread hears signals; elsewhere nothing is noted.
    """
    came = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return

    def note(number: int, frame: Any) -> None:
        if came.is_set():
            raise KeyboardInterrupt
        came.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _workers(count: int) -> Iterator[Executor | None]:
    try:
        with local_processes(count, count) if count else nullcontext() as executor:
            yield executor
    except BrokenExecutor as error:
        raise CreweError(
            "a worker process ended early: is there enough memory? Set fewer workers in the plan; "
            "--resume goes on after the last checkpoint"
        ) from error


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot write {folder}: {error.strerror or error}") from error


def _write_texts(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        with atomic_path(folder / name, overwrite=True) as temporary:
            temporary.write_text(text, encoding="utf-8")
