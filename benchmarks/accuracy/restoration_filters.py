"""What needs no training: noise made even by Anscombe's transform, then a filter of Fourier space.

The noise is estimated from the image alone. The two numbers that had to be chosen, `NOISE_FACTOR`
and `SMOOTHING_PX`, did best in the mean over 20 hrstem samples of another seed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

Image = NDArray[np.float64]

NOISE_FACTOR = 2.0
"""By how much the estimated power of the noise is taken too large, here and for BM3D."""
SMOOTHING_PX = 1.5
"""Width of the Gaussian that smooths the image's power spectrum, in pixels of Fourier space."""
WINDOW_PX, BINS = 9, 12
HOT = 8.0
"""Pixels this many deviations from the median of their surroundings are replaced by it."""


@dataclass(frozen=True)
class Evened:
    """An image whose noise has about the same strength everywhere."""

    values: Image
    noise_power: Image
    """Expected power of the noise, |fft2|²/pixels, in the order of fft2."""
    slope: float
    offset: float
    """The image's variance is slope · mean + offset; slope 0 where it does not grow."""
    mean: float

    def back(self, filtered: Image) -> Image:
        """Return filtered values in the image's own unit, with the image's mean.

        The inverse is the closed form of the unbiased one of M. Mäkitalo and A. Foi, IEEE Trans.
        Image Process. 20 (2011) 2697, doi:10.1109/TIP.2011.2121085.
        """
        if self.slope == 0:
            image = filtered * np.sqrt(self.offset)
        else:
            d = np.maximum(filtered, 2 * np.sqrt(3 / 8))
            root = np.sqrt(1.5)
            image = self.slope * (
                d**2 / 4 + root / (4 * d) - 11 / (8 * d**2) + 5 * root / (8 * d**3) - 1 / 8
            )
        return image - image.mean() + self.mean


def evened(image: NDArray[np.generic]) -> Evened:
    """Return an image after the generalised Anscombe transform of its estimated noise."""
    values = without_hot_pixels(np.asarray(image, float))
    slope, offset = variance_line(values)
    if slope == 0:
        even = values / np.sqrt(offset)
    else:
        inside = slope * values + 3 / 8 * slope**2 + offset
        even = 2 / slope * np.sqrt(np.maximum(inside, 0))
    return Evened(even, noise_power(even), slope, offset, float(values.mean()))


def wiener(image: NDArray[np.generic]) -> Image:
    """Return an image filtered with 1 − noise/power, the power being that of the image itself."""
    even = evened(image)
    spectrum = fft.fft2(even.values)
    power = np.abs(spectrum) ** 2 / even.values.size
    power[0, 0] = power[0, 1]  # The mean, thousands of times the rest, must not leak.
    power = ndimage.gaussian_filter(power, SMOOTHING_PX, mode="wrap")
    gain = np.maximum(0, 1 - NOISE_FACTOR * even.noise_power / np.maximum(power, 1e-12))
    gain[0, 0] = 1
    return even.back(fft.ifft2(gain * spectrum).real)


def without_hot_pixels(image: Image) -> Image:
    """Replace single pixels that no noise explains by the median around them."""
    around = ndimage.median_filter(image, 5)
    apart = np.abs(image - around)
    # The 90th percentile, 1.645 deviations of a normal distribution: at half an electron per pixel
    # the median would be zero, and every electron a hot pixel.
    return np.where(apart > HOT * np.percentile(apart, 90) / 1.645, around, image)


def variance_line(image: Image) -> tuple[float, float]:
    """Return slope and offset of the noise's variance over the mean.

    From second differences between lines, medians of equally filled bins of the local mean. Slope
    0 where the variance does not grow with the mean or would vanish in the darkest part.
    """
    mean = ndimage.uniform_filter(image, WINDOW_PX)[1:-1]
    variance = ndimage.uniform_filter(_line_differences(image) ** 2, WINDOW_PX)
    edges = np.quantile(mean, np.linspace(0, 1, BINS + 1))
    places = np.clip(np.searchsorted(edges, mean, side="right") - 1, 0, BINS - 1)
    bins = [places == number for number in range(BINS) if (places == number).any()]
    level = np.array([mean[one].mean() for one in bins])
    found = np.array([np.median(variance[one]) for one in bins])
    typical = float(np.median(found))
    if typical <= 0:
        return 0.0, max(float(image.var()), 1e-12)
    sound = found > 0.1 * typical
    design = np.stack([level, np.ones_like(level)], axis=1)[sound] / found[sound, None]
    slope, offset = np.linalg.lstsq(design, np.ones(int(sound.sum())), rcond=None)[0]
    if slope <= 0 or slope * level[0] + offset < 0.2 * found[sound].min():
        return 0.0, typical
    return float(slope), float(offset)


def noise_power(image: Image) -> Image:
    """Return the expected power of noise that is independent between lines.

    Each line's spectrum, in the median over second differences between lines, so that noise which
    a slow detector smears along the line is known as such. What the specimen adds is little where
    it changes slowly from line to line.
    """
    spectra = np.abs(fft.fft(_line_differences(image), axis=1)) ** 2 / image.shape[1]
    # Powers are exponentially distributed: their median is ln 2 of their mean.
    power = ndimage.gaussian_filter1d(np.median(spectra, axis=0) / np.log(2), 4, mode="wrap")
    return np.broadcast_to(power, image.shape)


def _line_differences(image: Image) -> Image:
    return (image[:-2] - 2 * image[1:-1] + image[2:]) / np.sqrt(6)
