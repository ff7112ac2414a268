"""4D-STEM of a thin phase object: the probe's wave times exp(iφ), and its diffraction patterns.

A multiplicative object has no thickness: the probe does not spread inside it. For such an object,
and weak phases, the centre of mass of a pattern is (1/2π)·(P ⋆ ∇φ) with the probe's intensity P:
I. Lazić, E. G. T. Bosch and S. Lazar, Ultramicroscopy 160 (2016) 265,
doi:10.1016/j.ultramic.2015.10.011; in fact it is so for any phase.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.fft
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.errors import CalibrationError, ImageError
from crewe.physics.optics import Optics, probe
from crewe.sources.protocol import Events
from crewe.sources.scan import Scan

Patterns = NDArray[np.float32]
APERTURE_PX = 20
"""Least width of the aperture on the detector when the window is chosen here."""
BATCH_BYTES = 2**25


@dataclass(frozen=True)
class PhaseScan:
    """A scan of a coherent probe over a phase map φ (y, x) in rad.

    The phase map lies along the detector's axes. Probe position (0, 0) is at `origin_angstrom`
    (y, x) from the centre of the map's pixel (0, 0); the scan's step, rotation and mirroring place
    the others (docs/conventions.md). A periodic map repeats without end, another one is surrounded
    by vacuum. Raises CalibrationError for a scan without a step, a source with a size (which no
    single wave has) or a detector wider than the map's pixels allow, ImageError for a phase that is
    no finite map.
    """

    phase: NDArray[Any]
    pixel_size_angstrom: float
    optics: Optics
    scan: Scan
    detector_shape: tuple[int, int] = (64, 64)
    window_px: int | None = None
    """Pixels of the map along each side of the window around the probe; the pattern's pixel is its
    inverse length. By default as few as give an aperture 20 pixels wide."""
    origin_angstrom: tuple[float, float] = (0.0, 0.0)
    periodic: bool = True

    def __post_init__(self) -> None:
        if np.ndim(self.phase) != 2 or not np.all(np.isfinite(self.phase)):
            raise ImageError("a phase map has the dimensions y and x, and only finite values")
        if self.scan.step_angstrom is None:
            raise CalibrationError("a simulated scan needs its step in Å: Scan(step_angstrom=…)")
        if self.optics.source_fwhm_angstrom:
            raise CalibrationError(
                "a source with a size is no single wave: simulate with source_fwhm_angstrom=0 and "
                "blur patterns of neighbouring positions"
            )
        if max(self.detector_shape) > self.window or min(self.detector_shape) < 1:
            raise CalibrationError(
                f"a detector of {self.detector_shape} pixels was asked for, but a window of "
                f"{self.window} pixels of {self.pixel_size_angstrom:g} Å gives as many: use a "
                "finer map or a smaller detector"
            )

    @property
    def window(self) -> int:
        """Pixels along each side of the window around the probe."""
        if self.window_px is not None:
            return self.window_px
        length = APERTURE_PX / (2 * self.optics.cutoff)
        return int(scipy.fft.next_fast_len(math.ceil(length / self.pixel_size_angstrom)))

    @property
    def sampling_inverse_angstrom(self) -> tuple[float, float]:
        """Size (ky, kx) of a detector pixel in 1/Å."""
        step = 1 / (self.window * self.pixel_size_angstrom)
        return step, step

    @property
    def centre_px(self) -> tuple[int, int]:
        """Detector pixel (ky, kx) of the undiffracted beam."""
        return self.detector_shape[0] // 2, self.detector_shape[1] // 2

    @property
    def radius_px(self) -> float:
        """Radius of the bright-field disk in detector pixels."""
        return self.optics.cutoff / self.sampling_inverse_angstrom[0]

    def places_angstrom(self) -> NDArray[np.float64]:
        """Places (rows, columns, 2) of the probe as (y, x) from the centre of pixel (0, 0)."""
        assert self.scan.step_angstrom is not None
        rows, columns = self.scan.shape
        y = np.arange(rows)[:, None] * self.scan.step_angstrom[0]
        x = np.arange(columns)[None, :] * self.scan.step_angstrom[1]
        angle = math.radians(self.scan.rotation_degrees)
        down = x * math.sin(angle) + y * math.cos(angle)
        right = x * math.cos(angle) - y * math.sin(angle)
        if self.scan.mirrored:
            down = -down
        return np.stack([down, right], axis=-1) + np.asarray(self.origin_angstrom)

    def lines(self) -> Iterator[Patterns]:
        """Yield the patterns (column, ky, kx) of one line after another, as parts of the beam.

        With a detector as large as the window each pattern sums to 1.
        """
        places = self.places_angstrom() / self.pixel_size_angstrom
        batch = max(1, BATCH_BYTES // (16 * self.window**2))
        for line in places:
            parts = [line[first : first + batch] for first in range(0, len(line), batch)]
            yield np.concatenate([self._patterns(part) for part in parts])

    def patterns(self) -> Patterns:
        """All patterns (row, column, ky, kx), held at once."""
        result = np.empty((*self.scan.shape, *self.detector_shape), np.float32)
        for row, line in enumerate(self.lines()):
            result[row] = line
        return result

    @cached_property
    def _object(self) -> NDArray[np.complex64]:
        """exp(iφ); inside a rim of vacuum where the map does not repeat."""
        phase = np.asarray(self.phase, np.float32)
        return np.exp(1j * (phase if self.periodic else np.pad(phase, 1))).astype(np.complex64)

    @cached_property
    def _probe_spectrum(self) -> NDArray[np.complex128]:
        wave = probe(self.optics, (self.window, self.window), self.pixel_size_angstrom)
        result: NDArray[np.complex128] = scipy.fft.fft2(scipy.fft.ifftshift(wave))
        return result

    def _patterns(self, places_px: NDArray[np.float64]) -> Patterns:
        """Patterns (place, ky, kx) with the probe at places (place, 2)."""
        whole = np.floor(places_px + 1e-6)
        waves = self._probes(places_px - whole)
        waves *= self._windows(whole.astype(np.int64))
        spectra = scipy.fft.fft2(waves, overwrite_x=True)
        ky, kx = (np.arange(n) - n // 2 for n in self.detector_shape)
        seen = spectra[:, ky[:, None], kx[None, :]] / np.float32(self.window)
        return seen.real**2 + seen.imag**2

    def _probes(self, fractions: NDArray[np.float64]) -> NDArray[np.complex64]:
        """Waves (place, y, x) of probes at fractions (place, 2) of a pixel off the centre."""
        distinct, index = np.unique(np.round(fractions, 6), axis=0, return_inverse=True)
        k = scipy.fft.fftfreq(self.window)
        down, right = (np.exp(-2j * np.pi * np.outer(distinct[:, axis], k)) for axis in (0, 1))
        spectra = (self._probe_spectrum * down[:, :, None] * right[:, None, :]).astype(np.complex64)
        waves = scipy.fft.fftshift(scipy.fft.ifft2(spectra, overwrite_x=True), axes=(1, 2))
        result: NDArray[np.complex64] = waves[index.reshape(-1)]
        return result

    def _windows(self, centres: NDArray[np.int64]) -> NDArray[np.complex64]:
        """Parts (place, y, x) of the object around pixels (place, 2)."""
        offsets = np.arange(self.window) - self.window // 2
        indices = centres[:, :, None] + offsets
        shape = np.array(np.shape(self.phase))[:, None]
        if self.periodic:
            indices %= shape
        else:
            indices = np.clip(indices, -1, shape) + 1
        return self._object[indices[:, 0, :, None], indices[:, 1, None, :]]


def with_dose(patterns: Patterns, electrons: float, rng: Generator) -> NDArray[np.uint32]:
    """Poisson counts of patterns given as parts of the beam, at `electrons` per probe position."""
    if not (math.isfinite(electrons) and electrons >= 0):
        raise CalibrationError(f"a dose of {electrons} electrons per position: give 0 or more")
    return rng.poisson(np.asarray(patterns, np.float64) * electrons).astype(np.uint32)


def as_events(counts: NDArray[Any], rng: Generator, first_position: int = 0) -> Events:
    """Single electrons, in random order, of counts (position, ky, kx) from `first_position` on."""
    number, rows, columns = counts.shape
    flat = np.asarray(counts).reshape(-1)
    hit = np.flatnonzero(flat)
    electrons = rng.permutation(np.repeat(hit, flat[hit].astype(np.int64)))
    positions, pixels = np.divmod(electrons, rows * columns)
    finished = first_position + number
    return Events(
        positions + first_position, pixels.astype(np.uint32), (rows, columns), 0, finished
    )
