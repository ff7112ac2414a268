"""What a recipe for pairs of a degraded and an ideal image can say.

The model is that of I. Lobato, T. Friedrich and S. Van Aert, npj Comput. Mater. 10 (2024) 10,
doi:10.1038/s41524-023-01188-0, whose ranges are the defaults.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from crewe.recipes import Distribution, RecipePart
from crewe.recipes.ranges import Share, within
from crewe.simulation.contrast import ContrastRecipe
from crewe.simulation.low_resolution.random_image import LowResolution
from crewe.simulation.radial_transform import HIGHEST_ORDER, LOWEST_ORDER
from crewe.specimens.random_specimen import RandomSpecimen

CONTENTS = ("specimen", "low_resolution", "both")


class Content(RecipePart):
    """How often an image shows what; the paper is silent, these are ours."""

    specimen: float = Field(1.0, ge=0)
    low_resolution: float = Field(0.0, ge=0)
    both: float = Field(0.0, ge=0)
    """Low-resolution objects over a specimen, such as particles on a crystal."""

    @model_validator(mode="after")
    def _something_can_be_drawn(self) -> Self:
        if not any(getattr(self, kind) for kind in CONTENTS):
            raise ValueError("every content has the weight 0: nothing could be drawn")
        return self


class AtomShapes(RecipePart):
    """Ranges of the radial functions of equations 17 to 22."""

    size_factor: tuple[float, float] = (0.4, 0.9)
    """r_m over the transformed radius of the projected potential; ours."""
    alpha: tuple[float, float] = (0.75, 1.25)
    """Exponent of equation 18."""
    order: tuple[float, float] = (4.0, 16.0)
    """n of equation 17; 4 to 16 is what is tabulated."""
    height: tuple[float, float] = (0.5, 1.0)
    """h1, h2 and h3 of equation 17."""

    @field_validator("*")
    @classmethod
    def _not_empty(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 < value[0] <= value[1]:
            raise ValueError(f"the range {list(value)} is empty: give 0 < lowest ≤ highest")
        return value

    @field_validator("order")
    @classmethod
    def _tabulated(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] < LOWEST_ORDER or value[1] > HIGHEST_ORDER:
            raise ValueError(f"orders lie in [{LOWEST_ORDER:g}, {HIGHEST_ORDER:g}]: {list(value)}")
        return value


class Restoration(RecipePart):
    """A recipe for restoration pairs."""

    task: Literal["restoration"]
    name: str
    description: str
    size_px: int = Field(256, ge=16, le=4096)
    pixel_size_angstrom: Annotated[Distribution, within(0.001, 50)] = [0.025, 0.90]
    margin_angstrom: float = Field(3.5, ge=0, le=1000)
    """The instrument acts on an image this much larger on each side, so that a displaced beam
    finds something there (d_ext of the paper: about three standard deviations of its jitter)."""
    most_margin_px: int = Field(48, ge=0, le=1024)
    content: Content = Content()
    both_share: Share = [0.2, 0.8]
    """Share of the low-resolution objects in the brightness of an image with both."""
    specimen: RandomSpecimen = RandomSpecimen()
    atoms: AtomShapes = AtomShapes()
    low_resolution: LowResolution = LowResolution()
    contrast: ContrastRecipe = ContrastRecipe()
    degradation: str | dict[str, Any]
    """A shipped chain of `crewe.degradation`, such as hrstem, or a chain itself."""
