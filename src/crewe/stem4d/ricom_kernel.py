"""The kernel of riCOM: what it is, how filters are built into it, and what it passes."""

from __future__ import annotations

import math
from numbers import Integral
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import j0

from crewe.errors import CalibrationError, PlanError

Array = NDArray[np.float64]
LARGEST_KERNEL = 8191


class Band(NamedTuple):
    """Frequencies that a filter passes, low ≤ k ≤ high, in cycles per scan step (0 to 0.5).

    low = 0 is a low-pass, high = None a high-pass filter. Where the steps along y and x differ,
    a step is √(step_y·step_x).
    """

    low: float = 0.0
    high: float | None = None

    @classmethod
    def from_pixels(cls, low: float, high: float | None, scan_pixels: int) -> Self:
        """Read limits in pixels of the Fourier transform of `scan_pixels` positions (px⁻¹)."""
        if not scan_pixels > 0:
            raise PlanError(f"a scan of {scan_pixels} pixels: give the number along one side")
        return cls(low / scan_pixels, None if high is None else high / scan_pixels)

    @classmethod
    def from_inverse_angstrom(
        cls, low: float, high: float | None, step_angstrom: tuple[float, float] | None
    ) -> Self:
        """Read limits in 1/Å for a scan step (y, x) in Å; CalibrationError when it is unknown."""
        if step_angstrom is None:
            raise CalibrationError("a band in 1/Å needs the scan step in Å: give it with the scan")
        step = math.sqrt(step_angstrom[0] * step_angstrom[1])
        return cls(low * step, None if high is None else high * step)


def checked_band(band: tuple[float, float | None] | None) -> Band | None:
    """Return a band, or None for none; PlanError for limits that are no numbers or in disorder."""
    if band is None:
        return None
    try:
        low, high = band
        upper = math.inf if high is None else float(high)
        fits = 0 <= low < upper and math.isfinite(low) and (high is None or math.isfinite(upper))
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise PlanError(
            f"a band {band!r}: give 0 ≤ low < high in cycles per step, high = None for no limit"
        )
    return Band(*band)


def ricom_kernel(
    size: int,
    *,
    step: tuple[float, float] = (1.0, 1.0),
    band: Band | None = None,
    scan_shape: tuple[int, int] | None = None,
) -> Array:
    """Return the kernel K (2, size, size) that integrates shifts (y, x) to a riCOM image.

    I(r_p) = Σ K(r_p − r)·COM(r); element [:, h + dy, h + dx], h = (size − 1)/2, belongs to
    r_p − r = (dy, dx) steps, and the centre is zero. It is a/2π · r/r² with a = step_y·step_x,
    in the unit of `step`. With `band` the hard filter on the grid of the scan is convolved in and
    the result cut to `size` again, which softens its limits. Raises PlanError for an even or
    impossible size, step or band. Source: Yu et al. 2022, eq. 4 and 8–9 (3.4, 3.8, 3.9),
    doi:10.1017/S1431927622000617.
    """
    check_size(size)
    steps = np.asarray(step, float)
    if steps.shape != (2,) or not (np.isfinite(steps).all() and steps.min() > 0):
        raise PlanError(f"step {step} of a riCOM kernel: give two positive numbers (y, x)")
    half = size // 2
    offset = np.arange(-half, half + 1)
    distance = np.stack(np.meshgrid(offset * steps[0], offset * steps[1], indexing="ij"))
    square = (distance**2).sum(axis=0)
    square[half, half] = 1.0
    kernel = steps.prod() / (2 * math.pi) * distance / square
    band = checked_band(band)
    return kernel if band is None else _filtered(kernel, band, steps, scan_shape or (size, size))


def check_size(size: int) -> None:
    """Raise PlanError unless a kernel can have this size."""
    if not isinstance(size, Integral) or size < 3 or size % 2 == 0 or size > LARGEST_KERNEL:
        raise PlanError(
            f"a riCOM kernel of {size} × {size}: the size must be odd, from 3 to {LARGEST_KERNEL}"
        )


