"""How large the columns of an unknown image are, and how strong its noise at that size."""

from collections.abc import Iterator

import numpy as np
from scipy import fft, ndimage

from crewe.atoms.stamps import Array

# Pixels of the middle of an image that are enough to read the size of its columns from.
WINDOW = 768


def blob_responses(image: Array, scales: Array) -> Iterator[Array]:
    """Minus the Laplacian of the image smoothed by Gaussians of each of `scales` pixels.

    Blind to any linear background, and separates columns that plain smoothing would merge.
    """
    pad = int(4 * np.max(scales))
    padded = np.pad(image - np.median(image), pad, mode="symmetric")
    shape = [fft.next_fast_len(n, real=True) for n in padded.shape]
    spectrum = fft.rfft2(padded, shape, workers=-1)
    k2 = _squared_frequency(shape)[:, : spectrum.shape[1]]
    inside = tuple(slice(pad, pad + n) for n in image.shape)
    for scale in np.atleast_1d(scales):
        kernel = k2 * np.exp(-0.5 * k2 * scale * scale)
        yield fft.irfft2(spectrum * kernel, shape, workers=-1)[inside]


def _squared_frequency(shape: tuple[int, ...] | list[int]) -> Array:
    ky, kx = (2 * np.pi * fft.fftfreq(n) for n in shape)
    return ky[:, None] ** 2 + kx[None, :] ** 2


def choose_scale(image: Array) -> tuple[float, bool] | None:
    """Blob scale in pixels at which the finest features stand out, and whether they rule the image.

    The strength of the responses, scaled such that white noise is equally strong at every scale,
    rises towards the size of the columns and falls beyond it. The first maximum or shoulder is
    taken, so that particles and thickness steps cannot win; only a maximum counts as ruling.
    None: no scale stands out, as in a field of single atoms on a rough support.
    """
    scales = 0.7 * 1.2 ** np.arange(24)
    scales = scales[scales < min(image.shape) / 12]
    window = image[_middle(image.shape, WINDOW)]
    strength: list[float] = []
    for scale, response in zip(scales, blob_responses(window, scales), strict=True):
        typical = scale**3 * np.percentile(response[::2, ::2], 98)
        strength.append(float(np.log(max(typical, np.finfo(float).tiny))))
        found = _feature(scales[: len(strength)], np.array(strength))
        if found is not None:
            return found
    return None


def _middle(shape: tuple[int, ...], size: int) -> tuple[slice, ...]:
    first = [max(0, (n - size) // 2) for n in shape]
    return tuple(slice(n, n + size) for n in first)


def _feature(scales: Array, strength: Array) -> tuple[float, bool] | None:
    """Maximum or shoulder at the last scale but two, of which two more must be known."""
    k = len(scales) - 3
    if k < 1:
        return None
    left, here, right = strength[k - 1 : k + 2]
    if here >= left and here > right and here - strength[:k].min() > 0.1:
        offset = 0.5 * (left - right) / (left - 2 * here + right)
        return float(scales[k] * 1.2**offset), True
    slope = np.gradient(strength, np.log(scales))
    steepest = slope[: k + 1].max()
    if steepest > 0.8 and slope[k] < 0.3 * steepest and slope[k] <= slope[k + 1]:
        return float(scales[k]), False
    return None


def response_noise(scale: float) -> float:
    """Standard deviation of the blob response to white noise of unit variance."""
    size = 2 * int(6 * scale) + 9
    impulse = np.zeros((size, size))
    impulse[size // 2, size // 2] = 1
    (kernel,) = blob_responses(impulse, np.array([scale]))
    return float(np.sqrt(np.sum(np.square(kernel))))


def border_noise(shape: tuple[int, ...], scale: float) -> Array:
    """How much noisier the response is near the border, where the mirrored pixels count twice."""
    factors = []
    for size in shape:
        distance = np.minimum(np.arange(size), np.arange(size)[::-1]) / scale
        factors.append(1 + (np.sqrt(2) - 1) * np.exp(-(distance**2)))
    return factors[0][:, None] * factors[1][None, :]


def white_noise_variance(image: Array, reach: float) -> Array:
    """Variance of the white part of the noise as it grows with the smoothed intensity.

    From the 2×2 diagonal difference, which cancels every smooth structure; a straight line
    through its mean square in bins of the intensity smoothed over `reach` pixels.
    """
    smooth = ndimage.gaussian_filter(image, reach)
    step = max(1, int(np.ceil(np.sqrt(image.size / 3e5))))
    some = tuple(slice(None, n - 1, step) for n in image.shape)
    next_y, next_x, both = image[1:, :][some], image[:, 1:][some], image[1:, 1:][some]
    difference = 0.5 * (image[some] - next_y - next_x + both)
    level = smooth[some]
    parts = np.array_split(np.argsort(level, axis=None), 16)
    intensity = np.array([level.flat[part].mean() for part in parts])
    variance = np.array([np.square(difference.flat[part]).mean() for part in parts])
    centred = intensity - intensity.mean()
    slope = centred @ variance / max(centred @ centred, np.finfo(float).tiny)
    line = variance.mean() + slope * (smooth - intensity.mean())
    return np.maximum(line, 0.05 * variance.mean())


def texture_noise(image: Array, scale: float) -> float:
    """Standard deviation of the blob response to everything that is not periodic.

    From the median of the power spectrum on rings, which Bragg peaks do not reach; it counts a
    rough support as noise, and would count a disordered arrangement of columns as noise, too.
    """
    window = np.hanning(image.shape[0])[:, None] * np.hanning(image.shape[1])[None, :]
    flat = (image - ndimage.gaussian_filter(image, 4 * scale)) * window
    power = np.abs(fft.fft2(flat, workers=-1)) ** 2 / np.sum(window**2)
    k2 = _squared_frequency(image.shape)
    rings = np.sqrt(k2) * min(image.shape) / (2 * np.pi)
    rings = rings.astype(int)
    # an exponential distribution has its median at ln 2 of its mean
    median = ndimage.median(power, rings, np.arange(rings.max() + 1)) / np.log(2)
    kernel = k2 * np.exp(-0.5 * k2 * scale * scale)
    return float(np.sqrt(np.mean(median[rings] * kernel**2)))
