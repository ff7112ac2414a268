"""What an emulator is made of: features of a pixel's surroundings, and a polynomial in them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from crewe.errors import CalibrationError
from crewe.simulation.emulator.features import Features
from crewe.simulation.emulator.neighbourhood import Neighbourhood
from crewe.simulation.emulator.smoothed import Smoothed
from crewe.simulation.emulator.terms import Terms

SMOOTHED_KINDS = (
    "intensity",
    "log",
    "root 2",
    "smooth 1",
    "spread 2",
    "spread 3",
    "cube 4",
    "gradient 4",
    "shear 4",
    "square 8",
    "square 16",
)


@dataclass(frozen=True)
class EmulatorPlan:
    """A polynomial of degree `degree` in features of the convolution image."""

    features: Literal["neighbourhood", "smoothed"] = "neighbourhood"
    """Pixels of a square grid, as in the paper, or rotation-invariant smoothed powers."""
    size: int = 5
    """Side of the square grid in pixels, odd."""
    log: bool = True
    """Whether the logarithm of the centre pixel is a feature of the grid, too."""
    degree: int = 2
    """Highest power."""
    interactions: bool = True
    """Whether products of different features are terms."""
    kinds: tuple[str, ...] = SMOOTHED_KINDS
    """Rotation-invariant features by name and scale in pixels, see `Smoothed`."""
    ridge: float = 1e-11
    """Penalty on the coefficients of standardised terms, relative to their own size. With less of
    it neighbouring pixels are fitted so closely that rounding of 10⁻⁶ in an image shows as 10⁻³."""
    register: bool = True
    """Whether a shift of the multislice images against the convolution images is fitted."""

    def __post_init__(self) -> None:
        if self.features not in ("neighbourhood", "smoothed"):
            raise CalibrationError(
                f"features are 'neighbourhood' or 'smoothed', not {self.features!r}"
            )
        if not (math.isfinite(self.ridge) and self.ridge >= 0):
            raise CalibrationError(f"a ridge must be zero or positive, not {self.ridge}")
        self.terms()

    def feature_set(self) -> Features:
        """The features; CalibrationError for a grid or a kind that does not exist."""
        if self.features == "neighbourhood":
            return Neighbourhood(self.size, self.log)
        return Smoothed(self.kinds)

    def terms(self) -> Terms:
        """The polynomial's terms; CalibrationError for a degree below 1."""
        return Terms(len(self.feature_set().names), self.degree, self.interactions)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {**asdict(self), "kinds": list(self.kinds)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> EmulatorPlan:
        """Undo `to_dict`; CalibrationError for keys that mean nothing."""
        try:
            return cls(**{**values, "kinds": tuple(values.get("kinds", SMOOTHED_KINDS))})
        except TypeError as error:
            raise CalibrationError(f"an emulator is not described so: {error}") from error
