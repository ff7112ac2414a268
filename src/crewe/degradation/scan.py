"""How the beam strays from its grid: correlated jitter, the mains' hum, and drift.

In all of them a scan line moves as a whole, so that a displacement is one dy and one dx a line.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.degradation.displacement import Displacement, displace
from crewe.degradation.parameters import Parameters, number
from crewe.degradation.pixels import Pixels, as_pixels

Series = NDArray[np.float32]


@dataclass(frozen=True)
class ScanJitter(Parameters):
    """Jitter in which each line remembers the one before it."""

    pixel_size_angstrom: float = number(1e-6, 1e6)
    sigma_x_angstrom: float = number(0, 100, default=0.0)
    """Standard deviation of the random part of the shift along the line, Å."""
    sigma_y_angstrom: float = number(0, 100, default=0.0)
    """The same across the lines, Å."""
    phi_x: float = number(0, 0.999, default=0.0)
    """How much of the previous line's shift along x stays."""
    phi_y: float = number(0, 0.999, default=0.0)
    """The same along y."""


def scan_jitter_displacement(
    shape: tuple[int, int], parameters: ScanJitter, rng: Generator
) -> Displacement:
    """Draw the shifts of an autoregressive series of first order, one for each scan line.

    The series is stationary from its first line, with variance σ²/(1 − φ²).
    Source: eq. 41 of I. Lobato et al., npj Comput. Mater. 10 (2024) 10,
    doi:10.1038/s41524-023-01188-0. Its index k runs over lines, as one sees in its figure 12.
    """
    size = parameters.pixel_size_angstrom
    noise = rng.standard_normal((2, shape[0]), dtype=np.float32)
    return Displacement(
        _autoregressive(noise[0], parameters.sigma_y_angstrom / size, parameters.phi_y),
        _autoregressive(noise[1], parameters.sigma_x_angstrom / size, parameters.phi_x),
    )


@njit(cache=True, nogil=True)
def _autoregressive(noise: Series, sigma: float, phi: float) -> Series:
    series = np.empty((len(noise), 1), np.float32)
    series[0, 0] = noise[0] * sigma / math.sqrt(1 - phi * phi)
    for k in range(1, len(noise)):
        series[k, 0] = phi * series[k - 1, 0] + sigma * noise[k]
    return series


def scan_jitter(image: Pixels, parameters: ScanJitter, rng: Generator) -> Pixels:
    """Take an image with a jittering beam (eq. 41 and 42)."""
    pixels = as_pixels(image)
    return displace(pixels, scan_jitter_displacement(pixels.shape, parameters, rng))


@dataclass(frozen=True)
class LineFrequency(Parameters):
    """Random shifts that come and go with the frequency of the mains."""

    pixel_size_angstrom: float = number(1e-6, 1e6)
    sigma_angstrom: float = number(0, 100)
    """Standard deviation of a line's shift where the sine is at its crest, Å."""
    frequency_hz: float = number(0, 1e5)
    line_time_ms: float = number(1e-6, 1e6)
    """Time from the start of a scan line to the start of the next, fly-back included."""
    start_phase_deg: float = number(-360, 360, default=0.0)
    """Phase of the sine of x at the first line."""
    phase_deg: float = number(-360, 360, default=90.0)
    """φ0: by how much y runs ahead of x."""


def line_frequency_displacement(
    shape: tuple[int, int], parameters: LineFrequency, rng: Generator
) -> Displacement:
    """Draw δx = N(0, 1) σ sin(2π f t) and δy with the phase φ0 added, one for each scan line.

    Source: the equations of section "Scan noise" of R. Lin et al., Sci. Rep. 11 (2021) 5386,
    doi:10.1038/s41598-021-84499-w.
    """
    time_s = np.arange(shape[0]) * parameters.line_time_ms * 1e-3
    phase = 2 * np.pi * parameters.frequency_hz * time_s + math.radians(parameters.start_phase_deg)
    ahead = phase + math.radians(parameters.phase_deg)
    sigma = parameters.sigma_angstrom / parameters.pixel_size_angstrom
    shifts = sigma * rng.standard_normal((2, shape[0])) * np.sin([ahead, phase])
    dy, dx = shifts.astype(np.float32)[:, :, None]
    return Displacement(dy, dx)


def line_frequency(image: Pixels, parameters: LineFrequency, rng: Generator) -> Pixels:
    """Take an image while the mains' frequency disturbs the beam."""
    pixels = as_pixels(image)
    return displace(pixels, line_frequency_displacement(pixels.shape, parameters, rng))


@dataclass(frozen=True)
class Drift(Parameters):
    """Specimen drift: a steady part and a random walk from line to line."""

    pixel_size_angstrom: float = number(1e-6, 1e6)
    drift_x_angstrom: float = number(-1e4, 1e4, default=0.0)
    """How far the field has moved along x from the first line to the last, Å."""
    drift_y_angstrom: float = number(-1e4, 1e4, default=0.0)
    walk_x_angstrom: float = number(0, 1e3, default=0.0)
    """Standard deviation of the random walk at the last line, Å."""
    walk_y_angstrom: float = number(0, 1e3, default=0.0)


def drift_displacement(shape: tuple[int, int], parameters: Drift, rng: Generator) -> Displacement:
    """Draw a drift that is zero at the middle line, so that the field stays where it was.

    The random walk is Brownian: its variance grows with the distance in lines.
    """
    walk = rng.standard_normal((2, shape[0])) / math.sqrt(max(shape[0] - 1, 1))
    walk[:, 0] = 0
    course = np.linspace(0, 1, shape[0])
    steady = (parameters.drift_y_angstrom, parameters.drift_x_angstrom)
    sigma = (parameters.walk_y_angstrom, parameters.walk_x_angstrom)
    whole = np.outer(steady, course) + np.cumsum(walk, axis=1) * np.array(sigma)[:, None]
    whole -= whole[:, [shape[0] // 2]]
    dy, dx = (whole / parameters.pixel_size_angstrom).astype(np.float32)[:, :, None]
    return Displacement(dy, dx)


def drift(image: Pixels, parameters: Drift, rng: Generator) -> Pixels:
    """Take an image while the specimen drifts."""
    pixels = as_pixels(image)
    return displace(pixels, drift_displacement(pixels.shape, parameters, rng))
