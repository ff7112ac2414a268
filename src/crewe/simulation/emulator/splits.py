"""Which images, or which pixels of them, an emulator learns from and which it is tested on.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2, "Model
assessment": by images, by blocks of 7 × 7 pixels, by single pixels; leave-out-X.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CalibrationError
from crewe.simulation.emulator.pairs import Pair

Mask = NDArray[np.bool_]
Kind = Literal["image", "block", "pixel"]
KINDS = ("image", "block", "pixel")
BLOCK_PX = 7


@dataclass(frozen=True, eq=False)
class Split:
    """One division into training and validation."""

    repeat: int
    """Which assignment of all images or pixels it belongs to."""
    training: tuple[int, ...]
    """Places of the images to learn from."""
    validation: tuple[int, ...]
    """Places of the images to be tested on, rising."""
    learnt: dict[int, Mask] | None = None
    """Where images are on both sides: the pixels (y, x) of each that are learnt from, the others
    are tested on. None where images are whole."""

    def tested(self, index: int, shape: tuple[int, int]) -> Mask:
        """Pixels (y, x) of an image of that shape that are tested on."""
        return np.ones(shape, bool) if self.learnt is None else ~self.learnt[index]


class Chosen(Sequence[Pair]):
    """Some of the pairs, read when asked for."""

    def __init__(self, pairs: Sequence[Pair], places: Sequence[int]) -> None:
        self._pairs = pairs
        self._places = tuple(places)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Chosen(self._pairs, self._places[index])
        return self._pairs[self._places[index]]


def make_splits(
    pairs: Sequence[Pair], kind: Kind, folds: int, repeats: int, rng: np.random.Generator
) -> list[Split]:
    """Divide pairs into folds, each tested on once per repeat by what learnt from the others.

    Raises CalibrationError for a kind that does not exist, fewer than 2 folds or no repeat, and
    fewer images than folds.
    """
    if kind not in KINDS:
        raise CalibrationError(f"folds are made of {', '.join(KINDS)}, not of {kind!r}")
    if folds < 2 or repeats < 1:
        raise CalibrationError(
            f"validation needs 2 folds or more and a repeat, not {folds} and {repeats}"
        )
    if kind == "image":
        return image_splits(len(pairs), folds, repeats, rng)
    shapes = [pair.linear.shape for pair in pairs]
    return pixel_splits(shapes, folds, repeats, rng, BLOCK_PX if kind == "block" else 1)


def image_splits(count: int, folds: int, repeats: int, rng: np.random.Generator) -> list[Split]:
    """Assign whole images to folds of sizes that differ by one at most.

    Raises CalibrationError for fewer images than folds.
    """
    if count < folds:
        raise CalibrationError(
            f"{count} pairs cannot make {folds} folds of images: more pairs, or folds of blocks"
        )
    result = []
    for repeat in range(repeats):
        parts = np.array_split(rng.permutation(count), folds)
        result += [_held_out(repeat, count, part) for part in parts]
    return result


def pixel_splits(
    shapes: Sequence[tuple[int, ...]],
    folds: int,
    repeats: int,
    rng: np.random.Generator,
    block_px: int = BLOCK_PX,
) -> list[Split]:
    """Assign square blocks of pixels, or with a block of 1 single ones, of all images to folds."""
    everything = tuple(range(len(shapes)))
    result = []
    for repeat in range(repeats):
        labels = [_labels(shape, folds, block_px, rng) for shape in shapes]
        for fold in range(folds):
            learnt = {index: labels[index] != fold for index in everything}
            result.append(Split(repeat, everything, everything, learnt))
    return result


def leave_out_splits(
    count: int, training: int, repeats: int, rng: np.random.Generator
) -> list[Split]:
    """Learn from `training` images chosen at random, be tested on all others, again and again.

    Raises CalibrationError where no image would be left on one of the sides.
    """
    if not 1 <= training < count or repeats < 1:
        raise CalibrationError(
            f"of {count} pairs 1 to {count - 1} can be learnt from, not {training}, and at least "
            f"one time, not {repeats}"
        )
    return [
        _held_out(repeat, count, rng.permutation(count)[training:]) for repeat in range(repeats)
    ]


def _held_out(repeat: int, count: int, validation: NDArray[Any]) -> Split:
    tested = tuple(sorted(int(index) for index in validation))
    training = tuple(index for index in range(count) if index not in set(tested))
    return Split(repeat, training, tested)


def _labels(
    shape: tuple[int, ...], folds: int, block_px: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Fold (y, x) of each pixel: folds hold equally many blocks, give or take one."""
    rows, columns = (-(-side // block_px) for side in shape)
    blocks = rng.permutation(np.arange(rows * columns) % folds).reshape(rows, columns)
    wide = np.repeat(np.repeat(blocks, block_px, axis=0), block_px, axis=1)
    return wide[: shape[0], : shape[1]]
