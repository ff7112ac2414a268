"""Low-resolution images: a random set of kinds of objects, laid over each other linearly."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator

from crewe.recipes import RecipePart
from crewe.recipes.ranges import Level
from crewe.simulation.low_resolution.bands import Bands, bands_image
from crewe.simulation.low_resolution.boxes import Boxes, boxes_image
from crewe.simulation.low_resolution.cracks import Cracks, cracks_image
from crewe.simulation.low_resolution.grains import Grains, grains_image
from crewe.simulation.low_resolution.sharp_particles import SharpParticles, sharp_particles_image
from crewe.simulation.low_resolution.soft_particles import SoftParticles, soft_particles_image

Image = NDArray[np.float32]

KINDS: dict[str, Callable[..., tuple[Image, dict[str, Any]]]] = {
    "soft_particles": soft_particles_image,
    "sharp_particles": sharp_particles_image,
    "grains": grains_image,
    "bands": bands_image,
    "boxes": boxes_image,
    "cracks": cracks_image,
}
"""What draws each kind of object."""


class Probabilities(RecipePart):
    """How probable each kind is, before images with no kind at all are left out; ours."""

    soft_particles: float = Field(default=0.3, ge=0, le=1)
    sharp_particles: float = Field(default=0.3, ge=0, le=1)
    grains: float = Field(default=0.3, ge=0, le=1)
    bands: float = Field(default=0.3, ge=0, le=1)
    boxes: float = Field(default=0.3, ge=0, le=1)
    cracks: float = Field(default=0.3, ge=0, le=1)

    @model_validator(mode="after")
    def _something_is_possible(self) -> Probabilities:
        if not any(getattr(self, kind) for kind in KINDS):
            raise ValueError("every kind has the probability 0: give one of them more")
        return self


class LowResolution(RecipePart):
    """Ranges of a low-resolution ideal image."""

    probabilities: Probabilities = Probabilities()
    weight: Level = [0.3, 1.0]
    """Brightest value of each kind in the sum; ours."""
    soft_particles: SoftParticles = SoftParticles()
    sharp_particles: SharpParticles = SharpParticles()
    grains: Grains = Grains()
    bands: Bands = Bands()
    boxes: Boxes = Boxes()
    cracks: Cracks = Cracks()


def low_resolution_image(
    part: LowResolution, shape: tuple[int, int], rng: Generator
) -> tuple[Image, dict[str, Any]]:
    """Draw a random set of kinds and lay them over each other, each at a random weight.

    Returns an image (y, x), nowhere negative and not normalised, before the contrast model of
    `crewe.simulation.contrast`; and the facts: `kinds` (names in the order of drawing),
    `weights` and, under the name of each kind, what its function says. An image whose objects
    all lie outside is zero. Paper: doi:10.1038/s41524-023-01188-0, "Undistorted data generation".
    """
    kinds = draw_kinds(part.probabilities, rng)
    facts: dict[str, Any] = {"kinds": list(kinds), "weights": {}}
    image = np.zeros(shape, np.float32)
    for kind in kinds:
        weight = part.draw("weight", rng)
        layer, facts[kind] = KINDS[kind](getattr(part, kind), shape, rng)
        facts["weights"][kind] = weight
        brightest = float(layer.max())
        if brightest > 0:
            image += np.float32(weight / brightest) * layer
    return image, facts


def draw_kinds(probabilities: Probabilities, rng: Generator) -> tuple[str, ...]:
    """Draw which kinds an image has: each by itself, given that there is at least one."""
    sets = list(product([False, True], repeat=len(KINDS)))[1:]
    shares = np.array([getattr(probabilities, kind) for kind in KINDS])
    chances = np.where(sets, shares, 1 - shares).prod(axis=1)
    chosen = sets[rng.choice(len(sets), p=chances / chances.sum())]
    return tuple(kind for kind, has in zip(KINDS, chosen, strict=True) if has)
