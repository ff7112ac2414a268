"""A folder that keeps what each phonon configuration showed, so that a simulation can go on."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.axes import plain_value
from crewe.errors import ReadError, WriteError
from crewe.simulation.multislice_run import Run

Array = NDArray[np.float64]
DESCRIPTION = "simulation.json"
# What may change without another result: how many there are, and where and in which parts.
FREE_SETTINGS = ("configurations", "memory_mb", "device")


class SampleFolder:
    """Samples of one simulation, a file per configuration; JSON beside them says of which.

    Raises WriteError where the folder holds another simulation.
    """

    def __init__(self, folder: Path, run: Run, seed: tuple[int, ...]) -> None:
        self.folder = Path(folder)
        self.shape = run.sample_shape
        told = describe(run, seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / DESCRIPTION
        if path.exists():
            _compare(json.loads(path.read_text("utf-8")), told, self.folder)
        else:
            text = json.dumps(told, indent=1, ensure_ascii=False)
            _write_whole(path, text.encode("utf-8"))

    def path(self, configuration: int) -> Path:
        """Where a configuration's samples lie once they are whole."""
        return self.folder / f"configuration-{configuration:04d}.npy"

    def load(self, configuration: int) -> Array | None:
        """Samples (thickness, detector, y, x), None where there are none yet.

        Raises ReadError for a file that holds something else.
        """
        path = self.path(configuration)
        if not path.exists():
            return None
        try:
            samples = np.load(path)
        except (OSError, ValueError, EOFError) as error:
            raise ReadError(f"{path} is damaged ({error}): delete it and run again") from error
        if samples.shape != self.shape or samples.dtype != np.float64:
            raise ReadError(f"{path} holds no samples of this simulation: delete it and run again")
        return np.asarray(samples)

    def save(self, configuration: int, samples: Array) -> None:
        """Keep samples; they appear under their name when whole."""
        path = self.path(configuration)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with temporary.open("wb") as stream:
            np.save(stream, samples)
        temporary.replace(path)


def describe(run: Run, seed: tuple[int, ...]) -> dict[str, Any]:
    """All that a configuration's samples depend on, as plain values."""
    settings = dataclasses.asdict(run.settings)
    for name in FREE_SETTINGS:
        del settings[name]
    told = {
        "seed": list(seed),
        "optics": dataclasses.asdict(run.optics),
        "detectors_mrad": [[one.inner_mrad, one.outer_mrad] for one in run.detectors],
        "settings": settings,
        "atoms": _checksum(run),
        "grid": [*run.slab.points, run.slab.slices],
        "planes": list(run.planes),
        "places": [dataclasses.asdict(axis) for axis in run.axes],
        "abtem": version("abtem"),
    }
    result: dict[str, Any] = json.loads(json.dumps(plain_value(told)))
    return result


def _checksum(run: Run) -> str:
    atoms = run.slab.atoms
    digest = hashlib.sha256(np.asarray(atoms.numbers, "<i8").tobytes())
    digest.update(np.asarray(atoms.positions, "<f8").tobytes())
    digest.update(np.asarray(atoms.cell.array, "<f8").tobytes())
    return digest.hexdigest()


def _compare(found: Any, told: dict[str, Any], folder: Path) -> None:
    held = found if isinstance(found, dict) else {}
    differ = [name for name in told if held.get(name) != told[name]]
    if differ:
        raise WriteError(
            f"{folder} holds another simulation; it differs in {', '.join(differ)}: give another "
            "folder, or the same specimen, optics, detectors, settings and seed"
        )


def _write_whole(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    temporary.replace(path)
