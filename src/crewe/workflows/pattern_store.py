"""A zarr v3 folder that diffraction patterns are written into while they arrive."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.axes import Axis, calibrated_array, plain_value
from crewe.errors import WriteError
from crewe.sources import Frames, Known, Scan

CHUNK_BYTES = 4 * 2**20
OPEN_BYTES = 256 * 2**20
"""Chunks that wait for frames still missing; beyond this the oldest is written as it is."""

SECONDS_BETWEEN_MAPS = 2.0
"""How often the maps of what was measured are brought to the disk, for a program that is killed."""


@dataclass(frozen=True)
class ChunkGrid:
    """How a scan is cut into chunks of about CHUNK_BYTES: parts of a line, or several lines."""

    scan_shape: tuple[int, int]
    rows: int
    columns: int

    @classmethod
    def of(cls, scan_shape: tuple[int, int], frame_bytes: int) -> ChunkGrid:
        """Choose the chunks for patterns of so many bytes."""
        most = max(1, CHUNK_BYTES // frame_bytes)
        pieces = -(-scan_shape[1] // most)
        rows = min(scan_shape[0], max(1, most // scan_shape[1]))
        return cls(scan_shape, rows, -(-scan_shape[1] // pieces))

    def place(self, positions: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the chunk of each probe position, and its index within that chunk."""
        row, column = np.divmod(positions, self.scan_shape[1])
        chunk = row // self.rows * self.across + column // self.columns
        return chunk, row % self.rows * self.columns + column % self.columns

    @property
    def across(self) -> int:
        """Chunks side by side along a line."""
        return -(-self.scan_shape[1] // self.columns)

    def key(self, chunk: int) -> str:
        """Return the name of a chunk's file, as zarr v3's default encoding spells it."""
        return "c/{}/{}/0/0".format(*divmod(chunk, self.across))

    def region(self, chunk: int) -> tuple[slice, slice]:
        """Return the rows and columns of the scan that a chunk holds."""
        down, along = divmod(chunk, self.across)
        top, left = down * self.rows, along * self.columns
        return (
            slice(top, min(top + self.rows, self.scan_shape[0])),
            slice(left, min(left + self.columns, self.scan_shape[1])),
        )


@dataclass
class _Chunk:
    """Patterns (row, column, ky, kx) not yet written, and which of them there are."""

    patterns: NDArray[Any]
    there: NDArray[np.bool_]
    positions: int


class PatternStore:
    """Patterns of one detector in the folder `path`: `scan_0`, `measured_0`, `scan_1` and so on.

    Each scan is an uncompressed array (y, x, ky, kx) in the byte order of the machine, calibrated
    where scan and detector are, beside a map of what was measured; patterns that never came are
    zero. What was flushed can be read at any time, also when the program was killed; the attribute
    `complete` becomes true at the end of a recording that was not broken off. Not for several
    threads. Raises WriteError.
    """

    def __init__(
        self,
        path: Path,
        scan: Scan,
        detector_shape: tuple[int, int],
        known: Known,
        dtype: np.dtype[Any],
    ) -> None:
        import zarr

        self.path = path
        self.scan = scan
        self.dtype = dtype.newbyteorder("=")
        self.detector_shape = detector_shape
        self.known = known
        self.patterns_written = 0
        self._maps_written = time.monotonic()
        frame_bytes = self.dtype.itemsize * detector_shape[0] * detector_shape[1]
        self.grid = ChunkGrid.of(scan.shape, frame_bytes)
        self._most_open = max(4, OPEN_BYTES // (frame_bytes * self.grid.rows * self.grid.columns))
        self._open: OrderedDict[tuple[int, int], _Chunk] = OrderedDict()
        self._measured: OrderedDict[int, NDArray[np.bool_]] = OrderedDict()
        self._group = zarr.open_group(str(path), mode="w", zarr_format=3)
        self._group.attrs.update({"format": "crewe recording", "complete": False})
        self._write_coordinates()

    def add(self, batch: Frames) -> None:
        """Take the patterns of one batch; full chunks are written."""
        if not np.can_cast(batch.patterns.dtype, self.dtype, "safe"):
            raise WriteError(
                f"patterns of type {batch.patterns.dtype} do not fit into {self.path}, which holds "
                f"{self.dtype}: record them to another file"
            )
        chunks, places = self.grid.place(batch.positions)
        for chunk, start, stop in _runs(chunks):
            self._fill(batch.scan, chunk, places[start:stop], batch.patterns[start:stop])
        while len(self._open) > self._most_open:
            self._write_oldest()
        if time.monotonic() > self._maps_written + SECONDS_BETWEEN_MAPS:
            self._write_maps()

    def flush(self) -> None:
        """Write what is held back, also chunks not yet full, and what is measured."""
        while self._open:
            self._write_oldest()
        self._write_maps()

    def close(self, complete: bool, notes: dict[str, Any]) -> None:
        """Write everything and how the recording ended, with further `notes`."""
        self.flush()
        own = {"complete": complete, "patterns": self.patterns_written}
        self._group.attrs.update(plain_value({**notes, **own}))

    def _fill(
        self, number: int, name: int, places: NDArray[np.int64], patterns: NDArray[Any]
    ) -> None:
        chunk = self._open.get((number, name)) or self._opened(number, name)
        flat = chunk.patterns.reshape(-1, *self.detector_shape)
        first, count = int(places[0]), len(places)
        if places[-1] - first == count - 1 and (np.diff(places) == 1).all():
            flat[first : first + count] = patterns
        else:
            flat[places] = patterns
        chunk.there.reshape(-1)[places] = True
        if np.count_nonzero(chunk.there) == chunk.positions:
            self._write(number, name)

    def _opened(self, number: int, name: int) -> _Chunk:
        """Begin a chunk, or take up one that was written before all of it had come."""
        measured = self._measured_of(number)
        shape = (self.grid.rows, self.grid.columns)
        there = np.zeros(shape, bool)
        region = self.grid.region(name)
        before = measured[region]
        inside = tuple(slice(0, size) for size in before.shape)
        there[inside] = before
        whole = (*shape, *self.detector_shape)
        file = self._file(number, name)
        if before.any():
            patterns = np.fromfile(file, self.dtype).reshape(whole)
        else:
            patterns = np.zeros(whole, self.dtype)
        chunk = self._open[number, name] = _Chunk(patterns, there, before.size)
        return chunk

    def _write_oldest(self) -> None:
        self._write(*next(iter(self._open)))

    def _write(self, number: int, name: int) -> None:
        chunk = self._open.pop((number, name))
        _write_whole(self._file(number, name), chunk.patterns)
        measured = self._measured_of(number)[self.grid.region(name)]
        there = chunk.there[: measured.shape[0], : measured.shape[1]]
        self.patterns_written += int(np.count_nonzero(there & ~measured))
        measured |= there

    def _file(self, number: int, chunk: int) -> Path:
        return self.path / f"scan_{number}" / self.grid.key(chunk)

    def _measured_of(self, number: int) -> NDArray[np.bool_]:
        """Return the map of a scan that is kept in memory; only two are, however many there are."""
        if number not in self._measured:
            while len(self._measured) > 1:
                self._let_go(next(iter(self._measured)))
            name = f"measured_{number}"
            if name in self._group:
                self._measured[number] = np.array(self._group[name])
            else:
                self._create(number)
                self._measured[number] = np.zeros(self.scan.shape, bool)
        return self._measured[number]

    def _let_go(self, number: int) -> None:
        for key in [key for key in self._open if key[0] == number]:
            self._write(*key)
        self._write_measured(number)
        del self._measured[number]

    def _write_maps(self) -> None:
        for number in self._measured:
            self._write_measured(number)
        self._maps_written = time.monotonic()

    def _write_measured(self, number: int) -> None:
        _write_whole(self.path / f"measured_{number}" / "c/0/0", self._measured[number])

    def _create(self, number: int) -> None:
        attributes = {
            "crewe_name": f"scan_{number}",
            "units": "counts",
            "beam_energy_kev": self.known.beam_energy_kev,
            "convergence_semi_angle_mrad": self.known.convergence_semi_angle_mrad,
        }
        self._group.create_array(
            f"scan_{number}",
            shape=(*self.scan.shape, *self.detector_shape),
            chunks=(self.grid.rows, self.grid.columns, *self.detector_shape),
            dtype=self.dtype,
            compressors=None,
            dimension_names=("y", "x", "ky", "kx"),
            attributes={key: value for key, value in attributes.items() if value is not None},
        )
        self._group.create_array(
            f"measured_{number}",
            shape=self.scan.shape,
            chunks=self.scan.shape,
            dtype="bool",
            compressors=None,
            dimension_names=("y", "x"),
        )

    def _write_coordinates(self) -> None:
        step, step_unit = _step(self.scan.step_angstrom, "Å")
        pixel, pixel_unit = _step(self.known.detector_sampling_inverse_angstrom, "1/Å")
        units = (step_unit, step_unit, pixel_unit, pixel_unit)
        names = ("y", "x", "ky", "kx")
        axes = [Axis(*one) for one in zip(names, (*step, *pixel), (0.0,) * 4, units, strict=True)]
        nothing = np.broadcast_to(np.uint8(0), (*self.scan.shape, *self.detector_shape))
        for name, values in calibrated_array(nothing, axes).coords.items():
            self._group.create_array(
                str(name),
                data=values.values,
                compressors=None,
                dimension_names=(str(name),),
                attributes=plain_value(dict(values.attrs)),
            )


def _runs(chunks: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Yield (chunk, start, stop) for neighbours of the same chunk."""
    edges = [0, *(np.flatnonzero(np.diff(chunks)) + 1).tolist(), len(chunks)]
    for start, stop in pairwise(edges):
        if stop > start:
            yield int(chunks[start]), start, stop


def _step(step: tuple[float, float] | None, unit: str) -> tuple[tuple[float, float], str]:
    return ((1.0, 1.0), "px") if step is None else (step, unit)


def _write_whole(file: Path, values: NDArray[Any]) -> None:
    """Write a chunk under another name first: a reader never meets half of one."""
    temporary = file.with_name(f"{file.name}.part")
    try:
        # zarr itself needs several times as long for a chunk that is merely these bytes.
        with _created(temporary) as stream:
            stream.write(values.data)
        os.replace(temporary, file)  # noqa: PTH105
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise WriteError(f"cannot write {file}: {error.strerror or error}; make room") from error


def _created(file: Path) -> Any:
    try:
        return file.open("wb", buffering=0)
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        return file.open("wb", buffering=0)
