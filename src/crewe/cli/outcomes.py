"""Tell how each item went, for people on stderr and for programs on stdout."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from crewe.cli.progress import Lines
    from crewe.workflows import Outcome


def tell(
    outcomes: Iterable["Outcome"],
    outputs: Sequence[Path | None],
    observer: "Lines",
    as_json: bool,
    debug: bool = False,
) -> int:
    """Say every failure, print JSON on request, and return the exit code."""
    failed = 0
    for outcome, output in zip(outcomes, outputs, strict=True):
        if as_json:
            typer.echo(json.dumps(as_object(outcome, output), ensure_ascii=False, allow_nan=False))
        if outcome.error is not None:
            failed += 1
            observer.say(complaint(outcome))
            if debug and outcome.trace:
                observer.say(outcome.trace)
    if failed and len(outputs) > 1:
        observer.say(f"crewe: {failed} of {len(outputs)} images failed; the others are done")
    return 1 if failed else 0


def complaint(outcome: "Outcome") -> str:
    """Return one line that names the input and says what was wrong."""
    said = " ".join(str(outcome.error).split())
    named = Path(outcome.name).name in said
    return f"crewe: {said}" if named else f"crewe: {outcome.name}: {said}"


def as_object(outcome: "Outcome", output: Path | None) -> dict[str, Any]:
    """Return an outcome as JSON knows it."""
    head = {"image": outcome.name, "status": outcome.status}
    if outcome.error is not None:
        return {**head, "error": outcome.error}
    place = None if output is None else output.as_posix()
    return {**head, "output": place, "summary": outcome.summary}
