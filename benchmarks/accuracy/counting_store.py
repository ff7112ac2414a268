"""Answers on disk, so that a run can be stopped; filed under a checksum of the code behind them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks.accuracy.counting_methods import Answer
from crewe.io.atomic import atomic_path

HERE = Path(__file__).parent
OWN = ("counting_sets.py", "counting_methods.py")
COUNTING = ("by_curve", "comb", "curve_", "student_", "thickness_", "by_mixture", "mixture_e")


def code_checksum() -> str:
    """Eight digits that change with the sets, the methods and crewe's counting."""
    room = Path(find_spec("crewe.atoms.counting").origin).parent
    sources = [HERE / name for name in OWN]
    sources += [path for path in sorted(room.glob("*.py")) if path.name.startswith(COUNTING)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]


def kept(folder: Path, name: str, make: Callable[[], Answer]) -> Answer:
    """The answer under a name, made where it is not there yet."""
    path = folder / f"{name}.npz"
    if not path.exists():
        answer = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary, temporary.open("wb") as handle:
            np.savez(
                handle,
                right=answer.right,
                probability=answer.probability,
                correct=answer.correct,
            )
    with np.load(path, allow_pickle=False) as stored:
        return Answer(float(stored["right"]), stored["probability"], stored["correct"])
