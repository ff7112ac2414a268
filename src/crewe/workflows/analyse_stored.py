"""Ask the columns of a finished result more, and add the answers to its folder."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crewe.errors import PlanError
from crewe.workflows.analyse import warnings_of, with_analyses
from crewe.workflows.carry_out import write_result
from crewe.workflows.many import Finished
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.plan import QuantifyPlan
from crewe.workflows.plan_file import plan_from
from crewe.workflows.provenance import versions
from crewe.workflows.quantify import Quantification
from crewe.workflows.repeat_request import tell_versions
from crewe.workflows.result_folder import check_output
from crewe.workflows.stored_result import SECTIONS, load_result


def analyse_folder(
    folder: Path, parts: Mapping[str, Any], observer: Observer | None = None
) -> Quantification:
    """Carry out parts of a plan, such as `count`, on a result of `crewe quantify`.

    The folder is replaced as a whole by one with the same columns, all analyses that it held
    before and the new ones, its report included; where anything fails it stays as it was. The
    image file is not needed. Raises CreweError.
    """
    observer = observer or Silent()
    observer.started(str(folder))
    stored = load_result(folder)
    check_output(folder, overwrite=True)
    plan = extended(stored.plan, parts)
    plan = _with_versions(plan, observer)
    result = with_analyses(replace(stored, plan=plan), observer)
    for warning in warnings_of(_sections(result.summary, parts)):
        observer.warning(warning)
    observer.stage_started("writing")
    write_result(result, folder, overwrite=True)
    observer.finished(in_one_line(result, parts))
    return result


def analyse_and_finish(folder: Path, observer: Observer, *, parts: Mapping[str, Any]) -> Finished:
    """Do so as one item of many."""
    return Finished(analyse_folder(folder, parts, observer).summary)


def extended(plan: QuantifyPlan, parts: Mapping[str, Any]) -> QuantifyPlan:
    """Return a plan with further analyses. Raises PlanError where they do not go together."""
    lattice = parts.get("lattice")
    if plan.strain is not None and lattice is not None and "strain" not in parts:
        given = plan_from({"image": plan.image, "lattice": lattice}).lattice
        if given != plan.lattice:
            raise PlanError(
                "the result holds strain against another unit cell: leave out --cell, or run "
                "crewe strain with the new cell first"
            )
    return plan_from({**plan.model_dump(exclude_none=True), **parts}, "the analysis")


def _sections(summary: dict[str, Any], parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections of a summary that parts of a plan bear on."""
    names = {"count": "counting", "lattice": "lattice", "strain": "lattice", "volume": "volume"}
    asked = SECTIONS if "region" in parts else {names[part] for part in parts}
    return {name: summary[name] for name in SECTIONS if name in asked and name in summary}


def _with_versions(plan: QuantifyPlan, observer: Observer) -> QuantifyPlan:
    """Note with what software the analyses are made, where it is not that of the fit."""
    made_with = plan.provenance
    if made_with is None:
        return plan
    now = versions()
    others = {name: text for name, text in now.items() if made_with.versions.get(name) != text}
    tell_versions(made_with.versions, now, observer)
    noted = made_with.model_copy(update={"analysed_with": others or None})
    return plan.model_copy(update={"provenance": noted})


def in_one_line(result: Quantification, parts: Mapping[str, Any]) -> str:
    """Say what came out of the analyses that were asked for."""
    summary = result.summary
    said = []
    if "count" in parts:
        said.append(summary["counting"]["verdict"])
    if "lattice" in parts or "strain" in parts:
        lattices = result.fit.columns["lattice"]
        named = lattices[lattices >= 0]
        word = "lattice" if named.nunique() == 1 else "lattices"
        said.append(f"{len(named)} of {len(lattices)} columns in {named.nunique()} {word}.")
    if "volume" in parts:
        said.append(f"{summary['volume']['n_atoms']:,} atoms in three dimensions.")
    return f"{' '.join(said)} Written to {result.stored_in}"
