"""Carry out a plan, whoever asks: command line, web page, notebook or benchmark."""

import json
import shutil
from pathlib import Path
from typing import Any

from crewe import io
from crewe.workflows.analyses_failed import Failed, what_is_kept
from crewe.workflows.many import Finished
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.plan import QuantifyPlan
from crewe.workflows.plan_file import PLAN_NAME, save_plan
from crewe.workflows.quantify import Quantification, asked, fitted
from crewe.workflows.report import figures_of, report_html
from crewe.workflows.result_folder import (
    RESTORED_FILES,
    check_output,
    is_finished,
    new_folder,
)
from crewe.workflows.write_analyses import write_analyses, write_both


def run(
    plan: QuantifyPlan, observer: Observer | None = None, *, overwrite: bool = False
) -> Quantification:
    """Carry out a plan and, if it names an output, write the result there.

    Raises CreweError when the input cannot be used or the output not be written. Where only
    analyses fail, the result is written without these and what rests on them, its warnings begin
    with the reasons, and the error says what is there.
    """
    observer = observer or Silent()
    observer.started(plan.image.name)
    if plan.output is not None:
        check_output(plan.output, overwrite)
    failed: Failed | None = None if plan.output is None else {}
    result = asked(fitted(plan, observer), observer, failed)
    if plan.output is not None:
        observer.stage_started("writing")
        write_result(result, plan.output, overwrite)
    if failed:
        first = next(iter(failed.values()))
        said = "; ".join(str(error) for error in failed.values())
        kept = what_is_kept(result.plan)
        raise type(first)(f"{said} ({kept} are in {plan.output})") from first
    observer.finished(_in_one_line(result.summary, plan.output))
    return result


def run_unless_finished(
    plan: QuantifyPlan, observer: Observer, *, overwrite: bool = False
) -> Finished:
    """Carry out a plan, or take the result that its output already holds."""
    if plan.output is not None and not overwrite and is_finished(plan):
        observer.started(plan.image.name)
        observer.finished(f"skipped, {plan.output} already holds this result")
        summary = json.loads((plan.output / "summary.json").read_text(encoding="utf-8"))
        return Finished(summary, skipped=True)
    return Finished(run(plan, observer, overwrite=overwrite).summary)


def write_result(result: Quantification, output: Path, overwrite: bool = False) -> None:
    """Write tables, images, figures, report, summary and plan as one whole folder."""
    with new_folder(output, overwrite) as folder:
        columns = result.fit.columns.copy()
        columns.attrs["units"] = result.summary["units"]
        write_both(folder, "columns", columns)
        io.write(folder / "model.tif", result.fit.model)
        io.write(folder / "residual.tif", result.fit.residual)
        if result.restoration is not None:
            io.write(folder / "restored.tif", result.image)
            io.write(folder / "trust.tif", result.restoration.trust)
        elif result.stored_in is not None and result.plan.restore is not None:
            for name in RESTORED_FILES:
                shutil.copy2(result.stored_in / name, folder / name)
        figures = figures_of(result)
        (folder / "figure.png").write_bytes(figures["overview"])
        if result.analyses is not None:
            write_analyses(result, figures, folder)
        (folder / "report.html").write_text(report_html(result, figures), encoding="utf-8")
        summary = json.dumps(result.summary, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / "summary.json").write_text(summary + "\n", encoding="utf-8")
        save_plan(result.plan, folder / PLAN_NAME, folder=output)


def _in_one_line(summary: dict[str, Any], output: Path | None) -> str:
    counts = summary["columns"]
    flagged = f", {counts['flagged']} flagged" if counts["flagged"] else ""
    place = f", written to {output}" if output is not None else ""
    return f"{counts['total']} columns{flagged}{place}"
