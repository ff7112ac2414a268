"""New samples from old ones: the same turn, flip, crop and pad for an image and all its labels.

The operations are those of R. Lin et al., Sci. Rep. 11, 5386 (2021), Table 1,
DOI 10.1038/s41598-021-84499-w.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage

from crewe.recipes import Distribution, RecipePart
from crewe.recipes.ranges import Count, Level, within
from crewe.training_sets.sample import Sample

Matrix = NDArray[np.float64]


class Augmentation(RecipePart):
    """How samples are varied."""

    rotation_deg: Annotated[Distribution, within(-360, 360)] = [-180, 180]
    flip_probability: float = Field(0.5, ge=0, le=1)
    """For each of the two axes."""
    crop_probability: float = Field(0.5, ge=0, le=1)
    """A crop is enlarged to the old size; otherwise the image is padded with zeros and reduced."""
    crop_fraction: Annotated[Distribution, within(0.01, 1)] = [0.25, 1.0]
    """Area of the crop as a fraction of the image."""
    padding_px: Count = {"integers": [0, 192]}
    """Pixels added on each side before the image is reduced to its old size."""
    shading_probability: float = Field(0.5, ge=0, le=1)
    """For a linear and for a point-like shading each; only the input is shaded."""
    shading_depth: Level = [0.1, 1.5]
    """The shading multiplies by exp(−depth · distance), distance in image sides."""


@dataclass(frozen=True)
class Move:
    """An affine map of the unit square, (y, x) from −0.5 to 0.5: old = matrix · new + shift."""

    matrix: Matrix
    shift: Matrix

    def undo(self, points: Matrix) -> Matrix:
        """Return where points (n, 2) of the old square lie on the new one."""
        return np.asarray(np.linalg.solve(self.matrix, (points - self.shift).T).T)


def draw_move(part: Augmentation, side_px: int, rng: Generator) -> Move:
    """Draw a rotation, flips and a crop or padding."""
    angle = np.deg2rad(part.draw("rotation_deg", rng))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    flips = np.diag([-1.0 if part.chance("flip_probability", rng) else 1.0 for _ in "yx"])
    if part.chance("crop_probability", rng):
        scale = float(np.sqrt(part.draw("crop_fraction", rng)))
        shift = rng.uniform(-0.5, 0.5, 2) * (1 - scale)
    else:
        scale = 1 + 2 * part.draw("padding_px", rng) / side_px
        shift = np.zeros(2)
    return Move(scale * turn @ flips, shift)


def augment(sample: Sample, part: Augmentation, rng: Generator, image: str = "image") -> Sample:
    """Return the sample turned, flipped, cropped or padded, its input `image` also shaded.

    Whole-number arrays take the nearest old pixel, others are interpolated between four; what
    lies outside becomes 0. Values stay what they are per pixel, so that a sample whose pixels are
    now larger is one of a lower dose: the facts `dose_e_per_angstrom2`, `electrons_per_column` and
    the column `electrons` of a table `positions` are divided by the area that pixels have gained.
    Positions (columns `x`, `y` in Å) and the facts `pixel_size_angstrom` and
    `field_of_view_angstrom` follow; columns that leave the field go.
    """
    side = sample.arrays[image].shape[0]
    move = draw_move(part, side, rng)
    arrays = {name: moved(array, move) for name, array in sample.arrays.items()}
    arrays[image] = _shaded(arrays[image], part, rng)
    scale = float(np.sqrt(abs(np.linalg.det(move.matrix))))
    factors = dict.fromkeys(_LENGTHS, scale) | dict.fromkeys(_ELECTRONS, scale**-2)
    facts = {
        name: float(value) * factors[name] if name in factors else value
        for name, value in sample.facts.items()
    }
    tables = dict(sample.tables)
    if "positions" in tables:
        field = side * float(sample.facts["pixel_size_angstrom"])
        tables["positions"] = _moved_positions(tables["positions"], move, field, scale, side)
    return replace(sample, arrays=arrays, facts=facts, tables=tables)


_LENGTHS = ("pixel_size_angstrom", "field_of_view_angstrom")
_ELECTRONS = ("dose_e_per_angstrom2", "electrons_per_column")


def moved(array: NDArray[np.generic], move: Move) -> NDArray[np.generic]:
    """Resample one array on the moved square."""
    shape = np.array(array.shape)
    matrix = move.matrix * shape[:, None] / shape[None, :]
    # Pixel i covers (i, i + 1) / n − 1/2 of the square.
    offset = (move.shift + 0.5) * shape - 0.5 - matrix @ (shape / 2 - 0.5)
    order = 0 if np.issubdtype(array.dtype, np.integer) else 1
    return np.asarray(ndimage.affine_transform(array, matrix, offset, order=order, mode="constant"))


def _moved_positions(
    table: dict[str, NDArray[np.generic]], move: Move, field: float, scale: float, side: int
) -> dict[str, NDArray[np.generic]]:
    half_pixel = 0.5 / side
    old = np.stack([table["y"], table["x"]], axis=1).astype(float) / field - 0.5 + half_pixel
    new = move.undo(old)
    kept = np.all(np.abs(new) <= 0.5, axis=1)
    inside = (new[kept] + 0.5 - half_pixel) * field * scale
    rest = {name: column[kept] for name, column in table.items()}
    if "electrons" in rest:
        rest["electrons"] = rest["electrons"].astype(float) / scale**2
    return {**rest, "y": inside[:, 0], "x": inside[:, 1]}


def _shaded(array: NDArray[np.generic], part: Augmentation, rng: Generator) -> NDArray[np.generic]:
    """Darken towards one side, or away from a point or towards it."""
    y, x = (np.linspace(-0.5, 0.5, n) for n in array.shape)
    exponent = np.zeros(array.shape)
    if part.chance("shading_probability", rng):
        angle = rng.uniform(0, 2 * np.pi)
        rise = np.sin(angle) * y[:, None] + np.cos(angle) * x
        exponent += part.draw("shading_depth", rng) * (rise - rise.min())
    if part.chance("shading_probability", rng):
        centre = rng.uniform(-0.5, 0.5, 2)
        distance = np.hypot(y[:, None] - centre[0], x - centre[1])
        distance = distance.max() - distance if rng.random() < 0.5 else distance
        exponent += part.draw("shading_depth", rng) * distance
    shaded = array * np.exp(-exponent)
    if np.issubdtype(array.dtype, np.integer):
        shaded = np.rint(shaded)
    return shaded.astype(array.dtype)
