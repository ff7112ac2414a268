"""The training loop: steps, log, validation, checkpoints; goes on where it was cut off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from crewe.errors import PlanError
from crewe.networks.batches import Example, batches, validation_examples
from crewe.networks.checkpoints import read_checkpoint, write_checkpoint
from crewe.networks.starting_weights import start_from
from crewe.networks.training_log import TrainingLog
from crewe.networks.training_parts import Build, build_networks, device_of
from crewe.networks.training_plan import MASKS, TrainingPlan, maker_of_plan
from crewe.networks.training_state import TrainingState
from crewe.networks.validation import Picture, measure, pictures
from crewe.recipes import parse_yaml, to_yaml
from crewe.training_sets.making import Recall, maker_of
from crewe.training_sets.sample import SampleMaker

CHECKPOINT, BEST, LOG = "checkpoint.pt", "best.pt", "log.csv"
FIXED = ("recipe", "network", "batch_size", "seed")
"""What decides samples and networks: a run that goes on keeps it."""


class Listener(Protocol):
    """Hears of a training run."""

    def stage_started(self, stage: str) -> None:
        """Hear that a named part of the run begins."""

    def advanced(self, stage: str, fraction: float) -> None:
        """Hear how far the run has come, from 0 to 1."""

    def message(self, text: str) -> None:
        """Hear something worth saying that needs no action."""

    def warning(self, text: str) -> None:
        """Hear of something that should be known."""

    def pictured(self, drawn: list[Picture], step: int) -> None:
        """Hear what the network makes of the fixed examples after a step."""


@dataclass(frozen=True)
class Trained:
    """How a run ended."""

    step: int
    whole: bool
    """Whether all steps that were asked for are done."""
    best_psnr_db: float
    """On the validation set; -inf before the first measurement."""
    best_step: int


def train(
    plan: TrainingPlan,
    folder: Path,
    listener: Listener,
    *,
    resume: bool = False,
    steps: int | None = None,
    executor: Executor | None = None,
    stop: Callable[[], bool] = lambda: False,
    begun: Callable[[], None] = lambda: None,
    build: Build = build_networks,
    maker: SampleMaker | None = None,
    recall: Recall = maker_of,
) -> Trained:
    """Train by a plan into a folder, up to step `steps` of the plan or to its end.

    Writes `checkpoint.pt` (all that the run needs to go on), `best.pt` (plan and weights of the
    best validation) and `log.csv`. A run that goes on takes the very steps that it would have
    taken: on the CPU, with as many threads, its weights are equal bit for bit. `stop` is asked
    after each step; when it says True a checkpoint is written and the run ends. `begun` is called
    once it is clear that the folder takes the run. Raises PlanError for a folder that holds a run
    when not resuming, or a run of other samples or networks, ReadError for a damaged checkpoint,
    CreweError when loss or gradient is not finite (the checkpoint before it stays), WriteError.
    """
    maker = maker_of_plan(plan) if maker is None else maker
    state = TrainingState(plan, build(plan), device_of(plan))
    there = (folder / CHECKPOINT).exists()
    if there and not resume:
        raise PlanError(f"{folder} holds a run: resume it (--resume) or give another folder")
    if there:
        _take_up(state, read_checkpoint(folder / CHECKPOINT), listener, folder)
    else:
        _begin(state, listener, resume)
    begun()
    last = plan.steps if steps is None else min(steps, plan.steps)
    if state.step >= last:
        listener.message(f"all of {last} steps are done")
        return _ended(state, last)
    listener.stage_started(f"making {plan.validation.count} validation examples")
    examples = validation_examples(plan, maker, executor, recall)
    run = _Run(state, folder, listener, examples, TrainingLog(folder / LOG, state.step))
    run.begin()
    with closing(batches(plan, maker, state.step, executor, recall)) as made:  # type: ignore[type-var]
        run.go(made, last, stop)
    return _ended(state, last)


def _begin(state: TrainingState, listener: Listener, resume: bool) -> None:
    if resume:
        listener.message("no checkpoint to resume from: begins at step 0")
    source = state.plan.network.start_from
    if source is not None:
        start_from(state.networks.generator, source)
        listener.message(f"starts from the weights of {source}")


def _ended(state: TrainingState, last: int) -> Trained:
    learned = state.learned
    return Trained(state.step, state.step >= last, learned.best_psnr_db, learned.best_step)


def _take_up(
    state: TrainingState, contents: dict[str, Any], listener: Listener, folder: Path
) -> None:
    plan = state.plan.plain()
    before = TrainingPlan.read(*parse_yaml(contents["plan"], str(folder / CHECKPOINT))).plain()
    changed = [key for key in plan if plan[key] != before[key]]
    fixed = [key for key in changed if key in FIXED]
    if fixed:
        raise PlanError(
            f"{folder} holds a run with another {', '.join(fixed)}: give another folder, or the "
            "plan.yaml of that one"
        )
    if changed:
        listener.warning(f"the run was begun with another {', '.join(changed)}")
    state.go_on(contents)
    listener.message(f"goes on after step {state.step}")


@dataclass
class _Run:
    """The parts of a run under way."""

    state: TrainingState
    folder: Path
    listener: Listener
    examples: list[Example]
    log: TrainingLog

    def begin(self) -> None:
        """Say where it works, and how good the examples are before any restoration."""
        untouched = measure(self.examples, lambda batch: batch, self.state.plan.batch_size)
        parameters = sum(one.numel() for one in self.state.networks.generator.parameters())
        self.listener.message(
            f"{parameters} parameters on {self.state.device}; "
            f"the validation images as given have {untouched.psnr_db:.2f} dB"
        )
        self._clock, self._clocked = time.perf_counter(), self.state.step

    def go(self, made: Iterator[tuple[Any, Any]], last: int, stop: Callable[[], bool]) -> None:
        """Take steps up to the last, or until it is stopped, and write a checkpoint at the end."""
        plan, state = self.state.plan, self.state
        stage = -1
        ended = False
        while not ended:
            number = plan.place(state.step)[0]
            if number != stage:
                stage = number
                self.listener.stage_started(self._stage_name())
            self.log.hear(state.advance(*next(made)))
            self.listener.advanced(self._stage_name(), state.step / plan.steps)
            stopped = stop()
            ended = stopped or state.step >= last
            self._look_back(stopped, ended)

    def _look_back(self, stopped: bool, ended: bool) -> None:
        """Measure, log and save where it is time; an interrupted run only saves."""
        plan, step = self.state.plan, self.state.step
        due = step % plan.validation.every_steps == 0 or (ended and not stopped)
        figures = self._validate() if due else {}
        if figures or ended or step % plan.log_every_steps == 0:
            self.log.write({**self._facts(), **figures})
        if ended or step % plan.checkpoint_every_steps == 0:
            self._save(CHECKPOINT, self.state.contents())

    def _facts(self) -> dict[str, float]:
        plan, step = self.state.plan, self.state.step
        number, within = plan.place(step - 1)
        stage = plan.stages[number]
        now = time.perf_counter()
        samples = (step - self._clocked) * plan.batch_size
        speed = samples / max(now - self._clock, 1e-9)
        self._clock, self._clocked = now, step
        rate = stage.learning_rate * stage.rate_factor(within)
        return {
            "step": step,
            "stage": number + 1,
            "learning_rate": rate,
            "samples_per_second": speed,
        }

    def _validate(self) -> dict[str, float]:
        """Measure the network, keep it where it is the best so far, and say what came out."""
        state, chosen = self.state, self.state.plan.validation
        before = time.perf_counter()
        figures = measure(self.examples, state.restore, state.plan.batch_size)
        if state.learned.hear(figures.psnr_db, state.step):
            best = {"step": state.step, "psnr_db": figures.psnr_db}
            self._save(BEST, {**best, "generator": state.networks.generator.state_dict()})
        self.listener.message(
            f"step {state.step}: validation {figures.psnr_db:.2f} dB, SSIM {figures.ssim:.4f}"
        )
        if state.learned.in_vain and state.learned.in_vain % chosen.patience == 0:
            self.listener.warning(_stopped_learning(state))
        mask = state.plan.network.target in MASKS
        drawn = pictures(self.examples[: chosen.pictures], state.restore, mask)
        self.listener.pictured(drawn, state.step)
        # Measuring takes no samples: its time is none of their speed.
        self._clock += time.perf_counter() - before
        return {"validation_psnr_db": figures.psnr_db, "validation_ssim": figures.ssim}

    def _save(self, name: str, contents: dict[str, Any]) -> None:
        everything = {"plan": to_yaml(self.state.plan), "torch": str(torch.__version__), **contents}
        write_checkpoint(self.folder / name, everything)

    def _stage_name(self) -> str:
        plan = self.state.plan
        number, _ = plan.place(min(self.state.step, plan.steps - 1))
        return f"stage {number + 1} of {len(plan.stages)}, {plan.steps} steps in all"


def _stopped_learning(state: TrainingState) -> str:
    learned = state.learned
    return (
        f"has stopped learning: {learned.in_vain} measurements in a row were no better than the "
        f"{learned.best_psnr_db:.2f} dB of step {learned.best_step}, which best.pt holds; a lower "
        "learning rate may still help"
    )
