"""What kind of input an image is, in a few numbers, to tell what a network has not been taught."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from crewe.errors import ImageError
from crewe.networks.inference import filled
from crewe.networks.scaling import scale_of

Array = NDArray[np.float64]

BLOCK_PX = 256
"""Features are medians over blocks of at most this side, so that the image's size hardly counts."""
MOST_BLOCKS = 9
MARGIN = 0.1
"""Share of a range's width, and twice of its end, by which a feature may miss it unspoken of."""

WORDS: dict[str, tuple[str | None, str]] = {
    "noise_share": ("it is less noisy", "it is noisier"),
    "structure_px": ("its structure is finer", "its structure is coarser"),
    "along_line_correlation": (
        "neighbours in a line are less alike",
        "neighbours in a line are more alike",
    ),
    "line_to_line_correlation": (
        "neighbouring lines are less alike",
        "neighbouring lines are more alike",
    ),
    "line_jumps": (None, "its lines jump more"),
    "skewness": ("it has more dark than bright features", "it has more bright than dark features"),
    "kurtosis": ("its intensities keep to fewer levels", "its intensities have longer tails"),
    "anisotropy": (None, "it has one direction more strongly"),
    "at_ceiling": (None, "more pixels are saturated"),
    "at_floor": (None, "more pixels are at the lowest value"),
    "outliers": (None, "it has more outlying pixels"),
}
"""What it means that a feature is below or above what training inputs have; None: nothing."""


def features(image: ArrayLike) -> dict[str, float]:
    """Numbers that say what kind of input an image (y, x) is, the same in any unit and offset.

    `noise_share` is the share of the power beyond half the Nyquist frequency; `structure_px` the
    mean period of the power above the noise, in pixels; the two correlations are those of pixels
    next to each other in a line and of one line with the next; `line_jumps` is how much of the
    difference between neighbouring lines their means carry, 1/width for pixels that know nothing
    of each other and 1 for lines that move as a whole; `skewness` and `kurtosis` (3 taken off)
    are those of the intensities, the outermost 0.1 % at either end clipped; `anisotropy` is 0
    where all directions are equal and 1 for parallel stripes; `at_ceiling` and `at_floor` are the
    shares of pixels with the highest and lowest value of the image, `outliers` the share that
    stands out from its neighbours by more than eight robust deviations.

    Each but the two shares at the ends is the median over up to nine blocks of 256 px. NaN and
    infinite pixels do not count. Raises ImageError for other dims, for fewer than 8 pixels a side
    and for an image without finite pixels.
    """
    data = np.asarray(image)
    if data.ndim != 2 or min(data.shape) < 8:
        raise ImageError(f"an image of shape {data.shape}: give dims (y, x), 8 × 8 pixels or more")
    scaled = scale_of(data).apply(np.where(np.isfinite(data), data, np.nan))
    each = [_of_block(block) for block in _blocks(scaled)]
    found = {name: float(np.median([one[name] for one in each])) for name in each[0]}
    return found | _ends(data)


def unlike(found: Mapping[str, float], ranges: Mapping[str, tuple[float, float]]) -> list[str]:
    """Say in plain words in what an image is unlike the training inputs; empty when in nothing.

    `ranges` are the lowest and highest value of each feature that 99 % of the training inputs
    have. A feature that only one side has is passed over, and so is one that misses its range by
    less than a tenth of the range's width and a fifth of its end.
    """
    reasons = []
    for name, (low, high) in ranges.items():
        if name not in found or name not in WORDS:
            continue
        below, above = (min(MARGIN * (high - low), 2 * MARGIN * abs(end)) for end in (low, high))
        if low - below <= found[name] <= high + above:
            continue
        words = WORDS[name][int(found[name] > high)]
        if words is None:
            continue
        what = name.replace("_", " ")
        reasons.append(f"{words} ({what} {found[name]:.3g}, trained on {low:.3g} to {high:.3g})")
    return reasons


