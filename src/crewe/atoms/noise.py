"""How the noise of an image grows with its intensity, read off the residuals of a fit."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from crewe.atoms.stamps import Array


@dataclass(frozen=True)
class NoiseModel:
    """Variance of a pixel of expected intensity f: `constant` + `per_intensity`·f.

    Electron counts have constant 0 and per_intensity 1; an image in other units whose noise is
    shot noise has per_intensity = units per electron. `floor` is the least variance returned.
    """

    constant: float
    per_intensity: float
    floor: float

    def variance(self, expected: Array) -> Array:
        """Variance of each pixel of an expected image."""
        return np.maximum(self.constant + self.per_intensity * expected, self.floor)


def counting_noise(units_per_electron: float, expected: Array) -> NoiseModel:
    """Shot noise of an image whose electron count is known."""
    return NoiseModel(0.0, units_per_electron, 1e-4 * units_per_electron * float(np.mean(expected)))


def estimate_noise(residual: Array, expected: Array, parameters: int, bins: int = 24) -> NoiseModel:
    """Noise model from the mean squared residual in bins of equal population.

    `parameters` is the number of fitted parameters, which the residual lacks as degrees of
    freedom. The lowest and highest bins are kept: they carry the slope.
    """
    lost = residual.size / max(residual.size - parameters, 0.05 * residual.size)
    step = max(1, int(np.ceil(np.sqrt(residual.size / 3e5))))
    level, left = expected[::step, ::step].ravel(), residual[::step, ::step].ravel()
    parts = np.array_split(np.argsort(level), min(bins, max(2, level.size // 50)))
    intensity = np.array([level[part].mean() for part in parts])
    variance = np.array([np.square(left[part]).mean() for part in parts]) * lost
    mean = float(variance.mean())
    if mean <= 0:
        return NoiseModel(0.0, 0.0, np.finfo(float).tiny)
    base = min(0.0, float(intensity.min()))
    # A bin's variance is known to a fraction of itself, the same for all bins.
    weight = 1 / np.maximum(variance, 1e-3 * mean)
    design = np.stack([np.ones_like(intensity), intensity - base], axis=1)
    (constant, slope), _ = nnls(design * weight[:, None], variance * weight)
    return NoiseModel(float(constant - slope * base), float(slope), 0.02 * mean)
