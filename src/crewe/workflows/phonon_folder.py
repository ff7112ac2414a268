"""Images of single phonon configurations in a folder, so that a long simulation can be stopped."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError, ReadError, WriteError
from crewe.io.atomic import atomic_path
from crewe.workflows.observer import Observer

Values = NDArray[np.float32]
Make = Callable[[Callable[[int, int], None]], Values]
NOTE_NAME = "plan.json"
FORMAT = "crewe phonon configurations"
_UNFINISHED = re.compile(r"\.[0-9a-f]{12}\.part(\.json)?$")


@dataclass(frozen=True)
class PhononFolder:
    """A folder with one .npy file for each specimen and configuration, `02_17.npy`.

    `plan.json` beside them says what was simulated.
    """

    path: Path

    def file(self, specimen: int, configuration: int) -> Path:
        """File of one configuration of one specimen, both counted from 0."""
        return self.path / f"{specimen:02d}_{configuration:02d}.npy"

    def prepare(self, plan: dict[str, Any], versions: dict[str, str]) -> dict[str, str]:
        """Make the folder, or go on with it; returns the versions it was begun with.

        Raises PlanError for a folder of another plan or of something else.
        """
        note = self.path / NOTE_NAME
        if not note.exists():
            self._make_empty()
            text = json.dumps({"format": FORMAT, "plan": plan, "versions": versions}, indent=1)
            with atomic_path(note) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
            return versions
        known = self._read(note)
        differing = [key for key in {**plan, **known["plan"]} if _differs(plan, known["plan"], key)]
        if differing:
            key = differing[0]
            raise PlanError(
                f"{self.path} holds configurations of another plan: {', '.join(differing)} differ "
                f"({key} is {known['plan'].get(key)!r} there, {plan.get(key)!r} here); choose "
                "another folder, or remove this one to start again"
            )
        return dict(known["versions"])

    def has(self, specimen: int, configuration: int) -> bool:
        """Whether a configuration is there."""
        return self.file(specimen, configuration).exists()

    def store(self, specimen: int, configuration: int, values: Values) -> None:
        """Write the image of a configuration, whole or not at all. Raises WriteError."""
        final = self.file(specimen, configuration)
        temporary = final.with_name(f".{uuid.uuid4().hex[:12]}.part")
        try:
            with temporary.open("wb") as file:
                np.save(file, np.asarray(values, dtype=np.float32))
            os.replace(temporary, final)  # noqa: PTH105
        except OSError as error:
            raise WriteError(f"cannot write {final}: {error.strerror or error}") from error
        finally:
            temporary.unlink(missing_ok=True)

    def load(self, specimen: int, configuration: int) -> Values:
        """Read the image of a configuration; ReadError for a damaged one."""
        path = self.file(specimen, configuration)
        try:
            values = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ReadError(f"{path} is damaged ({error}): remove it and go on") from error
        if not isinstance(values, np.ndarray) or not np.isfinite(values).all():
            raise ReadError(f"{path} holds no image of finite numbers: remove it and go on")
        return values.astype(np.float32, copy=False)

    def mean(
        self, specimen: int, configurations: list[int]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Mean over configurations and its standard error, None where there is only one.

        One image lies in memory at a time. Raises ReadError for images of several shapes.
        """
        total: Any = 0.0
        for number in configurations:
            values = self.load(specimen, number)
            if np.ndim(total) and total.shape != values.shape:
                raise ReadError(
                    f"{self.file(specimen, number)} has the shape {values.shape}, those before "
                    f"{total.shape}: remove it and go on"
                )
            total = total + values.astype(np.float64)
        count = len(configurations)
        mean = total / count
        if count < 2:
            return mean, None
        squares = sum((self.load(specimen, number) - mean) ** 2 for number in configurations)
        return mean, np.sqrt(squares / (count - 1) / count)

    def remove(self, specimen: int, configurations: int) -> bool:
        """Remove the folder if it holds but the first configurations of one specimen.

        Returns False, and leaves the folder as it is, where there is anything else.
        """
        own = {self.file(specimen, number) for number in range(configurations)}
        own.add(self.path / NOTE_NAME)
        try:
            # What a killed process had not finished writing is nobody's.
            there = [path for path in self.path.iterdir() if not _UNFINISHED.match(path.name)]
            if not own.issuperset(there):
                return False
            for path in list(self.path.iterdir()):
                path.unlink()
            self.path.rmdir()
        except OSError:
            return False
        return True

    def _make_empty(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            foreign = next(self.path.iterdir(), None)
        except OSError as error:
            raise WriteError(f"cannot make the folder {self.path}: {error.strerror}") from error
        if foreign is not None:
            raise PlanError(
                f"{self.path} holds {foreign.name} and no {NOTE_NAME}: it is no folder of phonon "
                "configurations; choose another"
            )

    def _read(self, note: Path) -> dict[str, Any]:
        try:
            known = json.loads(note.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise PlanError(f"{note} cannot be read ({error}): choose another folder") from error
        if not isinstance(known, dict) or known.get("format") != FORMAT:
            raise PlanError(f"{note} is no plan of phonon configurations: choose another folder")
        return known


def _differs(one: dict[str, Any], other: dict[str, Any], key: str) -> bool:
    # As JSON knows them: a tuple is the list that it was stored as.
    return bool(json.dumps(one.get(key)) != json.dumps(other.get(key)))


@dataclass(frozen=True)
class PhononTask:
    """One configuration of one specimen."""

    folder: PhononFolder
    specimen: int
    configuration: int
    make: Make
    """Makes the image and reports steps done and all; can be sent to another process."""

    def carry_out(self, observer: Observer) -> None:
        """Make and store the image, where it is not there."""
        if self.folder.has(self.specimen, self.configuration):
            return
        values = self.make(lambda done, steps: observer.advanced("configuration", done / steps))
        self.folder.store(self.specimen, self.configuration, values)
