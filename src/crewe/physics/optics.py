"""The lens that forms the probe: aperture, aberrations, and the source it images.

Aberrations follow O. L. Krivanek, N. Dellby and A. R. Lupini, Ultramicroscopy 78 (1999) 1,
doi:10.1016/S0304-3991(99)00013-3, signs docs/conventions.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from crewe.errors import CalibrationError
from crewe.physics.electron import wavelength_angstrom
from crewe.physics.fourier import frequency_axes

Array = NDArray[np.float64]
ANGSTROM_PER_MM = 1e7
# A Gaussian's full width at half maximum over its standard deviation.
FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))


@dataclass(frozen=True)
class Optics:
    """A probe-forming lens; raises CalibrationError for values that no microscope has.

    Azimuths phi are in degrees from +x towards +y, that is clockwise as displayed.
    """

    beam_energy_kev: float
    """Energy of the beam in keV."""
    semi_angle_mrad: float
    """Convergence semi-angle in mrad."""
    defocus_angstrom: float = 0.0
    """Defocus in Å, positive underfocus: C10 = −defocus."""
    c3_mm: float = 0.0
    """Third-order spherical aberration C30 in mm."""
    c5_mm: float = 0.0
    """Fifth-order spherical aberration C50 in mm."""
    c12_angstrom: float = 0.0
    """Twofold astigmatism in Å."""
    phi12_deg: float = 0.0
    """Azimuth of C12 in degrees."""
    c21_angstrom: float = 0.0
    """Axial coma in Å."""
    phi21_deg: float = 0.0
    """Azimuth of C21 in degrees."""
    c23_angstrom: float = 0.0
    """Threefold astigmatism in Å."""
    phi23_deg: float = 0.0
    """Azimuth of C23 in degrees."""
    c32_angstrom: float = 0.0
    """Axial star in Å."""
    phi32_deg: float = 0.0
    """Azimuth of C32 in degrees."""
    c34_angstrom: float = 0.0
    """Fourfold astigmatism in Å."""
    phi34_deg: float = 0.0
    """Azimuth of C34 in degrees."""
    source_fwhm_angstrom: float = 0.0
    """Full width at half maximum in Å of the image of the source, a Gaussian."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not math.isfinite(value):
                raise CalibrationError(f"{field.name} must be a finite number, got {value}")
        wavelength_angstrom(self.beam_energy_kev)
        if not 0 < self.semi_angle_mrad < 200:
            raise CalibrationError(
                f"semi-angle must lie between 0 and 200 mrad, got {self.semi_angle_mrad} "
                "(is it in rad or degrees?)"
            )
        if self.source_fwhm_angstrom < 0:
            raise CalibrationError(f"source size is negative: {self.source_fwhm_angstrom} Å")

    @property
    def wavelength(self) -> float:
        """Wavelength in Å."""
        return wavelength_angstrom(self.beam_energy_kev)

    @property
    def cutoff(self) -> float:
        """Highest k in the aperture in 1/Å; the probe's intensity holds up to twice this."""
        return self.semi_angle_mrad * 1e-3 / self.wavelength


def aberration_phase(optics: Optics, ky: Any, kx: Any) -> Array:
    """χ(k) in rad at frequencies (broadcast against each other) in 1/Å; the wave is A·exp(−iχ).

    χ = (2π/λ) Σ θⁿ⁺¹/(n+1) · C_nm · cos(m(φ − φ_nm)), θ = λk, Eq. (1) of Krivanek et al. (1999).
    """
    ky, kx = np.asarray(ky, dtype=np.float64), np.asarray(kx, dtype=np.float64)
    theta = optics.wavelength * np.hypot(ky, kx)
    azimuth = np.arctan2(ky, kx)

    def along(coefficient: float, fold: int, degrees: float) -> Array | float:
        if coefficient == 0:
            return 0.0
        result: Array = coefficient * np.cos(fold * (azimuth - math.radians(degrees)))
        return result

    first = -optics.defocus_angstrom + along(optics.c12_angstrom, 2, optics.phi12_deg)
    second = along(optics.c21_angstrom, 1, optics.phi21_deg)
    second = second + along(optics.c23_angstrom, 3, optics.phi23_deg)
    third = optics.c3_mm * ANGSTROM_PER_MM + along(optics.c32_angstrom, 2, optics.phi32_deg)
    third = third + along(optics.c34_angstrom, 4, optics.phi34_deg)
    fifth = optics.c5_mm * ANGSTROM_PER_MM
    path = theta**2 * (first / 2 + theta * second / 3 + theta**2 * third / 4 + theta**4 * fifth / 6)
    result: Array = 2 * np.pi / optics.wavelength * path
    return result


def aperture(optics: Optics, ky: Any, kx: Any, edge: float = 0.0) -> Array:
    """Round aperture, 1 inside and 0 outside, at frequencies in 1/Å.

    `edge` in 1/Å is the width over which it falls: with the step of the grid, points at the rim
    count by about the part of them that lies inside.
    """
    distance = optics.cutoff - np.hypot(ky, kx)
    if edge == 0:
        return np.asarray(distance >= 0, dtype=np.float64)
    result: Array = np.clip(distance / edge + 0.5, 0, 1)
    return result


def probe(
    optics: Optics, shape: tuple[int, int], pixel_size_angstrom: float
) -> NDArray[np.complex128]:
    """Wave of the probe (y, x), centre at pixel (rows // 2, columns // 2), of total intensity 1.

    Without the source's size, which is incoherent. Raises CalibrationError when the pixels are too
    coarse for the aperture or the field too small for it to hold a single frequency.
    """
    _check_sampling(optics, shape, pixel_size_angstrom)
    ky, kx = frequency_axes(shape, pixel_size_angstrom)
    step = 1 / (min(shape) * pixel_size_angstrom)
    wave = aperture(optics, ky, kx, step) * np.exp(-1j * aberration_phase(optics, ky, kx))
    centred = scipy.fft.fftshift(scipy.fft.ifft2(wave))
    result: NDArray[np.complex128] = centred / np.sqrt(np.sum(np.abs(centred) ** 2))
    return result


def probe_intensity(optics: Optics, shape: tuple[int, int], pixel_size_angstrom: float) -> Array:
    """Intensity of the probe (y, x), the source's size included, centred as `probe`; sums to 1.

    Raises CalibrationError as `probe` does.
    """
    intensity = np.abs(probe(optics, shape, pixel_size_angstrom)) ** 2
    sigma = optics.source_fwhm_angstrom / FWHM_PER_SIGMA
    if sigma == 0:
        return intensity
    ky, kx = frequency_axes(shape, pixel_size_angstrom, real=True)
    blur = np.exp(-2 * (np.pi * sigma) ** 2 * (ky**2 + kx**2))
    result: Array = scipy.fft.irfft2(scipy.fft.rfft2(intensity) * blur, shape)
    return result


def _check_sampling(optics: Optics, shape: tuple[int, int], pixel_size: float) -> None:
    if not (math.isfinite(pixel_size) and pixel_size > 0):
        raise CalibrationError(f"a pixel size must be positive and finite, got {pixel_size}")
    if optics.cutoff * pixel_size > 0.5:
        raise CalibrationError(
            f"pixels of {pixel_size:g} Å are too coarse for a semi-angle of "
            f"{optics.semi_angle_mrad:g} mrad: use at most {0.5 / optics.cutoff:.3g} Å"
        )
    if min(shape) * pixel_size * optics.cutoff < 1:
        raise CalibrationError(
            f"a field of {min(shape) * pixel_size:.3g} Å is too small for the probe: "
            f"use at least {1 / optics.cutoff:.3g} Å"
        )
