"""Probes in a window: cut out of a wide field, faded at the rim, with what lies outside counted.

A tenth of an Å over R of the probe of a 25 mrad lens at 200 kV lies further out than R (Airy disk),
2 % beyond 4 Å. In a window that repeats it would enter again at the other side.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from crewe.physics.optics import Optics, aberration_phase, aperture
from crewe.simulation.multislice_scan import ScanAxis

Array = NDArray[np.float64]
# The field from which windows are cut, and the width of the rim where the probe fades.
FIELD_ANGSTROM = 60.0
RIM_ANGSTROM = 1.0
# How far out the tails are looked up in what other places of the probe saw.
TAIL_ANGSTROM = 20.0


def faded_probes(
    optics: Optics,
    places: tuple[Array, Array],
    points: tuple[int, int],
    extent: tuple[float, float],
) -> NDArray[np.complex64]:
    """Waves (place y, place x, x, y) with the probe at places (y, x) in Å from the window's corner.

    A whole probe has total intensity 1, a faded one what is left of it within the window.
    """
    k, spectrum = _spectrum(optics)
    steps = [length / n for length, n in zip(extent, points, strict=True)]
    at_x, at_y = (step * np.arange(n) for step, n in zip(steps, points, strict=True))
    fade = _fade(at_x, extent[0])[:, None] * _fade(at_y, extent[1])[None, :]
    fade = (fade * math.sqrt(steps[0] * steps[1])).astype(np.float32)
    result = np.empty((len(places[0]), len(places[1]), *points), np.complex64)
    along_x = [_waves(at_x - place, k) for place in places[1]]
    for row, place in enumerate(places[0]):
        half = spectrum @ _waves(at_y - place, k).T
        for column, wave in enumerate(along_x):
            result[row, column] = (wave @ half) * fade
    return result


def spread_tails(
    samples: Array, inside: Array, kernel: Array, axes: tuple[ScanAxis, ScanAxis]
) -> Array:
    """Signal (..., y, x) with that of the tails, from what was seen of the part `inside` (y, x).

    The tails meet what the probe itself meets where they lie, incoherently: samples there are
    weighted by `kernel`. Beyond the border of an open scan everything is as at the border.
    """
    weights = kernel / kernel.sum()
    reach = [size // 2 for size in kernel.shape]
    seen = samples / inside
    for axis, width, number in zip(axes, reach, (-2, -1), strict=True):
        pads = [(0, 0)] * seen.ndim
        pads[number] = (width, width)
        seen = np.pad(seen, pads, mode="wrap" if axis.periodic else "edge")
    # fftconvolve turns its kernel round; what is wanted is the signal at place + distance.
    turned = weights[::-1, ::-1].reshape((1,) * (samples.ndim - 2) + weights.shape)
    around = scipy.signal.fftconvolve(seen, turned, mode="valid", axes=(-2, -1))
    result: Array = samples + (1 - inside) * around
    return result


def tail_kernel(optics: Optics, window: tuple[float, float], steps: tuple[float, float]) -> Array:
    """Intensity (y, x) of a probe outside a window of size (x, y), at multiples of steps (y, x)."""
    k, spectrum = _spectrum(optics)
    y, x = (
        step * np.arange(-math.floor(TAIL_ANGSTROM / step), math.floor(TAIL_ANGSTROM / step) + 1)
        for step in steps
    )
    wave = _waves(x, k) @ spectrum @ _waves(y, k).T
    kept = _fade(x + 0.5 * window[0], window[0])[:, None] * _fade(y + 0.5 * window[1], window[1])
    result: Array = (np.abs(wave) ** 2 * (1 - kept**2)).T.astype(np.float64)
    return result


def _spectrum(optics: Optics) -> tuple[NDArray[Any], NDArray[np.complex64]]:
    """Frequencies of the aperture in 1/Å and the wave (kx, ky) in it, for a density in 1/Å²."""
    step = 1 / FIELD_ANGSTROM
    reach = math.ceil(optics.cutoff / step) + 1
    k = step * np.arange(-reach, reach + 1)
    ky, kx = k[None, :], k[:, None]
    wave = aperture(optics, ky, kx, step) * np.exp(-1j * aberration_phase(optics, ky, kx))
    wave = wave * (step / np.sqrt(np.sum(np.abs(wave) ** 2)))
    return k, wave.astype(np.complex64)


def _waves(places: NDArray[Any], k: NDArray[Any]) -> NDArray[np.complex64]:
    result: NDArray[np.complex64] = np.exp(2j * np.pi * np.outer(places, k)).astype(np.complex64)
    return result


def _fade(places: NDArray[Any], length: float) -> Array:
    """1 within a window from 0 to `length`, falling to 0 over its rim, and 0 outside."""
    depth = np.clip(np.minimum(places, length - places) / RIM_ANGSTROM, 0, 1)
    result: Array = np.sin(0.5 * np.pi * depth) ** 2
    return result
