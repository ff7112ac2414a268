"""A record of bytes as they came, which appears under its name only when it is whole."""

from __future__ import annotations

import threading
from pathlib import Path

from crewe.errors import WriteError


class Record:
    """Writes PATH.part and renames it to PATH on close; raises WriteError when it cannot."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._lock = threading.Lock()
        try:
            self._file = self._part.open("wb", buffering=0)
        except OSError as error:
            raise WriteError(f"{self._part} cannot be written: {error.strerror}") from error

    def write(self, data: memoryview) -> None:
        """Write bytes; after close they are dropped."""
        with self._lock:
            if self._file.closed:
                return
            try:
                while len(data):
                    data = data[self._file.write(data) :]
            except OSError as error:
                raise WriteError(f"{self._part} cannot be written on: {error.strerror}") from error

    def close(self) -> None:
        """Give the record its name; may be called twice and from another thread."""
        with self._lock:
            if self._file.closed:
                return
            self._file.close()
            try:
                self._part.replace(self._path)
            except OSError as error:
                raise WriteError(f"{self._path} cannot be written: {error.strerror}") from error
