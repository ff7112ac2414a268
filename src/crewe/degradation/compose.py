"""A chain of effects: from an ideal image to what an instrument delivers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from numpy.random import Generator

from crewe.degradation.displacement import Displacement, displace
from crewe.degradation.effects import EFFECTS, Effect
from crewe.degradation.parameters import Parameters
from crewe.degradation.pixels import Pixels, as_pixels
from crewe.degradation.postprocess import transform_displacement
from crewe.degradation.recipe import read_sections
from crewe.degradation.steps import Step
from crewe.errors import ImageError
from crewe.recipes import Lines, child_generator

INSTRUMENT, POST_PROCESSING = 0, 1


@dataclass(frozen=True)
class Applied:
    """An effect that happened, with the parameters that were drawn."""

    effect: str
    parameters: Parameters


@dataclass(frozen=True)
class Degraded:
    """A degraded image beside the ideal one, on the same scale."""

    image: Pixels
    ideal: Pixels
    displacement: Displacement
    """Where the scan took each pixel, all scan effects together: pixel (y, x) of the degraded
    image shows the ideal one at (y + dy, x + dx), in pixels. Where a linear transform has
    mirrored the border it does not hold."""
    applied: tuple[Applied, ...] = ()

    def cropped(self, margin: int) -> Degraded:
        """Take `margin` pixels off each side. Raises ImageError when none are left."""
        ny, nx = self.image.shape
        if margin < 0 or 2 * margin >= min(ny, nx):
            raise ImageError(f"a margin of {margin} px leaves nothing of {ny} × {nx} pixels")
        inner = (slice(margin, ny - margin), slice(margin, nx - margin))
        return replace(
            self,
            image=self.image[inner],
            ideal=self.ideal[inner],
            displacement=self.displacement.cropped(margin),
        )


@dataclass(frozen=True)
class Chain:
    """The effects of an instrument in their order, and what is done to its images afterwards."""

    instrument: tuple[Step, ...] = ()
    post_processing: tuple[Step, ...] = ()
    name: str = field(default="", compare=False)

    def record(
        self,
        image: Any,
        seed: int,
        place: tuple[int, ...] = (),
        *,
        ideal: Any = None,
        pixel_size_angstrom: float | None = None,
    ) -> Degraded:
        """Degrade an image (y, x) as the instrument does.

        `place` below `seed` names the sample; every step draws from a generator of its own there,
        so that a step that is added, skipped or left out changes no other. `ideal` is the image
        to be restored, where it is not `image` itself. Intensities must not be negative where
        electrons are counted. Returns float32 images; raises ImageError for an image that cannot
        be used and PlanError when a pixel size is needed and missing.
        """
        pixels = as_pixels(image)
        truth = pixels if ideal is None else as_pixels(ideal)
        _check_pair(pixels, truth)
        still = Displacement.none(pixels.shape)
        context = {"pixel_size_angstrom": pixel_size_angstrom}
        walk = _Walk(Degraded(pixels, truth, still), context, still)
        return walk.through(self.instrument, seed, (*place, INSTRUMENT))

    def post_process(self, degraded: Degraded, seed: int, place: tuple[int, ...] = ()) -> Degraded:
        """Do to a recorded image what people do before they restore it."""
        walk = _Walk(degraded, {}, Displacement.none(degraded.image.shape))
        return walk.through(self.post_processing, seed, (*place, POST_PROCESSING))

    def apply(
        self,
        image: Any,
        seed: int,
        place: tuple[int, ...] = (),
        *,
        ideal: Any = None,
        pixel_size_angstrom: float | None = None,
        margin: int = 0,
    ) -> Degraded:
        """Record an image, take `margin` pixels off each side, and post-process it."""
        recorded = self.record(
            image, seed, place, ideal=ideal, pixel_size_angstrom=pixel_size_angstrom
        )
        return self.post_process(recorded.cropped(margin), seed, place)

    def plain(self) -> dict[str, Any]:
        """Return the whole recipe as `read_chain` reads it, based on no other."""
        return {
            "instrument": [step.plain() for step in self.instrument],
            "post_processing": [step.plain() for step in self.post_processing],
        }


@dataclass
class _Walk:
    """A pair of images on its way through the steps."""

    state: Degraded
    context: Mapping[str, float | None]
    pending: Displacement
    """Displacements that add up until something else than the scan happens."""

    def through(self, steps: tuple[Step, ...], seed: int, place: tuple[int, ...]) -> Degraded:
        for step in steps:
            rng = child_generator(seed, *place, *step.key)
            chosen = step.choose(rng)
            if chosen is not None:
                parameters = chosen.draw(self.context, rng)
                self._apply(Applied(chosen.effect, parameters), rng)
        self._scan()
        return self.state

    def _apply(self, happening: Applied, rng: Generator) -> None:
        effect, parameters = EFFECTS[happening.effect], happening.parameters
        if effect.kind == "scan":
            more = effect.function(self.state.image.shape, parameters, rng)
            self.pending = self.pending + more
        else:
            self._scan()
            self._change(effect, parameters, rng)
        self.state = replace(self.state, applied=(*self.state.applied, happening))

    def _change(self, effect: Effect, parameters: Parameters, rng: Generator) -> None:
        """Apply an effect other than those of the scan."""
        image, ideal, displacement = self.state.image, self.state.ideal, self.state.displacement
        if effect.kind == "noise":
            image = effect.function(image, parameters, rng)
        elif effect.kind == "pair":
            image, ideal = effect.function(image, ideal, parameters, rng)
        else:
            same = image is ideal
            image = effect.function(image, parameters, rng)
            ideal = image if same else effect.function(ideal, parameters, rng)
        if effect.matrix is not None:
            matrix = effect.matrix(parameters)
            displacement = transform_displacement(displacement, image.shape, matrix)
        self.state = replace(self.state, image=image, ideal=ideal, displacement=displacement)

    def _scan(self) -> None:
        """Take the image where all displacements together have led the beam."""
        if not self.pending.is_none:
            image = displace(self.state.image, self.pending)
            whole = self.state.displacement + self.pending
            self.state = replace(self.state, image=image, displacement=whole)
            self.pending = Displacement.none(image.shape)


def _check_pair(image: Pixels, ideal: Pixels) -> None:
    if image.shape != ideal.shape:
        raise ImageError(f"an image of {image.shape} has no ideal partner of {ideal.shape}")


def read_chain(
    recipe: str | os.PathLike[str] | Mapping[str, Any], lines: Lines | None = None
) -> Chain:
    """Read the recipe of an instrument: a name (`hrstem`), a YAML file or nested settings.

    `lines` say where the name or the settings stand in another recipe, whose folder the file is
    then looked for in; without them it is the working directory. Raises RecipeError that names
    the file and the line of what cannot be followed.
    """
    sections = read_sections(recipe, lines)
    name = "" if isinstance(recipe, Mapping) else Path(recipe).stem
    return Chain(sections.instrument or (), sections.post_processing or (), name)
