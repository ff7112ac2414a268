"""Keeps what each method made of each case, so that a run can be stopped and taken up again.

Results are filed under a checksum of the code that made them: change it, and they are no longer
found.
"""

import ast
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.emulator_store import plain
from benchmarks.accuracy.fusion_cases import SHOWN, Case, Found, Maps, errors, fraction_errors

CASES = "benchmarks.accuracy.fusion_cases"


@dataclass(frozen=True)
class Store:
    """Results of one group of methods under one folder."""

    folder: Path
    group: str
    code: str
    """Checksum of what makes the results, taken once, as code may change while a run goes on."""

    def scores(self, case: Case, make: Callable[[Case], dict[str, Any]]) -> dict[str, Any]:
        """Return scores by method, made where they are not there yet.

        What `make` returns may be maps, which are scored, or scores.
        """
        path = self.path(case)
        if not path.exists():
            found = make(case)
            path.parent.mkdir(parents=True, exist_ok=True)
            maps = {name: one.maps for name, one in found.items() if isinstance(one, Found)}
            if maps and (case.haadf_snr, case.chemical_snr) == SHOWN and case.seed == 0:
                small = {name: one.astype(np.float32) for name, one in maps.items()}
                np.savez_compressed(path.with_suffix(".npz"), **small)
            keep(path, {name: scores_of(case, one) for name, one in found.items()})
        return load(path)

    def maps(self, case: Case) -> dict[str, Maps]:
        """Maps by method; kept for one case of each kind."""
        with np.load(self.path(case).with_suffix(".npz")) as stored:
            return {name: stored[name].astype(float) for name in stored.files}

    def path(self, case: Case) -> Path:
        """Where the scores of a case are."""
        return self.folder / f"{self.group}-{self.code}" / f"{case.name}.json"


def scores_of(case: Case, found: Any) -> Any:
    """Errors of the maps and of the fractions (phase, element), settings and seconds."""
    if not isinstance(found, Found):
        return found
    each = errors(found.maps, case.truth)
    return {
        "error": each.mean(),
        "errors": each,
        "fractions": fraction_errors(case, found.maps),
        "chosen": found.chosen,
        "seconds": found.seconds,
    }


def keep(path: Path, value: Any) -> None:
    """Write in one step, so that a killed run leaves no half of a file."""
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(plain(value), ensure_ascii=False), encoding="utf-8")
    partial.replace(path)


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def checksum(modules: tuple[str, ...]) -> str:
    """Return eight digits that change with the code of modules and of those they import."""
    sources = sorted(closure((CASES, *modules)))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]


def closure(modules: Iterable[str]) -> set[Path]:
    """Return the files of modules and of whatever of crewe's chemistry and testing they import."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        path = _file(waiting.pop())
        if path and path not in found:
            found.add(path)
            waiting += _imported(path)
    return found


def _imported(path: Path) -> list[str]:
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names: list[str] = []
    for node in tree:
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in names if name.startswith(("crewe.chemistry.", "crewe.testing."))]


def _file(module: str) -> Path | None:
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None
