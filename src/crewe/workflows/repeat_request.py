"""What is to be repeated, and what every kind of it needs: its note, its input, its versions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crewe.errors import PlanError, ReadError
from crewe.workflows.observer import Observer
from crewe.workflows.yaml_mapping import read_mapping


@dataclass(frozen=True)
class Request:
    """A stored result and how it is to be repeated."""

    note: Path
    """The file that holds settings and checksums of the result."""
    output: Path | None = None
    """Folder that the new result goes to; nothing writes none."""
    image: Path | None = None
    """Where the input lies now; nothing looks where it lay, and beside the result."""
    overwrite: bool = False
    """Whether files in the output may be replaced."""


def read_note(path: Path) -> dict[str, Any]:
    """Read a note of settings and checksums. Raises PlanError for one that is damaged."""
    try:
        return read_mapping(path, "the settings of a result")
    except PlanError as error:
        raise PlanError(f"{path} is damaged, make the result anew ({error})") from error


def entry_of(note: Mapping[str, Any], key: str, kind: type, path: Path) -> Any:
    """Return what a note says under a key. Raises PlanError where that is missing or no `kind`."""
    value = note.get(key)
    if not isinstance(value, kind):
        raise PlanError(
            f"{path} is damaged: it says no '{key}', without which nothing can be repeated. "
            "Make the result anew"
        )
    return value


def noted_path(note: Mapping[str, Any], key: str) -> str | None:
    """Return where an input lay, relative to its note; None in notes that do not say so."""
    paths = note.get("paths")
    value = paths.get(key) if isinstance(paths, dict) else None
    return value if isinstance(value, str) else None


def input_of(request: Request, name: str, noted: str | None) -> Path:
    """Return where the input lies: as requested, as noted, else in the folders around the note.

    Raises ReadError when it is at none of these places.
    """
    if request.image is None:
        return find_beside(request.note, name, noted, "say where it is with --image")
    if not request.image.exists():
        raise ReadError(f"{request.image} is not there: say where {name} is with --image")
    return request.image


def find_beside(note: Path, name: str, noted: str | None, advice: str) -> Path:
    """Return a file at its noted place, beside its note or one folder above.

    Raises ReadError, which ends with the advice, when it is at none of these places.
    """
    folder = note.parent
    tried = [folder / noted] if noted is not None else []
    tried += [folder / name, folder / ".." / name]
    places = [Path(os.path.normpath(place)) for place in tried]
    for place in places:
        if place.exists():
            return place
    looked = " or ".join(dict.fromkeys(str(place) for place in places))
    raise ReadError(f"{name} is no longer there (looked for {looked}): {advice}")


def has_changed(path: Path, now: str, then: str) -> ReadError:
    """Return the error that says by its checksum that an input is another file than it was."""
    return ReadError(
        f"{path} has changed since: its checksum is {now[:12]}…, not {then[:12]}…. "
        "Give the original with --image"
    )


def tell_versions(before: Any, now: Mapping[str, str], observer: Observer) -> None:
    """Say which software differs from the one that made the stored result."""
    noted = before if isinstance(before, dict) else {}
    for name, version in now.items():
        made_with = noted.get(name, version)
        if made_with != version:
            observer.warning(f"{name} {version} is in use; the result was made with {made_with}")