def _filtered(kernel: Array, band: Band, steps: Array, scan_shape: tuple[int, int]) -> Array:
    """Convolve the filter of eq. 3.9 with the kernel and keep the kernel's size."""
    half = kernel.shape[1] // 2
    # Smaller than 2·size − 1, the far ends of the kernel would meet round the back.
    shape = [max(pixels, 2 * kernel.shape[1] - 1) for pixels in scan_shape]
    ky, kx = _frequencies(shape, steps)
    # Rounding must not decide whether a frequency that is asked for is in.
    radius, tiny = np.hypot(ky, kx), 1e-9
    high = math.inf if band.high is None else band.high
    passed = (radius >= band.low - tiny) & (radius <= high + tiny)
    spectrum = fft.rfft2(kernel, shape) * passed[:, : shape[1] // 2 + 1]
    whole = fft.irfft2(spectrum, shape)[:, : 2 * half + 1, : 2 * half + 1]
    # Exactly odd and even again: the fast paths make use of it.
    along_y = (whole[0] + whole[0, :, ::-1]) / 2
    along_x = (whole[1] + whole[1, ::-1]) / 2
    return np.stack([(along_y - along_y[::-1]) / 2, (along_x - along_x[:, ::-1]) / 2])


def _frequencies(shape: list[int], steps: Array) -> tuple[Array, Array]:
    """Frequencies along y (…, 1) and x in cycles per √(step_y·step_x)."""
    unit = math.sqrt(steps.prod())
    ky, kx = (np.fft.fftfreq(n, step) * unit for n, step in zip(shape, steps, strict=True))
    return ky[:, None], kx


def transfer(kernel: Array, scan_shape: tuple[int, int]) -> Array:
    """Return what a kernel for step (1, 1) passes at each frequency of a scan (rows, columns).

    It is the weight of COM along k̂ in the image: K̂(k)·k̂ ·i, real, in scan steps; zero frequency
    comes first, as numpy.fft has it. A kernel without end passes 1/(2πk), k in cycles per step
    (eq. 3.5). Raises PlanError for a scan smaller than the kernel.
    """
    half = kernel.shape[1] // 2
    if min(scan_shape) < kernel.shape[1]:
        raise PlanError(f"kernel of {kernel.shape[1]} on a scan of {scan_shape}: take a larger one")
    spectrum = fft.fft2(kernel, scan_shape)
    ky, kx = np.fft.fftfreq(scan_shape[0])[:, None], np.fft.fftfreq(scan_shape[1])
    length = np.hypot(ky, kx)
    length[0, 0] = 1.0
    along = (spectrum[0] * ky + spectrum[1] * kx) / length
    centred = along * np.exp(2j * np.pi * half * (ky + kx))
    return -np.imag(centred)


def radial_transfer(kernel: Array, scan_shape: tuple[int, int]) -> tuple[Array, Array]:
    """Return `transfer` averaged over azimuth: frequencies in cycles per step, and weights.

    Rings are one pixel wide on the longer side of the scan, from 1 pixel to the Nyquist frequency.
    """
    values = transfer(kernel, scan_shape)
    ky, kx = np.fft.fftfreq(scan_shape[0])[:, None], np.fft.fftfreq(scan_shape[1])
    pixels = max(scan_shape)
    ring = np.rint(np.hypot(ky, kx) * pixels).astype(int).ravel()
    total = np.bincount(ring, values.ravel())[1 : pixels // 2 + 1]
    number = np.bincount(ring)[1 : pixels // 2 + 1]
    return np.arange(1, len(total) + 1) / pixels, total / np.maximum(number, 1)


def line_transfer(size: int, frequencies: Array) -> Array:
    """Return the approximation (1 − cos(Δ·q))/q with q = 2π·frequency and Δ = (size − 1)/2 steps.

    Frequencies in cycles per step, above 0. Source: eq. 7 (3.7) of Yu et al. 2022,
    doi:10.1017/S1431927622000617, with k/N as the frequency.
    """
    angular = 2 * math.pi * np.asarray(frequencies, float)
    return np.asarray((1 - np.cos((size - 1) / 2 * angular)) / angular)


def disc_transfer(size: int, frequencies: Array) -> Array:
    """Return (1 − J₀(R·q))/q, exact for a kernel cut to a disc of radius R without pixels.

    R is that of the disc with the area of size × size positions; frequencies in cycles per step.
    """
    angular = 2 * math.pi * np.asarray(frequencies, float)
    return np.asarray((1 - j0(size / math.sqrt(math.pi) * angular)) / angular)
