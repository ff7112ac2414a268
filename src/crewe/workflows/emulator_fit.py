"""From pairs of images to a tested emulator in a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.errors import PlanError, WriteError
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.pairs import Pair, PairSet, read_pairs
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.selection import smallest_sufficient
from crewe.simulation.emulator.store import SUFFIX, save_emulator
from crewe.simulation.emulator.validation import CrossValidation, cross_validate, final_emulator
from crewe.workflows.emulator_fit_check import check_pairs
from crewe.workflows.emulator_fit_probe import chosen_images
from crewe.workflows.emulator_fit_tables import (
    leave_out_table,
    plain,
    plain_rows,
    selection_table,
)
from crewe.workflows.emulator_plan import EmulatorFitPlan, read_convolution, told_convolution
from crewe.workflows.emulator_report import check_report, write_report
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.output_folder import check_folder
from crewe.workflows.provenance import sha256, versions

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class FittedEmulator:
    """Result of a plan."""

    plan: EmulatorFitPlan
    pairs: Sequence[Pair]
    """What was learned from; with a fitted probe its convolution images are new."""
    emulator: Emulator
    """Fitted to all pairs."""
    validation: CrossValidation
    """Figures of fits to some of them, on the others."""
    tables: dict[str, pd.DataFrame]
    """What was asked for beside it: `probe`, `selection`, `leave_out`."""
    summary: dict[str, Any]
    """The result in numbers; can be written as JSON."""


def run_emulator_fit(
    plan: EmulatorFitPlan, observer: Observer | None = None, *, overwrite: bool = False
) -> FittedEmulator:
    """Fit an emulator to the pairs of a file, test it by cross-validation, and write it.

    Raises PlanError for what the pairs do not allow, and CreweError when they cannot be used or
    the output not be written.
    """
    told = observer or Silent()
    told.started(plan.pairs.name)
    check_emulator_output(plan, overwrite)
    if plan.report is not None:
        check_report(plan.report, overwrite)
    told.stage_started("reading")
    pairs = read_pairs(plan.pairs)
    result = make_emulator(plan, pairs, told)
    if plan.output is not None:
        told.stage_started("writing")
        save_emulator(plan.output, result.emulator, overwrite)
        result.summary["bytes"] = plan.output.stat().st_size
    if plan.report is not None:
        told.stage_started("report")
        write_report(result, plan.report, overwrite)
    told.finished(in_words(result.summary))
    return result


def make_emulator(plan: EmulatorFitPlan, pairs: PairSet, observer: Observer) -> FittedEmulator:
    """Fit and test an emulator without writing it. Raises CreweError."""
    check_pairs(plan, pairs)
    convolution = convolution_of(plan, pairs)
    polynomial = plan.emulator_plan()
    learned: Sequence[Pair] = pairs
    validation: CrossValidation | None = None
    tables: dict[str, pd.DataFrame] = {}
    facts: dict[str, Any] = {}

    def validated(images: Sequence[Pair], how: Convolution | None) -> CrossValidation:
        return _validated(plan, images, polynomial, how, observer)

    if plan.fit_probe:
        found = chosen_images(pairs, convolution, validated, observer)
        learned, convolution, validation = found.pairs, found.convolution, found.validation
        tables["probe"], facts["probe"] = found.curve, found.facts
    if plan.select:
        tables["selection"] = selection_table(plan, learned, _progress(observer, "selection"))
        polynomial, validation = smallest_sufficient(tables["selection"]), None
    validation = validation or validated(learned, convolution)
    if plan.leave_out:
        heard = _progress(observer, "fewer training images")
        tables["leave_out"] = leave_out_table(plan, polynomial, learned, heard)
    about = {**_about(plan, pairs), **facts}
    begin = time.perf_counter()
    emulator = _final(learned, validation, convolution, about, observer)
    facts["fit_s"] = round(time.perf_counter() - begin, 2)
    if plan.elements:
        emulator = replace(emulator, about={**emulator.about, "elements": plan.atomic_numbers()})
    facts |= {name: plain_rows(table) for name, table in tables.items() if name != "probe"}
    summary = plain({**_summary(plan, emulator, validation), **facts})
    return FittedEmulator(plan, learned, emulator, validation, tables, summary)


def convolution_of(plan: EmulatorFitPlan, pairs: PairSet) -> Convolution | None:
    """How the convolution images were made: the plan's word, else the pairs', else unknown.

    Raises PlanError or ReadError for a description that is none.
    """
    if plan.convolution is not None:
        return read_convolution(plan.convolution)
    return told_convolution(pairs.about, plan.pairs)


def check_emulator_output(plan: EmulatorFitPlan, overwrite: bool) -> None:
    """Raise, before any work, what would keep the emulator from being written."""
    output = plan.output
    if output is None:
        return
    if output.suffix != SUFFIX:
        raise PlanError(f"{output}: an emulator's file ends in {SUFFIX}")
    if not output.parent.is_dir():
        raise WriteError(f"cannot write {output}: the folder {output.parent} does not exist")
    check_folder(output.parent)
    if output.exists() and not overwrite:
        raise WriteError(f"{output} exists: choose another name or pass overwrite=True")


def in_words(summary: dict[str, Any]) -> str:
    """Say in one line how good an emulator is and where it went."""
    place = "not written" if summary["output"] is None else f"written to {summary['output']}"
    return (
        f"{summary['terms']} terms, 1 − R² {summary['one_minus_r2']:.4f}, fractional r.m.s. error "
        f"{summary['fractional_rms']:.3f}, {place}"
    )


def _final(
    pairs: Sequence[Pair],
    validation: CrossValidation,
    convolution: Convolution | None,
    about: dict[str, Any],
    observer: Observer,
) -> Emulator:
    return final_emulator(
        pairs,
        validation.plan,
        validation,
        convolution=convolution,
        about=about,
        progress=_progress(observer, "fit to all pairs"),
    )


def _validated(
    plan: EmulatorFitPlan,
    pairs: Sequence[Pair],
    polynomial: EmulatorPlan,
    convolution: Convolution | None,
    observer: Observer,
) -> CrossValidation:
    return cross_validate(
        pairs,
        polynomial,
        rng=np.random.default_rng(plan.seed),
        kind=plan.by,
        folds=plan.folds,
        repeats=plan.repeats,
        convolution=convolution,
        progress=_progress(observer, "cross-validation"),
    )


def chosen_words(plan: EmulatorFitPlan) -> list[str]:
    """What the images that 1 − R² is measured on have chosen: it is too good by that."""
    chosen = {"probe": plan.fit_probe, "polynomial": plan.select}
    return [word for word, asked in chosen.items() if asked]


def _about(plan: EmulatorFitPlan, pairs: PairSet) -> dict[str, Any]:
    """What the emulator's file says of where it is from."""
    return {
        "settings": plan.settings(),
        "pairs_sha256": sha256(plan.pairs),
        "pairs_about": pairs.about,
        "versions": versions(),
    }


def _summary(
    plan: EmulatorFitPlan, emulator: Emulator, validation: CrossValidation
) -> dict[str, Any]:
    figures = validation.to_dict()
    kept = ("one_minus_r2", "fractional_rms", "terms", "each_repeat", "coverage", "phonon_floor")
    return {
        **{name: figures[name] for name in kept},
        "pairs": len(emulator.about["pairs"]),
        "pixels": emulator.about["pixels"],
        "shift_px": list(emulator.shift_px),
        "by": plan.by,
        "folds": plan.folds,
        "repeats": plan.repeats,
        "plan": emulator.plan.to_dict(),
        "chosen_on_these_images": chosen_words(plan),
        "elements": emulator.about.get("elements", []),
        "takes_atoms": emulator.convolution is not None,
        "output": None if plan.output is None else plan.output.as_posix(),
        "report": None if plan.report is None else plan.report.as_posix(),
        "images": figures["per_image"],
    }


def _progress(observer: Observer, stage: str) -> Callable[[int, int], None]:
    observer.stage_started(stage)
    return lambda done, total: observer.advanced(stage, done / total)
