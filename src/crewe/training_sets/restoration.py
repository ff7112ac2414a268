"""Restoration pairs: an ideal image and what an instrument makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crewe.degradation.compose import Applied, Chain, read_chain
from crewe.errors import PlanError, RecipeError, SpecimenError
from crewe.recipes import Lines, child_generator, to_yaml
from crewe.training_sets.ideal import draw_ideal
from crewe.training_sets.restoration_recipe import Restoration
from crewe.training_sets.sample import ArrayLayout, Fact, Sample

IDEAL, INSTRUMENT = 0, 1
"""Places of random numbers below (seed, index)."""


@dataclass(frozen=True)
class RestorationMaker:
    """Makes the pairs of a restoration recipe."""

    part: Restoration
    chain: Chain
    lines: Lines = field(default_factory=Lines, compare=False)
    """Where the recipe's keys stand, for errors that only show when samples are made."""

    @classmethod
    def read(cls, settings: dict[str, Any], lines: Lines) -> RestorationMaker:
        """Read the settings of a recipe and the chain it names. Raises RecipeError."""
        part = Restoration.read(settings, lines)
        return cls(part, read_chain(part.degradation, lines.inside("degradation")), lines)

    @property
    def name(self) -> str:
        """Name of the recipe."""
        return self.part.name

    @property
    def text(self) -> str:
        """The recipe as YAML, every default and the whole chain spelled out."""
        return to_yaml(self.part.model_copy(update={"degradation": self.chain.plain()}))

    def layout(self) -> tuple[ArrayLayout, ...]:
        """Return the arrays `degraded` and `ideal`."""
        shape = (self.part.size_px, self.part.size_px)
        return (
            ArrayLayout("degraded", shape, self._degraded_type, "What the instrument delivers."),
            ArrayLayout("ideal", shape, "float32", "What it should have seen, on the same scale."),
        )

    def table_columns(self) -> Mapping[str, Mapping[str, str]]:
        """Return that there are no tables."""
        return {}

    def sample(self, seed: int, index: int) -> Sample:
        """Make pair `index`."""
        rng = child_generator(seed, index, IDEAL)
        pixel_size = self.part.draw("pixel_size_angstrom", rng)
        margin = self._margin(pixel_size)
        size = self.part.size_px + 2 * margin
        try:
            image, facts = draw_ideal(self.part, size, pixel_size, rng)
        except SpecimenError as error:
            where = self.lines.say(("specimen",))
            raise RecipeError(f"{where}: specimen of sample {index}: {error}") from error
        try:
            pair = self.chain.apply(
                image, seed, (index, INSTRUMENT), pixel_size_angstrom=pixel_size, margin=margin
            )
        except PlanError as error:
            where = self.lines.say(("degradation",))
            raise RecipeError(f"{where}: degradation of sample {index}: {error}") from error
        return Sample(
            {"degraded": pair.image.astype(self._degraded_type), "ideal": pair.ideal},
            {
                "pixel_size_angstrom": pixel_size,
                "field_of_view_angstrom": pixel_size * self.part.size_px,
                **facts,
                **_instrument_facts(pair.applied, pixel_size),
            },
        )

    @property
    def _degraded_type(self) -> str:
        """Whole counts where the chain ends with them."""
        last = self.chain.post_processing[-1:]
        counts = last and last[0].effects == ("count_scale",) and last[0].probability == 1
        return "uint16" if counts else "float32"

    def _margin(self, pixel_size: float) -> int:
        wanted = math.ceil(self.part.margin_angstrom / pixel_size)
        return min(wanted, self.part.most_margin_px)


def _instrument_facts(applied: tuple[Applied, ...], pixel_size: float) -> dict[str, Fact]:
    """What happened, and the parameters that people ask for; 0 for what did not happen."""
    electrons = _parameter(applied, "mean_electrons_per_pixel")
    return {
        "effects": ",".join(one.effect for one in applied),
        "electrons_per_pixel": electrons,
        "dose_e_per_angstrom2": electrons / pixel_size**2,
        "jitter_x_angstrom": _parameter(applied, "sigma_x_angstrom"),
        "jitter_y_angstrom": _parameter(applied, "sigma_y_angstrom"),
        "response_px": _parameter(applied, "alpha_px"),
        "blur_px": _parameter(applied, "sigma_px"),
    }


def _parameter(applied: tuple[Applied, ...], name: str) -> float:
    """Return the first parameter of a name among the effects that happened, or 0."""
    found = (getattr(one.parameters, name, None) for one in applied)
    return float(next((value for value in found if value is not None), 0.0))
