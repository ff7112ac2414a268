"""Integrated centre of mass (iCOM): the phase whose gradient fits all shifts best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from crewe.errors import ImageError, PlanError
from crewe.stem4d.calibrated import scan_image
from crewe.stem4d.com import CentreOfMass

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
Boundary = Literal["periodic", "open"]
"""What lies beyond the scan: the scan again, or its mirror image, which asks nothing of edges."""


def integrate(field: Array, step: tuple[float, float], boundary: Boundary = "periodic") -> Array:
    """Return the image (rows, columns), of mean zero, whose gradient is nearest to a field.

    `field` (2, rows, columns) holds finite derivatives along (y, x), `step` is (y, x). By Fourier
    transforms the sum of squared differences is least: O = k·F/(2πi k²). "periodic" drops the mean
    of the field, and a jump between opposite edges shows as a ramp; "open" continues the image by
    its mirror image and keeps ramps. Raises PlanError for another boundary,
    ImageError for what is no field. Source: Frankot and
    Chellappa 1988, doi:10.1109/34.3909; mirror: Bon et al. 2012, doi:10.1364/AO.51.005698.
    """
    if boundary not in get_args(Boundary):
        raise PlanError(f"boundary {boundary!r}: choose 'periodic' or 'open'")
    if field.ndim != 3 or len(field) != 2 or not np.isfinite(field).all():
        raise ImageError(
            f"a field of shape {field.shape}: give derivatives (2, rows, columns), all finite"
        )
    rows, columns = field.shape[1:]
    if boundary == "open":
        field = _mirrored(field)
    ky, kx = (_frequencies(n, s) for n, s in zip(field.shape[1:], step, strict=True))
    spectra = fft.fft2(field)
    square = ky[:, None] ** 2 + kx**2
    # There k·F is zero too.
    square[square == 0] = 1.0
    potential = (ky[:, None] * spectra[0] + kx * spectra[1]) / (2j * np.pi * square)
    image = fft.ifft2(potential).real[:rows, :columns]
    return np.asarray(image - image.mean())


def _mirrored(field: Array) -> Array:
    """Gradient of an image continued by its mirror images: odd along its own direction."""
    along_y = np.concatenate([field[0], -field[0, ::-1]], axis=0)
    along_x = np.concatenate([field[1], field[1, ::-1]], axis=0)
    return np.stack(
        [
            np.concatenate([along_y, along_y[:, ::-1]], axis=1),
            np.concatenate([along_x, -along_x[:, ::-1]], axis=1),
        ]
    )


def _frequencies(pixels: int, step: float) -> Array:
    """Frequencies of a derivative: the highest of an even number has no sign, so none."""
    frequencies = np.asarray(np.fft.fftfreq(pixels, step), np.float64)
    if pixels % 2 == 0:
        frequencies[pixels // 2] = 0.0
    return frequencies


class IntegratedCentreOfMass:
    """Integrates all shifts to the image that fits them best; a phase in rad when calibrated.

    Positions not measured or without counts count as no shift. Settings of `com`, and `boundary`
    ("periodic" or "open", see `integrate`), can be set at any time. Raises PlanError for another
    boundary. Source: Lazić et al. 2016, doi:10.1016/j.ultramic.2015.10.011.
    """

    def __init__(self, com: CentreOfMass, boundary: Boundary = "periodic") -> None:
        self.com = com
        self.boundary = boundary

    @property
    def boundary(self) -> Boundary:
        """What is taken to lie beyond the scan."""
        return self._boundary

    @boundary.setter
    def boundary(self, boundary: Boundary) -> None:
        if boundary not in get_args(Boundary):
            raise PlanError(f"boundary {boundary!r}: choose 'periodic' or 'open'")
        self._boundary = boundary

    def images(self) -> dict[str, xr.DataArray]:
        """Return "icom" (y, x) in rad, or in the units of shift × step; NaN: not measured."""
        settings = self.com.settings
        shift = np.nan_to_num(self.com.shift(settings), nan=0.0)
        factor, units = settings.integral
        image = factor * integrate(shift, settings.step, self.boundary)
        image[~self.com.moments.measured] = np.nan
        return {"icom": scan_image(image, settings.scan, "icom", units)}
