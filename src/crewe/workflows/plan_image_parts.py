"""The parts of a plan that say what of the image is measured: region, background, weak columns."""

from typing import Literal, Self

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from crewe.workflows.plan_part import PlanPart


class RegionOptions(PlanPart):
    """Which columns are asked; all are fitted, since they share their intensity."""

    polygon: tuple[tuple[float, float], ...] | None = Field(default=None, min_length=3)
    """Corners x, y in Å."""
    types: tuple[NonNegativeInt | str, ...] | None = Field(default=None, min_length=1)
    """Types or names of columns."""
    inside: bool = True
    """False takes what lies outside the polygon."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.polygon is None and self.types is None:
            raise ValueError("a region needs a polygon, types, or both")
        return self


class BackgroundRemoval(PlanPart):
    """A slowly varying background that is subtracted before columns are fitted."""

    method: Literal["valleys", "polynomial"] = "valleys"
    """Envelope of the valleys between columns, or a polynomial through them."""
    scale_angstrom: PositiveFloat | None = None
    """Length over which it varies, in Å; nothing takes a few column spacings."""
    order: PositiveInt = 2
    """Order of the polynomial."""


class WeakColumnOptions(PlanPart):
    """Search for columns too weak to be found by themselves, such as light beside heavy ones."""

    most: PositiveInt | None = None
    """Columns to add at most; nothing leaves it to the evidence."""
