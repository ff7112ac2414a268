"""Paths that still hold when a folder of data and results is moved as a whole."""

import os
from pathlib import Path


def portable_path(path: Path, folder: Path) -> str:
    """Return a path relative to a folder, with forward slashes on every system.

    On another drive of Windows than the folder it is absolute.
    """
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:
        return path.absolute().as_posix()
