"""A map of how far the measurement supports a restored image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from crewe.errors import ImageError
from crewe.networks.inference import filled
from crewe.networks.scaling import Scale, scale_of
from crewe.restoration import evidence as seen
from crewe.restoration.noise import coloured_noise, fit_noise, noise_power, without_spikes

Array = NDArray[np.floating[Any]]
Restore = Callable[[NDArray[np.float32]], NDArray[np.float32]]

TRUSTED, DOUBTED = 0.75, 0.25
"""Trust above which a place counts as supported, and below which as contradicted."""
SMALLEST_PX = 16
PROBE = 0.1
"""Share of the noise that is added to see how far the restored image follows it."""


@dataclass(frozen=True)
class TrustMap:
    """How far a measurement supports a restored image."""

    trust: NDArray[np.float32]
    """(y, x), 0 to 1: 1 where the data support what is shown, 0.5 where they cannot tell, 0 where
    they contradict it; NaN where nothing was measured."""
    structure_width_px: float
    """Width of the structure it was looked at with, as of a Gaussian peak; NaN when too small."""

    @property
    def trusted_share(self) -> float:
        """Share of the measured area with a trust above 0.75."""
        return _share(self.trust > TRUSTED, self.trust)

    @property
    def doubted_share(self) -> float:
        """Share of the measured area with a trust below 0.25."""
        return _share(self.trust < DOUBTED, self.trust)


def trust_map(
    measured: ArrayLike,
    restored: ArrayLike,
    restore: Restore | None = None,
    rng: np.random.Generator | None = None,
) -> TrustMap:
    """Map how far a measured image (y, x) supports a restored one of the same shape and unit.

    The residual yields a model of the noise (`fit_noise`) and its spectrum. At each place two
    questions are put to a Gaussian window of one and a half widths of the smallest structure.
    Is the structure shown there? The slope of the measured over the restored image is 1 where it
    is, 0 where it is not. Is anything missing or in excess? What is left over is searched for
    peaks of typical height. The log likelihood ratios of both are joined: trust is the
    probability that the restored image is right, if right and wrong were equally likely before.

    `restore` is the method that made the restored image of the measured one. With it, and `rng`
    to draw noise from, the method is asked how far its result follows the noise: what it merely
    copied from the noise is taken off the slope (C. M. Stein, Ann. Stat. 9 (1981) 1135,
    doi:10.1214/aos/1176345632; probed as in S. Ramani et al., IEEE Trans. Image Process. 17
    (2008) 1540, doi:10.1109/TIP.2008.2001404). Without it noise that was taken for structure
    counts as supported. Images under 16 pixels a side are 0.5 everywhere. Raises ImageError for
    other shapes.
    """
    given, shown = np.asarray(measured), np.asarray(restored)
    if given.ndim != 2 or given.shape != shown.shape:
        raise ImageError(
            f"a measured image of shape {given.shape} and a restored one of {shown.shape}: "
            "give two of the same dims (y, x)"
        )
    missing = ~(np.isfinite(given) & np.isfinite(shown))
    if missing.all() or min(given.shape) < SMALLEST_PX:
        flat = np.where(missing, np.nan, 0.5).astype(np.float32)
        return TrustMap(flat, float("nan"))
    scale = scale_of(given)
    y, x = (filled(scale.apply(np.where(missing, np.nan, one))) for one in (given, shown))
    variance, power, clean = _noise_of(y, x)
    probe = None
    if restore is not None:
        if rng is None:
            raise ImageError("a method to ask needs random numbers: give rng as well")
        noise = coloured_noise(power, y.shape, rng) * np.sqrt(variance)
        probe = seen.Probe(noise, _change(restore, scale, y, x, noise))
    width = seen.structure_width(x, None if probe is None else probe.change)
    trust = _joined(seen.weigh(clean, x, seen.Sight(width, variance, power, probe)))
    trust = trust.astype(np.float32)
    trust[missing] = np.nan
    return TrustMap(trust, width)


def _noise_of(y: Array, x: Array) -> tuple[Array, Array, Array]:
    """Variance and spectrum of the noise, and the measured image without defective pixels."""
    # Where most pixels have no count at all, a count is no defect.
    sparse = bool(np.mean(y <= y.min()) > 0.5)
    rest: Array = y - x
    variance = fit_noise(rest, x, sparse).variance(x)
    if not sparse:
        rest = without_spikes(rest, np.sqrt(variance))
        variance = fit_noise(rest, x).variance(x)
    deviation = np.sqrt(variance)
    return variance, noise_power(rest / deviation, (x + rest) / deviation), x + rest


def _change(restore: Restore, scale: Scale, y: Array, x: Array, noise: Array) -> Array:
    """What a little of a noise changes in the restored image, on the scale, per unit of noise."""
    disturbed = scale.apply(restore(scale.undo(y + PROBE * noise)))
    return np.asarray(disturbed - x, np.float64) / PROBE


def _joined(found: seen.Evidence) -> Array:
    """Probability that a place is right, its two ways to be wrong weighed by what it shows."""
    share = np.clip(found.share, 1e-6, 1 - 1e-6)
    against = np.logaddexp(
        np.log(share) - found.structure,
        np.log1p(-share) - found.complete,
    )
    return np.asarray(special.expit(-against))


def _share(where: NDArray[np.bool_], trust: NDArray[np.float32]) -> float:
    measured = int(np.count_nonzero(np.isfinite(trust)))
    return int(np.count_nonzero(where)) / measured if measured else float("nan")
