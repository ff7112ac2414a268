"""Repeat a stored result and say whether it comes out the same."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from crewe.errors import PlanError
from crewe.workflows.fuse_plan import NOTE_NAME as FUSION_NAME
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.phase_plan import NOTE_NAME
from crewe.workflows.plan_file import PLAN_NAME
from crewe.workflows.repeat_comparison import Comparison
from crewe.workflows.repeat_fuse import repeat_fuse
from crewe.workflows.repeat_phase import repeat_phase
from crewe.workflows.repeat_quantify import compare, repeat_quantify
from crewe.workflows.repeat_request import Request
from crewe.workflows.repeat_restore import repeat_restore

__all__ = ["Comparison", "Kind", "compare", "find_note", "rerun"]


class Kind(NamedTuple):
    """A kind of result that can be repeated."""

    command: str
    """What makes it."""
    note: str
    """Name of the file that holds its settings; * stands for the name of the input."""
    repeat: Callable[[Request, Observer], Comparison]


KINDS = (
    Kind("crewe quantify", PLAN_NAME, repeat_quantify),
    Kind("crewe phase", NOTE_NAME, repeat_phase),
    Kind("crewe restore", "*_restored.yaml", repeat_restore),
    Kind("crewe fuse", FUSION_NAME, repeat_fuse),
)


def rerun(
    result: Path,
    observer: Observer | None = None,
    *,
    output: Path | None = None,
    image: Path | None = None,
    overwrite: bool = False,
) -> Comparison:
    """Repeat a result and compare it with the stored one.

    `result` is the folder of `crewe quantify`, `crewe phase` or `crewe fuse`, or the note of
    `crewe phase`, `crewe fuse` or `crewe restore`. `image` says where the input lies now, if it has
    moved; `output` keeps the new result, which is written nowhere otherwise. Raises PlanError for
    what is no finished result,
    and ReadError when the input is missing or is not the file it was.
    """
    kind, note = find_note(result)
    return kind.repeat(Request(note, output, image, overwrite), observer or Silent())


def find_note(result: Path) -> tuple[Kind, Path]:
    """Return the kind of a result and the note of its settings.

    Raises PlanError when a path is no result, or a folder that holds several.
    """
    if not result.exists():
        raise PlanError(f"{result} does not exist: check the path")
    found = [(kind, note) for kind in KINDS for note in _notes(kind, result)]
    if not found:
        commands = [kind.command for kind in KINDS]
        notes = [kind.note for kind in KINDS]
        raise PlanError(
            f"{result} is no result of {_listed(commands)}: give {_listed(notes)}, "
            "or a folder that holds one"
        )
    if len(found) > 1:
        raise PlanError(
            f"{result} holds {len(found)} results: give the note of one, such as {found[0][1]}"
        )
    return found[0]


def _notes(kind: Kind, result: Path) -> list[Path]:
    if result.is_dir():
        return sorted(path for path in result.glob(kind.note) if path.is_file())
    return [result] if result.is_file() and result.match(kind.note) else []


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
