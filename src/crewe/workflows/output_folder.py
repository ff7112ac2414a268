"""The folder that files of a result go to: checked before the work, made after it."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from crewe.errors import WriteError


def check_folder(folder: Path) -> None:
    """Raise WriteError when nothing can be written in a folder, or where it is to be made."""
    try:
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        if not there.is_dir():
            raise WriteError(f"{there} is a file: choose another folder with -o")
        # Permissions alone do not tell.
        with tempfile.TemporaryDirectory(prefix=".crewe.", dir=there):
            pass
    except OSError as error:
        raise WriteError(
            f"nothing can be written to the folder {folder}: {error.strerror or error}; "
            "choose another with -o"
        ) from error


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are missing. Raises WriteError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"the folder {folder} cannot be made: {error.strerror}; choose another with -o"
        ) from error


def remove_files(paths: Iterable[Path]) -> None:
    """Remove files, and folders of the format zarr, where they are there. Raises WriteError."""
    for path in paths:
        try:
            if path.is_dir() and path.suffix == ".zarr":
                shutil.rmtree(path)
            elif path.is_file() or path.is_symlink():
                path.unlink()
        except OSError as error:
            raise WriteError(
                f"{path} is out of date and cannot be removed: {error.strerror}; "
                "choose another folder with -o"
            ) from error
