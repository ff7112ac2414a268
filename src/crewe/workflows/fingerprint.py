"""Tell files apart that are too large for a checksum of every byte."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from crewe.errors import ReadError

END_BYTES = 2**22


def fingerprint(path: Path) -> dict[str, Any]:
    """Return size in bytes and SHA-256 of the first and last 4 MiB of a file.

    Of a folder, as the format zarr is, it is that of the names and sizes of all files and of the
    contents of the first and the last. Raises ReadError when there is nothing to read.
    """
    digest = hashlib.sha256()
    try:
        files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        sizes = [one.stat().st_size for one in files]
        for one, size in zip(files, sizes, strict=True):
            digest.update(f"{one.relative_to(path).as_posix()} {size}\n".encode())
        for one in dict.fromkeys((*files[:1], *files[-1:])):
            digest.update(_ends(one))
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {error.strerror or error}") from error
    return {"bytes": sum(sizes), "sha256_of_ends": digest.hexdigest()}


def _ends(file: Path) -> bytes:
    with file.open("rb") as stream:
        first = stream.read(END_BYTES)
        size = stream.seek(0, 2)
        stream.seek(max(len(first), size - END_BYTES))
        return first + stream.read()
