"""A map of how far the measurement supports a restored image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, special

from crewe.errors import ImageError
from crewe.networks.inference import filled
from crewe.networks.scaling import scale_of
from crewe.restoration import evidence as seen
from crewe.restoration.noise import coloured_noise, fit_noise, noise_power, without_spikes

Array = NDArray[np.floating[Any]]
Restore = Callable[[NDArray[np.float32]], NDArray[np.float32]]

TRUSTED, DOUBTED = 0.75, 0.25
"""Trust above which a place counts as supported, and below which as contradicted."""
SMALLEST_PX = 16
PROBE = 0.1
"""Share of the noise that is added to see how far the restored image follows it."""
TEMPER = 1.0


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

    `restore` is the method that made the restored image. With it, and `rng` to draw noise from,
    the method is asked how far its result follows the noise: what it merely copied from the
    noise is taken off the slope (C. M. Stein, Ann. Stat. 9 (1981) 1135,
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
    sight, y = _look(y, x)
    learnt: Array | float = 0.0
    if restore is not None:
        if rng is None:
            raise ImageError("a method to ask needs random numbers: give rng as well")
        asked = _on_scale(restore, scale.mean, scale.spread)
        learnt = _learnt(asked, y, x, sight, rng)
    trust = _joined(seen.weigh(y, x, sight, learnt)).astype(np.float32)
    trust[missing] = np.nan
    return TrustMap(trust, sight.width_px)


def _look(y: Array, x: Array) -> tuple[seen.Sight, Array]:
    """Noise and structure of a pair of images, and the measured one without defects."""
    width = seen.structure_width(x)
    model = fit_noise(y - x, x)
    rest = without_spikes(y - x, np.sqrt(model.variance(x)))
    variance = fit_noise(rest, x).variance(x)
    power = noise_power(rest / np.sqrt(variance))
    sight = seen.Sight(width, 0.0, variance, power)
    return replace(sight, typical=seen.typical_spread(x, sight.window_px)), x + rest


def _learnt(
    restore: Restore, y: Array, x: Array, sight: seen.Sight, rng: np.random.Generator
) -> Array:
    """Covariance of noise with what it changes in the restored image, smoothed over windows."""
    noise = coloured_noise(sight.noise_power, y.shape, rng) * np.sqrt(sight.variance)
    changed = (restore((y + PROBE * noise).astype(np.float32)) - x) / PROBE
    learnt = seen.covariance(noise, changed, sight)
    return np.asarray(ndimage.gaussian_filter(learnt, 3 * sight.window_px, mode="reflect"))


def _on_scale(restore: Restore, mean: float, spread: float) -> Restore:
    def scaled(image: NDArray[np.float32]) -> NDArray[np.float32]:
        result = restore((image * spread + mean).astype(np.float32))
        return ((result - mean) / spread).astype(np.float32)

    return scaled


def _joined(found: seen.Evidence) -> Array:
    """Probability that a place is right, its two ways to be wrong weighed by what it shows."""
    against = np.logaddexp(
        np.log(found.share + 1e-12) - TEMPER * found.structure,
        np.log1p(-np.minimum(found.share, 1 - 1e-12)) - TEMPER * found.complete,
    )
    return np.asarray(special.expit(-against))


def _share(where: NDArray[np.bool_], trust: NDArray[np.float32]) -> float:
    measured = int(np.count_nonzero(np.isfinite(trust)))
    return int(np.count_nonzero(where)) / measured if measured else float("nan")
