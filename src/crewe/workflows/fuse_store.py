"""Parts of a fusion that are done, kept on disk until all are: what was interrupted goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import WriteError
from crewe.io.atomic import atomic_path
from crewe.workflows.output_folder import make_folder

FOLDER_NAME = ".unfinished"
MADE_WITH = "made_with.json"

Planes = NDArray[np.float32]


class Unfinished:
    """A folder of finished parts; each part is whole or absent."""

    def __init__(self, folder: Path, made_with: Mapping[str, Any]) -> None:
        """Take up a folder; parts of other settings or inputs in it are removed.

        It is made when there is something to keep. Raises WriteError.
        """
        self.folder = folder
        self._made_with = json.dumps(made_with, sort_keys=True, default=str)
        if folder.exists() and _said(folder / MADE_WITH) != self._made_with:
            self.remove()

    def has(self, number: int) -> bool:
        """Whether a part is done."""
        return self._path(number).exists()

    def put(self, number: int, arrays: Mapping[str, Planes]) -> None:
        """Keep the arrays of a part. Raises WriteError."""
        self._make()
        with atomic_path(self._path(number), overwrite=True) as temporary:
            np.savez(temporary, **dict(arrays))  # type: ignore[arg-type]

    def get(self, number: int, name: str) -> Planes:
        """Return one array of a part that is done."""
        with np.load(self._path(number), allow_pickle=False) as stored:
            return np.asarray(stored[name])

    def stack(self, name: str, shape: tuple[int, ...]) -> Planes:
        """Return zeros in a file that is mapped to memory. Raises WriteError."""
        self._make()
        path = self.folder / f"{name}.npy"
        try:
            return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
        except OSError as error:
            raise WriteError(f"cannot write {path}: {error.strerror or error}") from error

    def remove(self) -> None:
        """Remove the folder where there is one. Raises WriteError."""
        try:
            if self.folder.exists():
                shutil.rmtree(self.folder)
        except OSError as error:
            raise WriteError(
                f"{self.folder} cannot be removed: {error.strerror}; remove it yourself"
            ) from error

    def _make(self) -> None:
        make_folder(self.folder)
        if not (self.folder / MADE_WITH).exists():
            with atomic_path(self.folder / MADE_WITH) as temporary:
                temporary.write_text(self._made_with, encoding="utf-8")

    def _path(self, number: int) -> Path:
        return self.folder / f"part_{number:05d}.npz"


def _said(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
