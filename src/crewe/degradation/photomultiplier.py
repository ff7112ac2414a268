"""The scintillator and photomultiplier of a scanning microscope."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.random import Generator

from crewe.degradation.parameters import Parameters, number
from crewe.degradation.pixels import Pixels, as_pixels
from crewe.degradation.poisson import poisson_number


@dataclass(frozen=True)
class Photomultiplier(Parameters):
    """How one electron becomes a pulse, and how much the pulses differ."""

    collected_photons: float = number(1e-3, 1e6)
    """m_c: photons that reach the photocathode per electron, on average."""
    quantum_efficiency: float = number(1e-3, 1)
    """η: photoelectrons per photon."""
    secondary_gain: float = number(1.01, 1e3)
    """δ: electrons that each dynode makes of one."""
    photon_variance: float = number(0, 1e3, default=1.0)
    """δ_c²/m_c: variance of the collected photons over their mean; 1 for Poisson."""


def pulse_spread(parameters: Photomultiplier) -> float:
    """Return the standard deviation of the pulse of one electron over its mean, m_c·η·G.

    Source: eq. 44 of I. Lobato et al., npj Comput. Mater. 10 (2024) 10,
    doi:10.1038/s41524-023-01188-0, divided by m_c·η·G: the gain G drops out.
    """
    multiplied = 1 - parameters.quantum_efficiency + 1 / (parameters.secondary_gain - 1)
    photoelectrons = parameters.collected_photons * parameters.quantum_efficiency
    collected = parameters.photon_variance / parameters.collected_photons
    return math.sqrt(multiplied / photoelectrons + collected)


def photomultiplier(image: Pixels, parameters: Photomultiplier, rng: Generator) -> Pixels:
    """Count electrons and add the spread of their pulses: x ← N + σ √N · N(0, 1), N = P(x).

    `image` and result are in electrons per pixel. The pulses of N electrons are independent, so
    their variances add: σ belongs to the counted number, as in eq. 2.13 of the thesis of
    T. Friedrich (Antwerp); the constant σ of eq. 46 of Lobato et al. would give empty pixels
    a signal. Source: eq. 43-46, doi:10.1038/s41524-023-01188-0.
    """
    return _pulses(as_pixels(image), pulse_spread(parameters), rng)


@njit(cache=True, nogil=True)
def _pulses(mean: Pixels, spread: float, rng: Generator) -> Pixels:
    signal = np.empty_like(mean)
    for i in range(mean.shape[0]):
        for j in range(mean.shape[1]):
            count = poisson_number(mean[i, j], rng)
            signal[i, j] = count + spread * math.sqrt(count) * rng.standard_normal()
    return signal
