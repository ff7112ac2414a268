"""Fast scans: detector and readout still answer to the last pixel while the next one counts.

Both answers trail behind the beam. The paper's eq. 48 and 49 are printed for x ≤ 0, where x is
the time before now; printed as they stand, eq. 49 would grow with that time and eq. 47 would
look ahead. Here k ≥ 0 pixels are the age of a signal, and every response adds up to one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.degradation.parameters import Parameters, number
from crewe.degradation.pixels import Pixels, as_pixels
from crewe.errors import PlanError

LONGEST_RESPONSE_PX = 64


@dataclass(frozen=True)
class DetectorResponse(Parameters):
    """Half a Lorentzian: the decay of scintillator and photomultiplier."""

    alpha_px: float = number(1e-3, 1e3)
    """α of eq. 48: half maximum is reached after α/2π pixels."""


@dataclass(frozen=True)
class ReadoutResponse(Parameters):
    """A damped oscillator: the electronics behind the detector."""

    decay_px: float = number(1e-2, 32)
    """β of eq. 49."""
    period_px: float = number(1, 1e4)
    """γ of eq. 49."""
    phase_deg: float = number(0, 180)
    """θ of eq. 49."""

    def __post_init__(self) -> None:
        """Refuse a response that adds up to nothing: eq. 50 cannot normalise it."""
        super().__post_init__()
        response = _oscillation(self)
        if response.sum() < 0.2 * np.abs(response).sum():
            raise PlanError(
                f"a readout of phase {self.phase_deg:g}° over {self.decay_px:g} px cancels itself: "
                "give a phase closer to 90° or a longer period"
            )


def detector_kernel(parameters: DetectorResponse) -> NDArray[np.float32]:
    """Return the weights of a signal 0, 1, 2 … pixels old: ∝ α / (4π² k² + α²).

    Its integral over x ≥ 0 is 1/4 as printed, so it is scaled here to a sum of one.
    Source: eq. 48 of I. Lobato et al., npj Comput. Mater. 10 (2024) 10,
    doi:10.1038/s41524-023-01188-0.
    """
    age = np.arange(LONGEST_RESPONSE_PX)
    return _shortened(parameters.alpha_px / (4 * np.pi**2 * age**2 + parameters.alpha_px**2))


def readout_kernel(parameters: ReadoutResponse) -> NDArray[np.float32]:
    """Return the weights of a signal 0, 1, 2 … pixels old: ∝ exp(−k/β) sin(2π k/γ + θ).

    They are scaled to a sum of one. The a of eq. 49 should be one over the integral of the
    response, βγ (γ sin θ + 2πβ cos θ) / (γ² + 4π²β²); eq. 50 prints the integral itself, and with
    4π in the places of 2π, which is right for sin(4πx/γ + θ).
    Source: eq. 49, doi:10.1038/s41524-023-01188-0.
    """
    return _shortened(_oscillation(parameters))


def _oscillation(parameters: ReadoutResponse) -> NDArray[np.float64]:
    age = np.arange(LONGEST_RESPONSE_PX)
    phase = 2 * np.pi * age / parameters.period_px + math.radians(parameters.phase_deg)
    return np.exp(-age / parameters.decay_px) * np.sin(phase)


def _shortened(response: NDArray[np.floating]) -> NDArray[np.float32]:
    """Cut off what would change no pixel by a thousandth of the whole; a sum of one."""
    response = response / response.sum()
    missing = np.abs(np.cumsum(response[::-1])[::-1])
    kept = response[: np.flatnonzero(missing > 1e-3)[-1] + 1]
    return (kept / kept.sum()).astype(np.float32)


@njit(cache=True, nogil=True)
def trail(image: Pixels, kernel: NDArray[np.float32]) -> Pixels:
    """Convolve each line with the weights of older pixels; before it the first pixel went on."""
    ny, nx = image.shape
    result = np.empty_like(image)
    reach = len(kernel) - 1
    line = np.empty(nx + reach, np.float32)
    for i in range(ny):
        line[:reach] = image[i, 0]
        line[reach:] = image[i]
        row = result[i]
        row[:] = 0
        for age in range(reach + 1):
            weight = kernel[age]
            older = line[reach - age : reach - age + nx]
            for j in range(nx):
                row[j] += weight * older[j]
    return result


def detector_response(image: Pixels, parameters: DetectorResponse, rng: Generator) -> Pixels:
    """Let the detector trail behind the beam, which scans towards rising x (eq. 47 and 48)."""
    return trail(as_pixels(image), detector_kernel(parameters))


def readout_response(image: Pixels, parameters: ReadoutResponse, rng: Generator) -> Pixels:
    """Let the readout trail behind the beam, which scans towards rising x (eq. 47 and 49)."""
    return trail(as_pixels(image), readout_kernel(parameters))
