"""Which axes of a stored array are the scan and which the detector, and what they measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from crewe.axes import Axis, normalise_unit
from crewe.errors import ReadError
from crewe.physics.electron import wavelength_angstrom
from crewe.sources.protocol import Known

LARGEST_IMAGE_STEP_ANGSTROM = 1e4
"""Axes y and x with a finer step in Å show a specimen, not the face of a camera."""


@dataclass(frozen=True)
class Stored:
    """An array of a file: one crewe axis per dimension, pixels not yet read."""

    name: str
    data: Any
    axes: tuple[Axis, ...]
    beam_energy_kev: float | None = None
    convergence_semi_angle_mrad: float | None = None
    measured: Any = None
    """Map (y, x) of the positions that were measured; None: all."""


@dataclass(frozen=True)
class Roles:
    """Dimensions of the scan, of the detector, and those of which one entry is taken."""

    scan: tuple[int, ...]
    detector: tuple[int, int]
    taken: tuple[int, ...] = ()


@dataclass(frozen=True)
class Patterns:
    """A stored array put in order: (rows, columns, ky, kx) or (frame, ky, kx), lazily."""

    data: Any
    step_angstrom: tuple[float, float] | None
    known: Known
    measured: Any = None


def roles_of(stored: Stored) -> Roles | None:
    """Tell scan from detector by names, else by units, else by order; None for what is neither."""
    names = [axis.name for axis in stored.axes]
    if len(names) < 3 or {"energy", "channel"} & set(names) or stored.data.dtype.kind not in "biuf":
        return None
    detector = _detector(stored.axes)
    if detector is None:
        return None
    rest = [place for place in range(len(names)) if place not in detector]
    scan = [names.index(name) for name in ("y", "x") if name in names]
    if len(scan) < 2 or set(scan) & set(detector):
        scan = rest[-2:]
    taken = tuple(place for place in rest if place not in scan)
    if any(stored.data.shape[place] > 1 and not _is_depth(names[place]) for place in taken):
        return None
    return Roles(tuple(scan), detector, taken)


def _detector(axes: tuple[Axis, ...]) -> tuple[int, int] | None:
    names = [axis.name for axis in axes]
    if {"ky", "kx"} <= set(names):
        return names.index("ky"), names.index("kx")
    units = [normalise_unit(axis.unit)[1] for axis in axes]
    inverse = [place for place, unit in enumerate(units) if unit in ("1/Å", "mrad")]
    if len(inverse) == 2:
        return inverse[0], inverse[1]
    last = len(axes) - 2, len(axes) - 1
    return None if any(_shows_specimen(axes[place]) for place in last) else last


def _shows_specimen(axis: Axis) -> bool:
    factor, unit = normalise_unit(axis.unit)
    fine = abs(axis.step * factor) < LARGEST_IMAGE_STEP_ANGSTROM
    return axis.name in ("y", "x") and unit == "Å" and fine


def _is_depth(name: str) -> bool:
    """Multislice programs keep the patterns at several depths; the last is the exit surface."""
    return name.endswith("depth")


def in_order(stored: Stored, roles: Roles, beam_energy_kev: float | None = None) -> Patterns:
    """Bring an array into crewe's order and read the calibration of its axes.

    A detector in mrad is calibrated with the beam energy, which may be given where the file does
    not know it.
    """
    energy = beam_energy_kev or stored.beam_energy_kev
    order = (*roles.scan, *roles.detector)
    data: Any = stored.data
    if roles.taken or order != tuple(range(len(order))):
        data = _reordered(data, roles.taken, order)
    steps = [_calibrated(stored.axes[place]) for place in roles.scan]
    pixels = [_calibrated(stored.axes[place], energy) for place in roles.detector]
    known = Known(_pair(pixels, "1/Å"), energy, stored.convergence_semi_angle_mrad)
    step = _pair(steps, "Å") if len(steps) == 2 else None
    return Patterns(data, step, known, stored.measured)


def _calibrated(axis: Axis, beam_energy_kev: float | None = None) -> tuple[float, str]:
    factor, unit = normalise_unit(axis.unit)
    step = abs(axis.step * factor)
    if unit == "mrad" and beam_energy_kev is not None:
        return step * 1e-3 / wavelength_angstrom(beam_energy_kev), "1/Å"
    return step, unit


def _pair(values: list[tuple[float, str]], unit: str) -> tuple[float, float] | None:
    if any(one != unit or not np.isfinite(step) or step <= 0 for step, one in values):
        return None
    return values[0][0], values[1][0]


def _reordered(data: Any, taken: tuple[int, ...], order: tuple[int, ...]) -> Any:
    if isinstance(data, np.ndarray) or hasattr(data, "dask"):
        index = tuple(-1 if place in taken else slice(None) for place in range(data.ndim))
        kept = [place for place in range(data.ndim) if place not in taken]
        return data[index].transpose([kept.index(place) for place in order])
    return Reordered(data, taken, order)


class Reordered:
    """A stored array seen with its axes in another order; of `taken` axes the last entry."""

    def __init__(self, data: Any, taken: tuple[int, ...], order: tuple[int, ...]) -> None:
        self._data, self._taken, self._order = data, taken, order
        self.shape = tuple(int(data.shape[place]) for place in order)
        self.ndim, self.dtype = len(order), data.dtype
        chunks = getattr(data, "chunks", None)
        self.chunks = None if chunks is None else tuple(chunks[place] for place in order)

    def __getitem__(self, region: tuple[slice, ...]) -> np.ndarray:
        """Read one block, in the new order."""
        index: list[Any] = [slice(None)] * len(self._data.shape)
        for place in self._taken:
            index[place] = self._data.shape[place] - 1
        for place, part in zip(self._order, region, strict=False):
            index[place] = part
        block = np.asarray(self._data[tuple(index)])
        kept = sorted(self._order)
        return block.transpose([kept.index(place) for place in self._order])


def choose(name: str, arrays: list[Stored], dataset: int | str | None) -> tuple[Stored, Roles]:
    """Find the 4D data among the arrays of a file: the one asked for, else the largest.

    Raises ReadError that lists what the file holds.
    """
    usable = [(stored, roles) for stored in arrays if (roles := roles_of(stored)) is not None]
    if dataset is None:
        if usable:
            return max(usable, key=_merit)
        raise ReadError(f"{name}: holds no 4D data: {_listed(arrays)}")
    wanted = [stored for place, stored in enumerate(arrays) if _is_named(stored, place, dataset)]
    if len(wanted) != 1:
        found = "several datasets are" if wanted else "no dataset is"
        raise ReadError(f"{name}: {found} called {dataset!r}; it holds {_listed(arrays)}")
    for stored, roles in usable:
        if stored is wanted[0]:
            return stored, roles
    raise ReadError(f"{name}: {dataset!r} is no 4D data: {_listed(wanted)}")


def _merit(candidate: tuple[Stored, Roles]) -> tuple[bool, int, str]:
    """A scan before a stack, then the largest, then the deepest of several depths."""
    stored, roles = candidate
    depth = stored.name if "depth" in stored.name else ""
    return len(roles.scan) == 2, int(np.prod(stored.data.shape)), depth


def _is_named(stored: Stored, place: int, dataset: int | str) -> bool:
    if isinstance(dataset, int) or dataset.isdecimal():
        return place == int(dataset)
    return dataset in (stored.name, stored.name.split("/")[-1], *stored.name.split("/")[-2:-1])


def _listed(arrays: list[Stored]) -> str:
    shown = [
        f"{place} {stored.name!r} {_shape_in_words(stored)}"
        for place, stored in enumerate(arrays[:10])
    ]
    return ", ".join(shown) + (" …" if len(arrays) > 10 else "") if arrays else "no numeric array"


def _shape_in_words(stored: Stored) -> str:
    shape = " × ".join(str(int(size)) for size in stored.data.shape)
    return f"{shape} ({', '.join(axis.name for axis in stored.axes)})"
