"""How near an image comes to a phase that is known."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

RIM = 32
"""Probe positions at each border that are not judged: a kernel of 61 reaches 30 beyond it."""


@dataclass(frozen=True)
class Likeness:
    """One image against one truth."""

    correlation: float
    slope: float
    """Rad per rad of truth, by least squares."""
    error_rad: float
    """Root mean square difference, after the means were taken off."""


def inner(image: np.ndarray) -> np.ndarray:
    """What is judged of an image, of mean 0."""
    part = image[RIM:-RIM, RIM:-RIM]
    return part - part.mean()


def likeness(image: np.ndarray, truth: np.ndarray) -> Likeness:
    found, true = inner(image), inner(truth)
    product = np.sum(found * true)
    correlation = product / np.sqrt(np.sum(found**2) * np.sum(true**2))
    error = np.sqrt(np.mean((found - true) ** 2))
    return Likeness(float(correlation), float(product / np.sum(true**2)), float(error))


def by_frequency(
    image: np.ndarray, truth: np.ndarray, step: float, edges: tuple[float, ...]
) -> list[tuple[float, float]]:
    """Transfer and correlation of the Fourier coefficients between edges in 1/Å."""
    spectra = []
    for whole in (image, truth):
        part = inner(whole)
        window = np.outer(*(np.hanning(n) for n in part.shape))
        spectra.append(np.fft.fft2(part * window))
    found, true = spectra
    k = np.hypot(
        np.fft.fftfreq(found.shape[0], step)[:, None], np.fft.fftfreq(found.shape[1], step)
    )
    result = []
    for low, high in pairwise(edges):
        ring = (k >= low) & (k < high)
        product = np.sum(found[ring] * np.conj(true[ring])).real
        own, its = (np.sum(np.abs(s[ring]) ** 2) for s in (found, true))
        result.append((float(product / its), float(product / np.sqrt(own * its))))
    return result


def visibility(image: np.ndarray, marked: np.ndarray, unmarked: np.ndarray) -> float:
    """Mean at places with an atom less mean at equal places without, in standard deviations."""
    with_atom, without = (
        ndimage.map_coordinates(image, places.T, order=3, mode="nearest")
        for places in (marked, unmarked)
    )
    return float((with_atom.mean() - without.mean()) / without.std())


def pore_visibility(image: np.ndarray, cells: int, side_px: int) -> float:
    """Mean of squares on the walls between pores less that of squares in pores, by their scatter.

    The image holds cells × cells cells, each with a pore in its middle.
    """
    smooth = ndimage.uniform_filter(image, side_px, mode="wrap")
    middles = (np.arange(cells) + 0.5) * len(image) / cells
    borders = np.arange(1, cells) * len(image) / cells
    pores = smooth[np.ix_(*[middles.astype(int)] * 2)]
    walls = [
        smooth[np.ix_(*(a.astype(int) for a in pair))]
        for pair in ((borders, middles), (middles, borders))
    ]
    wall = np.concatenate([w.ravel() for w in walls])
    return float((wall.mean() - pores.mean()) / np.sqrt((wall.var() + pores.var()) / 2))


def radial_mean(image: np.ndarray, centre: tuple[float, float], radii: np.ndarray) -> np.ndarray:
    """Mean of an image on circles about a place, all in pixels."""
    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    y = centre[0] + radii[:, None] * np.sin(angles)
    x = centre[1] + radii[:, None] * np.cos(angles)
    return ndimage.map_coordinates(image, [y, x], order=3).mean(axis=1)
