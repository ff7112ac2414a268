"""Write beside the final name, then rename: a killed program leaves no half file."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crewe.errors import CreweError, WriteError


@contextmanager
def atomic_path(path: str | os.PathLike[str], overwrite: bool = False) -> Iterator[Path]:
    """Lend a temporary name in the folder of `path`; on success it takes the final name.

    Works for files and directories. The temporary name keeps the suffix, since writers look at
    it. Raises WriteError when `path` exists and `overwrite` is False, or when the folder is
    missing or not writable; whatever the block raises leaves `path` as it was.
    """
    final = Path(path)
    _check_target(final, overwrite)
    temporary = final.with_name(f".{uuid.uuid4().hex[:12]}.part{final.suffix}")
    try:
        yield temporary
        _flush(temporary)
        _move(temporary, final, overwrite)
    except CreweError:
        raise
    except OSError as error:
        raise WriteError(f"cannot write {final}: {error.strerror or error}") from error
    finally:
        _remove(temporary)


def _check_target(final: Path, overwrite: bool) -> None:
    if not final.parent.is_dir():
        raise WriteError(f"cannot write {final}: the folder {final.parent} does not exist")
    if not os.access(final.parent, os.W_OK):
        raise WriteError(f"cannot write {final}: no permission in the folder {final.parent}")
    if final.exists() and not overwrite:
        raise WriteError(f"{final} exists: choose another name or pass overwrite=True")
    if final.is_dir() and final.suffix != ".zarr":
        raise WriteError(f"{final} is a folder: choose another name")


def _flush(temporary: Path) -> None:
    """Bring every file to the disk before the rename makes it visible."""
    files = (entry for entry in temporary.rglob("*") if entry.is_file())
    for file in files if temporary.is_dir() else (temporary,):
        with file.open("rb+") as handle:
            os.fsync(handle.fileno())


def _move(temporary: Path, final: Path, overwrite: bool) -> None:
    """Give the temporary file its final name; a directory in the way is set aside first."""
    if final.is_dir() and overwrite:
        aside = final.with_name(f".{uuid.uuid4().hex[:12]}.old")
        final.replace(aside)
        temporary.replace(final)
        shutil.rmtree(aside, ignore_errors=True)
        return
    temporary.replace(final)


def _remove(temporary: Path) -> None:
    if temporary.is_dir():
        shutil.rmtree(temporary, ignore_errors=True)
    else:
        temporary.unlink(missing_ok=True)
