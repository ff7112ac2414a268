"""The master file of a DECTRIS ARINA detector, whose frames lie in further files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from crewe.axes import Axis
from crewe.errors import ReadError
from crewe.sources.hdf5_compression import check_compression
from crewe.sources.stored_patterns import Stored

DETECTOR = "entry/instrument/detector/detectorSpecific"


def arina_patterns(file: Any, path: Path) -> Stored | None:
    """Open the frames that a master file links to as one stack; None for any other HDF5 file.

    Pixels of the detector's own mask, which hold no counts, read zero. Raises ReadError when a
    linked file is not there.
    """
    if DETECTOR not in file or "entry/data" not in file:
        return None
    frames = file["entry/data"]
    names = sorted(name for name in frames if name.startswith("data_"))
    if not names:
        return None
    stacks = [_opened(frames, name, path) for name in names]
    settings = file[DETECTOR]
    mask = settings["pixel_mask"][()] != 0 if "pixel_mask" in settings else None
    energy = float(settings["photon_energy"][()]) / 1e3 if "photon_energy" in settings else 0.0
    axes = (Axis("frame"), Axis("ky"), Axis("kx"))
    return Stored("entry/data", JoinedStacks(stacks, mask, path), axes, energy or None)


def _opened(frames: Any, name: str, path: Path) -> Any:
    try:
        stack = frames[name]
    except (KeyError, OSError) as error:
        link = getattr(frames.get(name, getlink=True), "filename", name)
        raise ReadError(
            f"{path.name}: its frames lie in {link}, which cannot be opened beside it: "
            "keep all files of a measurement together, under the names they had"
        ) from error
    check_compression(stack, path)
    return stack


class JoinedStacks:
    """Stacks of frames (frame, ky, kx) of several files, read as one."""

    def __init__(self, stacks: list[Any], mask: np.ndarray | None, path: Path) -> None:
        shapes = {tuple(stack.shape[1:]) for stack in stacks}
        if len(shapes) != 1 or any(stack.ndim != 3 for stack in stacks):
            raise ReadError(f"{path.name}: its files hold frames of several sizes {shapes}")
        self._stacks, self._mask = stacks, None if mask is None or not mask.any() else mask
        self._starts = np.cumsum([0, *(len(stack) for stack in stacks)])
        self.shape = (int(self._starts[-1]), *shapes.pop())
        self.ndim, self.dtype = 3, stacks[0].dtype
        self.chunks = self._chunks()
        if self._mask is not None and self._mask.shape != self.shape[1:]:
            raise ReadError(f"{path.name}: its pixel mask {self._mask.shape} fits no frame")

    def _chunks(self) -> tuple[tuple[int, ...], ...]:
        along: list[int] = []
        for stack in self._stacks:
            step = stack.chunks[0] if stack.chunks else 1
            full, rest = divmod(len(stack), step)
            along += [step] * full + [rest] * (rest > 0)
        return tuple(along), (self.shape[1],), (self.shape[2],)

    def __getitem__(self, region: tuple[slice, ...]) -> np.ndarray:
        """Read a range of frames."""
        start, stop = region[0].start, region[0].stop
        pieces = []
        for stack, first in zip(self._stacks, self._starts, strict=False):
            begin, end = max(start - first, 0), min(stop - first, len(stack))
            if begin < end:
                pieces.append(stack[int(begin) : int(end)])
        block = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        if self._mask is not None:
            block[:, self._mask] = 0
        return block
