"""Run a local operator on an image of any size, tile by tile, without seams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError, PlanError

Image = NDArray[np.float32]
Operator = Callable[[Image], Image]
"""(tile, y, x) to the same shape, both float32."""
Progress = Callable[[int, int], None]
"""Called with the tiles done and the tiles in all."""

# Blending weights are multiples of this, so that products and sums of them are exact in float32.
WEIGHT_STEP = 2.0**-12


@dataclass(frozen=True)
class TilePlan:
    """How an image is cut, all in pixels."""

    tile_px: int = 512
    """Longest side of a tile; larger tiles cost memory, smaller ones time."""
    radius_px: int = 32
    """How far the operator looks: results nearer to a tile's inner border are thrown away."""
    blend_px: int = 16
    """Width over which one tile goes over into the next."""
    multiple_px: int = 1
    """The operator takes sides of this multiple (2 for one stride of 2)."""
    smallest_px: int = 1
    """Images with a shorter side are mirrored at their lower and right border up to this."""

    def __post_init__(self) -> None:
        if min(self.radius_px, self.blend_px, self.multiple_px - 1, self.smallest_px - 1) < 0:
            raise PlanError(f"sizes of tiles must be positive, given {self}")
        if self.usable_px < self.overlap_px + self.multiple_px:
            raise PlanError(
                f"tiles of {self.tile_px} px leave nothing between overlaps of {self.overlap_px} "
                f"px: choose tile_px of at least {self.overlap_px + self.multiple_px}"
            )

    @property
    def overlap_px(self) -> int:
        """Pixels that neighbouring tiles share at least: a radius on both sides of the blend."""
        return _raised(2 * self.radius_px + self.blend_px, self.multiple_px)

    @property
    def usable_px(self) -> int:
        """Longest side that is a multiple of what the operator takes."""
        return self.tile_px - self.tile_px % self.multiple_px


@dataclass(frozen=True)
class Cuts:
    """Tiles along one axis: all of one length, the last one snapped to the border."""

    length_px: int
    tile_px: int
    starts: tuple[int, ...]
    weights: Image
    """(tile, pixel of the tile): smooth, zero near inner borders; over all tiles the sum is 1."""


def cut(length_px: int, plan: TilePlan) -> Cuts:
    """Cut an axis into as few tiles as the plan allows, and these as short as they can be.

    `length_px` is a multiple of `plan.multiple_px`, and so are all starts.
    """
    if length_px <= plan.usable_px:
        return Cuts(length_px, length_px, (0,), np.ones((1, length_px), dtype=np.float32))
    overlap = plan.overlap_px
    count = _parts(length_px - plan.usable_px, plan.usable_px - overlap) + 1
    tile = _raised(_parts(length_px + (count - 1) * overlap, count), plan.multiple_px)
    starts = tuple(min(i * (tile - overlap), length_px - tile) for i in range(count))
    return Cuts(length_px, tile, starts, _weights(length_px, tile, starts, plan.blend_px))


def apply_tiled(
    operator: Operator,
    image: Image,
    plan: TilePlan | None = None,
    batch: int = 1,
    progress: Progress | None = None,
) -> Image:
    """Result of a local operator on an image (y, x) of any size, as float32.

    The image is mirrored at its lower and right border to sides that the operator takes, cut into
    overlapping tiles of one shape, given to the operator `batch` tiles at a time, blended with
    separable weights that sum to one exactly, and cropped. Where the operator looks no further
    than `plan.radius_px`, the result is that of the whole image. Besides image and result, memory
    is that of one batch. NaN spreads as the operator spreads it. Raises ImageError for an empty
    or not two-dimensional image and when the operator changes the shape.
    """
    plan = plan or TilePlan()
    if image.ndim != 2 or image.size == 0:
        raise ImageError(f"an image of shape {image.shape}: give one of dims (y, x) with pixels")
    if batch < 1:
        raise PlanError(f"batches of {batch} tiles: give 1 or more")
    padded = _mirrored(np.asarray(image, dtype=np.float32), plan)
    rows, columns = (cut(side, plan) for side in padded.shape)
    result = np.zeros(padded.shape, dtype=np.float32)
    total, done = len(rows.starts) * len(columns.starts), 0
    for places in _batches(rows, columns, batch):
        tiles = np.stack([padded[_window(rows, columns, i, j)] for i, j in places])
        for (i, j), tile in zip(places, _checked(operator(tiles), tiles.shape), strict=True):
            weight = rows.weights[i][:, None] * columns.weights[j]
            result[_window(rows, columns, i, j)] += weight * tile
        done += len(places)
        if progress is not None:
            progress(done, total)
    return np.ascontiguousarray(result[: image.shape[0], : image.shape[1]])


def _parts(length: int, part: int) -> int:
    return -(-length // part)


def _raised(length: int, multiple: int) -> int:
    return _parts(length, multiple) * multiple


def _weights(length: int, tile: int, starts: tuple[int, ...], blend: int) -> Image:
    """Differences of steps, one step in the middle of each overlap: their sum telescopes to 1."""
    weights = np.zeros((len(starts), tile), dtype=np.float32)
    middles = [(right + left + tile) / 2 for left, right in pairwise(starts)]
    for i, start in enumerate(starts):
        pixel = np.arange(start, start + tile) + 0.5
        rise = _step(pixel - middles[i - 1], blend) if i > 0 else np.ones(tile)
        fall = _step(pixel - middles[i], blend) if i < len(middles) else np.zeros(tile)
        weights[i] = rise - fall
    return weights


def _step(distance: NDArray[np.floating], blend: int) -> NDArray[np.floating]:
    """From 0 to 1 as a raised cosine of width `blend` about 0, in multiples of WEIGHT_STEP."""
    phase = np.clip(distance / max(blend, 1e-9), -0.5, 0.5)
    return np.round((0.5 + 0.5 * np.sin(np.pi * phase)) / WEIGHT_STEP) * WEIGHT_STEP


def _mirrored(image: Image, plan: TilePlan) -> Image:
    sides = [_raised(max(side, plan.smallest_px), plan.multiple_px) for side in image.shape]
    pads = [(0, wanted - side) for wanted, side in zip(sides, image.shape, strict=True)]
    return np.pad(image, pads, mode="reflect") if any(after for _, after in pads) else image


def _window(rows: Cuts, columns: Cuts, i: int, j: int) -> tuple[slice, slice]:
    top, left = rows.starts[i], columns.starts[j]
    return slice(top, top + rows.tile_px), slice(left, left + columns.tile_px)


def _batches(rows: Cuts, columns: Cuts, batch: int) -> Iterator[list[tuple[int, int]]]:
    places = [(i, j) for i in range(len(rows.starts)) for j in range(len(columns.starts))]
    for first in range(0, len(places), batch):
        yield places[first : first + batch]


def _checked(result: Image, shape: tuple[int, ...]) -> Image:
    if result.shape != shape:
        raise ImageError(
            f"the network made {result.shape} of tiles of shape {shape}: use one that keeps sizes, "
            "or state the multiple of pixels that it takes"
        )
    return result
