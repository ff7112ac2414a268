"""Virtual detectors: which pixels of a pattern are summed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError

RADII = {"bf": (0.0, 1.0), "abf": (0.5, 1.0), "adf": (1.1, 2.0), "haadf": (2.5, np.inf)}
"""Inner and outer radius of the usual detectors, in radii of the bright-field disk."""


@dataclass(frozen=True)
class Annulus:
    """Pixels with inner ≤ distance < outer from a centre (ky, kx), all in detector pixels.

    With `segments` > 1 the ring is cut into as many equal sectors, the first one beginning at
    `start_degrees` from +kx towards +ky (clockwise as displayed), the others following that way.
    """

    inner_px: float
    outer_px: float
    segments: int = 1
    start_degrees: float = 0.0

    def masks(self, shape: tuple[int, int], centre: tuple[float, float]) -> NDArray[np.bool_]:
        """Return one mask (segment, ky, kx) per sector. Raises PlanError when one is empty."""
        if not 0 <= self.inner_px < self.outer_px or self.segments < 1:
            raise PlanError(
                f"detector from {self.inner_px:g} to {self.outer_px:g} px in {self.segments} "
                "segments: the inner radius must be 0 or more and below the outer"
            )
        ky, kx = np.indices(shape, dtype=float) - np.reshape(centre, (2, 1, 1))
        distance = np.hypot(ky, kx)
        ring = (distance >= self.inner_px) & (distance < self.outer_px)
        turned = np.degrees(np.arctan2(ky, kx)) - self.start_degrees
        sector = (np.mod(turned, 360.0) / (360.0 / self.segments)).astype(int) % self.segments
        masks = ring & (sector == np.arange(self.segments)[:, None, None])
        if not masks.any(axis=(1, 2)).all():
            raise PlanError(
                f"no pixel of a {shape[0]} × {shape[1]} detector lies between {self.inner_px:g} "
                f"and {self.outer_px:g} px of its centre ({centre[0]:.1f}, {centre[1]:.1f})"
                f"{' in every segment' if self.segments > 1 else ''}: choose other radii"
            )
        return np.asarray(masks)


def usual_detectors(names: list[str], bright_field_radius_px: float) -> Mapping[str, Annulus]:
    """Return the named ones of bf, abf, adf, haadf and segments for a bright-field radius.

    `segments` are the four quadrants of the bright-field disk. Raises PlanError for another name.
    """
    found = {}
    for name in names:
        if name == "segments":
            found[name] = Annulus(0.0, bright_field_radius_px, segments=4)
        elif name in RADII:
            inner, outer = RADII[name]
            found[name] = Annulus(inner * bright_field_radius_px, outer * bright_field_radius_px)
        else:
            raise PlanError(f"no detector {name!r}: there are {', '.join(RADII)} and segments")
    return found
