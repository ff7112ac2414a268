"""Keeps each result of the emulator benchmark on disk, so that a run can be taken up again.

Results are filed under checksums of the pairs and of the code that made them: change either, and
the old ones are no longer found.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from crewe.simulation.emulator.pairs import Pair, read_pairs

BESIDE = ("convolution.py", "linear.py")


class Measured:
    """The pairs of one file, and what was measured on them."""

    def __init__(self, path: Path, cache: Path, keep: bool = False) -> None:
        self.path = path
        self.found = path.exists()
        self.folder = _folder(path, cache, keep) if self.found else cache
        self._pairs: list[Pair] | None = None
        self._about: dict[str, Any] = {}

    @property
    def pairs(self) -> Sequence[Pair]:
        """All pairs, in memory."""
        if self._pairs is None:
            stored = read_pairs(self.path)
            self._pairs, self._about = list(stored), stored.about
        return self._pairs

    @property
    def about(self) -> dict[str, Any]:
        """What the file says of itself."""
        return self._about if len(self.pairs) else {}

    def value(self, name: str, make: Callable[[], Any]) -> Any:
        """The result of that name, made where it is not there yet."""
        path = self.folder / f"{name}.json"
        if path.exists():
            return json.loads(path.read_text(encoding="utf-8"))
        print(f"{self.path.stem}: {name} ...", flush=True)
        begin = time.perf_counter()
        result = plain(make())
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
        partial.replace(path)
        print(f"    {time.perf_counter() - begin:.0f} s", flush=True)
        return result


def code_checksum() -> str:
    """Return eight digits that change with the code of emulators and convolution images."""
    package = Path(find_spec("crewe.simulation.emulator").origin).parent
    return _digest([*sorted(package.glob("*.py")), *(package.parent / name for name in BESIDE)])


def plain(value: Any) -> Any:
    """Return nested results as what JSON holds; NaN becomes nothing."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _folder(path: Path, cache: Path, keep: bool) -> Path:
    """Where results of these pairs are; those of other code, the latest of them, to be kept."""
    name = _digest([path])
    known = sorted(cache.glob(f"{name}-*"), key=lambda folder: folder.stat().st_mtime)
    return known[-1] if keep and known else cache / f"{name}-{code_checksum()}"


def _digest(paths: Sequence[Path]) -> str:
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes())
    return total.hexdigest()[:8]
