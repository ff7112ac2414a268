"""Pairs whose second image is a known polynomial of the first."""

import numpy as np
import scipy.ndimage

from crewe.simulation.emulator.pairs import Pair


def smooth_image(seed, shape=(48, 52)):
    noise = np.random.default_rng(seed).random(shape)
    blurred = scipy.ndimage.gaussian_filter(noise, 1.5, mode="wrap")
    return (blurred - blurred.min() + 0.05).astype(np.float32)


def bent(linear):
    """A polynomial of degree 2 in the pixel and its right neighbour, and the pixel's logarithm."""
    right = np.roll(linear, -1, axis=1)
    return 0.1 + linear - 0.5 * linear * right + 0.02 * np.log(linear)


def pairs(count=4, noise=0.0, target=bent):
    result = []
    for seed in range(count):
        linear = smooth_image(seed)
        values = target(linear.astype(np.float64))
        values = values + noise * np.random.default_rng([seed, 1]).standard_normal(values.shape)
        result.append(Pair(f"{seed:02d}", linear, values.astype(np.float32)))
    return result
