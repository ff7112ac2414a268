"""Rings that count electrons: which are usual, and how much of each pixel of a pattern they cover.

A window of L Å shows the pattern in pixels of λ/L, several mrad for a small one. A ring that took
pixels by their centres would be another one for every window; here a pixel on an edge counts by
the part of it that is covered.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from crewe.errors import CalibrationError
from crewe.physics.optics import Optics

Array = NDArray[np.float64]
# Points along each side of a pixel on an edge at which it is asked whether it is covered.
POINTS = 16
# Inner and outer angle of usual detectors in parts of the convergence semi-angle. ABF: S. D.
# Findlay et al., Ultramicroscopy 110 (2010) 903, doi:10.1016/j.ultramic.2010.04.004. From about
# three semi-angles on the contrast is incoherent: P. Hartel, H. Rose and C. Dinges, Ultramicroscopy
# 63 (1996) 93, doi:10.1016/0304-3991(96)00020-4. Where HAADF ends matters little.
USUAL_RINGS = {"BF": (0.0, 1.0), "ABF": (0.5, 1.0), "ADF": (1.0, 3.0), "HAADF": (3.0, 8.0)}


@dataclass(frozen=True)
class AnnularDetector:
    """A ring (or, from 0, a disk) that counts electrons; angles in mrad."""

    inner_mrad: float
    outer_mrad: float

    def __post_init__(self) -> None:
        if not 0 <= self.inner_mrad < self.outer_mrad < 1000:
            raise CalibrationError(
                f"a detector from {self.inner_mrad} to {self.outer_mrad} mrad holds nothing: give "
                "0 ≤ inner < outer (are they in rad or degrees?)"
            )


def usual_detector(name: str, optics: Optics) -> AnnularDetector:
    """Detector BF, ABF, ADF or HAADF with the angles of `USUAL_RINGS` for a convergence angle α.

    BF is the whole bright-field disk 0–α, ABF its outer half α/2–α, ADF α–3α, HAADF 3α–8α. Raises
    CalibrationError for another name.
    """
    if name.upper() not in USUAL_RINGS:
        raise CalibrationError(
            f"no usual detector is called {name!r}: choose one of {', '.join(USUAL_RINGS)}, or "
            "give AnnularDetector(inner, outer) in mrad"
        )
    inner, outer = USUAL_RINGS[name.upper()]
    return AnnularDetector(inner * optics.semi_angle_mrad, outer * optics.semi_angle_mrad)


@lru_cache(maxsize=32)
def ring_weights(
    detectors: tuple[AnnularDetector, ...],
    points: tuple[int, int],
    extent: tuple[float, float],
    wavelength_angstrom: float,
) -> NDArray[np.float32]:
    """Part (detector, kx, ky) of each pixel that a ring covers, zero frequency first.

    Rings that share all angles share every pixel: the sum of their weights is 1 there.
    """
    steps = [wavelength_angstrom / length * 1e3 for length in extent]
    angles = [scipy.fft.fftfreq(n, 1 / n) * step for n, step in zip(points, steps, strict=True)]
    weights = [
        covered(one.outer_mrad, angles, steps) - covered(one.inner_mrad, angles, steps)
        for one in detectors
    ]
    return np.array(weights, dtype=np.float32)


def covered(radius: float, axes: list[Array], steps: list[float]) -> Array:
    """Part (x, y) of pixels of size `steps`, centred on `axes`, that lies within a radius."""
    distance = np.hypot(axes[0][:, None], axes[1][None, :])
    result = (distance < radius).astype(np.float64)
    first, second = np.nonzero(np.abs(distance - radius) <= 0.5 * np.hypot(steps[0], steps[1]))
    inside = (np.arange(POINTS) + 0.5) / POINTS - 0.5
    x = axes[0][first][:, None, None] + steps[0] * inside[:, None]
    y = axes[1][second][:, None, None] + steps[1] * inside[None, :]
    result[first, second] = (np.hypot(x, y) < radius).mean(axis=(1, 2))
    return result
