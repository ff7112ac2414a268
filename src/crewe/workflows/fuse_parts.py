"""Frames and tiles: the parts that element maps are fused in, and how they become one again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from crewe.networks.tiles import Cuts, TilePlan, cut

Planes = NDArray[np.float32]
BLENDED_SHARE = 4
"""One in so many pixels of an overlap are those over which one tile goes over into the next."""


@dataclass(frozen=True)
class Part:
    """One tile of one frame."""

    number: int
    frame: int
    """0 where there is no stack."""
    row: int
    column: int
    window: tuple[slice, slice]
    """Its pixels, y and x."""


@dataclass(frozen=True)
class Parts:
    """How a stack of frames (frame, y, x) is cut."""

    frames: int
    rows: Cuts
    columns: Cuts

    @classmethod
    def of(cls, frames: int, shape: tuple[int, int], tile_px: int, overlap_px: int) -> Parts:
        """Cut frames of a shape (y, x) into tiles. Raises PlanError for sizes that do not go."""
        blend = max(overlap_px // BLENDED_SHARE, 1)
        plan = TilePlan(tile_px, radius_px=max(overlap_px - blend, 0) // 2, blend_px=blend)
        return cls(frames, cut(shape[0], plan), cut(shape[1], plan))

    @cached_property
    def every(self) -> tuple[Part, ...]:
        """All parts, frame after frame."""
        places = [(i, j) for i in range(len(self.rows.starts)) for j in self._columns]
        return tuple(
            Part(number, number // len(places), i, j, self._window(i, j))
            for number, (i, j) in enumerate(places * self.frames)
        )

    def of_frame(self, frame: int) -> tuple[Part, ...]:
        """Return the parts of one frame."""
        return tuple(part for part in self.every if part.frame == frame)

    def weight(self, part: Part) -> Planes:
        """Return what each pixel of a tile counts for, (y, x); over the tiles the sum is 1."""
        return self.rows.weights[part.row][:, None] * self.columns.weights[part.column]

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels of a frame, y and x."""
        return self.rows.length_px, self.columns.length_px

    @property
    def _columns(self) -> range:
        return range(len(self.columns.starts))

    def _window(self, row: int, column: int) -> tuple[slice, slice]:
        top, left = self.rows.starts[row], self.columns.starts[column]
        return slice(top, top + self.rows.tile_px), slice(left, left + self.columns.tile_px)


def blend(parts: Parts, tiles: Iterable[tuple[Part, Planes]], result: Planes) -> None:
    """Add tiles (element, y, x) to a stack (element, frame, y, x) of zeros, without seams.

    The stack may be a file mapped to memory; one tile at a time is in memory.
    """
    for part, values in tiles:
        rows, columns = part.window
        weighted = parts.weight(part) * values
        for plane, one in zip(result, weighted, strict=True):
            plane[part.frame, rows, columns] += one