def _blocks(scaled: NDArray[np.float32]) -> list[Array]:
    """Blocks of an image, NaN bridged, spread over it; the emptiest left out when others exist."""
    rows, columns = (_starts(side) for side in scaled.shape)
    blocks = [scaled[y : y + BLOCK_PX, x : x + BLOCK_PX] for y in rows for x in columns]
    measured = [float(np.isfinite(block).mean()) for block in blocks]
    enough = min(0.5, max(measured))
    kept = [block for block, share in zip(blocks, measured, strict=True) if share >= enough]
    return [filled(block).astype(np.float64) for block in kept]


def _starts(side: int) -> list[int]:
    count = min(round(MOST_BLOCKS**0.5), max(1, side // BLOCK_PX))
    return [int(start) for start in np.linspace(0, max(0, side - BLOCK_PX), count)]


def _of_block(block: Array) -> dict[str, float]:
    return {
        **_spectral(block),
        "along_line_correlation": _correlation(block[:, 1:], block[:, :-1]),
        "line_to_line_correlation": _correlation(block[1:], block[:-1]),
        "line_jumps": _line_jumps(block),
        **_histogram(block),
        "anisotropy": _anisotropy(block),
        "outliers": _outliers(block),
    }


def _spectral(block: Array) -> dict[str, float]:
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in block.shape))
    power = np.abs(scipy.fft.rfft2((block - block.mean()) * window)) ** 2
    power[:, 1:-1] *= 2  # the half of the transform that is not there
    ky = scipy.fft.fftfreq(block.shape[0])[:, None]
    radius = np.hypot(ky, scipy.fft.rfftfreq(block.shape[1])[None, :])
    total = float(power.sum())
    if total < 1e-9:
        return {"noise_share": 0.0, "structure_px": float(max(block.shape))}
    share = float(power[radius > 0.25].sum()) / total
    # Means over rings, the noise level taken from the outermost: what is left is structure.
    ring = np.minimum((radius * 64).astype(np.intp), 31).ravel()
    count = np.maximum(np.bincount(ring, minlength=32), 1)
    level = np.bincount(ring, power.ravel(), minlength=32) / count
    left = np.maximum(level - level[-4:].mean(), 0.0) * count
    if left.sum() <= 0:
        return {"noise_share": share, "structure_px": 2.0}
    mean_frequency = float(np.sum(left * (np.arange(32) + 0.5) / 64) / left.sum())
    return {"noise_share": share, "structure_px": 1 / mean_frequency}


def _correlation(one: Array, other: Array) -> float:
    """Correlation of two images; 1 where they have no contrast."""
    one, other = one - one.mean(), other - other.mean()
    spread = float(np.sqrt(np.mean(one**2) * np.mean(other**2)))
    return float(np.mean(one * other)) / spread if spread > 1e-6 else 1.0


def _line_jumps(block: Array) -> float:
    steps = np.diff(block, axis=0)
    every = float(np.mean(steps**2))
    return float(np.mean(steps.mean(axis=1) ** 2)) / every if every > 1e-12 else 0.0


def _histogram(block: Array) -> dict[str, float]:
    values = np.clip(block, *np.percentile(block, [0.1, 99.9]))
    values = values - values.mean()
    spread = float(values.std())
    if spread < 1e-6:
        return {"skewness": 0.0, "kurtosis": 0.0}
    values /= spread
    return {"skewness": float(np.mean(values**3)), "kurtosis": float(np.mean(values**4)) - 3}


def _anisotropy(block: Array) -> float:
    """How far the mean gradient tensor of the smoothed image prefers one direction, 0 to 1."""
    along_y, along_x = np.gradient(ndimage.gaussian_filter(block, 2.0))
    yy, xx = float(np.mean(along_y**2)), float(np.mean(along_x**2))
    yx = float(np.mean(along_y * along_x))
    return float(np.hypot(yy - xx, 2 * yx)) / (yy + xx) if yy + xx > 1e-12 else 0.0


def _outliers(block: Array) -> float:
    from_neighbours = np.abs(block - ndimage.median_filter(block, 3))
    deviation = float(np.median(from_neighbours)) / 0.6745
    return float(np.mean(from_neighbours > 8 * deviation)) if deviation > 1e-6 else 0.0


def _ends(image: NDArray[Any]) -> dict[str, float]:
    values = image[np.isfinite(image)]
    highest, lowest = float(np.mean(values == values.max())), float(np.mean(values == values.min()))
    return {"at_ceiling": highest, "at_floor": lowest}
