"""One open file that several threads read at once, each at a place of its own."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ClosedError, ReadError


class PositionalFile:
    """An open file without a current place; closing waits for nobody and cuts nobody off.

    The descriptor is given back when the last read that was under way has ended: given back
    earlier it might already stand for another file. Raises ReadError when the file cannot be opened
    or read, ClosedError when it was closed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise ReadError(f"{path}: cannot be opened ({error.strerror or error})") from error
        self._lock, self._seeking = threading.Lock(), threading.Lock()
        self._readers = 0
        self.closed = False

    def size(self) -> int:
        """Bytes of the file now."""
        return os.fstat(self._file.fileno()).st_size

    def read_into(self, buffer: NDArray[np.uint8], offset: int) -> int:
        """Fill a buffer from `offset` on; return how many bytes there were."""
        with self._lock:
            if self.closed:
                raise ClosedError(f"{self.path.name}: was closed")
            self._readers += 1
        try:
            return self._fill(buffer, offset)
        except OSError as error:
            said = error.strerror or str(error)
            raise ReadError(
                f"{self.path.name}: reading failed at byte {offset} ({said})"
            ) from error
        finally:
            with self._lock:
                self._readers -= 1
                self._let_go()

    def read(self, offset: int, length: int) -> bytes:
        """Return up to `length` bytes from `offset` on."""
        buffer = np.empty(length, np.uint8)
        return buffer[: self.read_into(buffer, offset)].tobytes()

    def close(self) -> None:
        """Let no further read begin; may be called twice and from any thread."""
        with self._lock:
            self.closed = True
            self._let_go()

    def _let_go(self) -> None:
        if self.closed and self._readers == 0:
            self._file.close()

    def _fill(self, buffer: NDArray[np.uint8], offset: int) -> int:
        done = 0
        while done < buffer.size:
            came = self._piece(buffer[done:], offset + done)
            if not came:
                break
            done += came
        return done

    def _piece(self, buffer: Any, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [buffer], offset)
        with self._seeking:  # not every system reads at a place without moving there
            self._file.seek(offset)
            return self._file.readinto(buffer) or 0
