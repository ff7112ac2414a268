"""A fitted emulator: convolution image in, image of multislice accuracy out, in milliseconds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.axes import calibrated_image
from crewe.errors import CalibrationError, ImageError
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.domain import Domain, DomainReport
from crewe.simulation.emulator.evaluate import Polynomial
from crewe.simulation.emulator.features import Features
from crewe.simulation.emulator.monomials import monomials
from crewe.simulation.emulator.noise import Noise
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.registration import Shift, moved
from crewe.simulation.field import choose_field, images_within

if TYPE_CHECKING:
    import xarray as xr
    from ase import Atoms

Array = NDArray[np.float64]
Image = NDArray[np.float32]
CHUNK_PIXELS = 4096
# A grid of 5 sees two pixels far, vacuum or not.
LEAST_BORDER_PX = 8


@dataclass(frozen=True, eq=False)
class Emulator:
    """Polynomial in standardised features of the convolution image."""

    plan: EmulatorPlan
    """Which features and terms."""
    convolution: Convolution | None
    """How the convolution images are made, None where nobody has said."""
    image_scale: float
    """Standard deviation of the convolution images it learned from."""
    means: Array
    """Mean of each feature of images divided by `image_scale`."""
    deviations: Array
    """Standard deviation of each feature."""
    target_scale: float
    """Standard deviation of the multislice images."""
    coefficients: Array
    """One for each term, in units of `target_scale`."""
    covariance_factor: Array
    """F (terms, terms) with F Fᵀ the inverse of the normal equations' matrix."""
    residual_variance: float
    """Mean square of what the fit leaves over, in units of `target_scale` squared."""
    domain: Domain
    """What its training images looked like."""
    noise: Noise
    """Error to expect of a pixel, from what the fit left over or, better, from cross-validation."""
    shift_px: Shift = (0.0, 0.0)
    """Shift (y, x) of the training pairs' multislice images."""
    about: dict[str, Any] = field(default_factory=dict)
    """Where the training images are from, what was measured of the fit."""

    @cached_property
    def feature_set(self) -> Features:
        """The features it looks at."""
        return self.plan.feature_set()

    @cached_property
    def polynomial(self) -> Polynomial:
        """Its polynomial, ready to be evaluated."""
        return Polynomial(
            self.plan.terms(), self.coefficients * self.target_scale, self.means, self.deviations
        )

    def predict(self, linear: Any) -> Image:
        """Multislice image (y, x) of a convolution image (y, x) like those it learned from.

        Moved by the training pairs' shift, as their multislice images are. Raises ImageError for
        what is no image or holds NaN.
        """
        return self._corrected(moved(checked(linear), self.shift_px))

    def image(
        self,
        atoms: Atoms,
        shape: tuple[int, int] | None = None,
        margin_angstrom: float = 2.0,
    ) -> xr.DataArray:
        """Multislice image (y, x) of atoms seen along z, in fractions of the beam.

        The field is chosen as by `linear_image`; atoms stand where they are: the shift between the
        training images is none of theirs. Says nothing about whether the specimen is like those
        it learned from: see `check`. Raises CalibrationError where it does not know how its
        convolution images were made, ImageError for a specimen without atoms.
        """
        how = self._known_convolution()
        pixel = how.pixel_size_angstrom
        place = choose_field(atoms, pixel, shape, margin_angstrom, None)
        border = self.feature_set.reach_px
        numbers, positions = images_within(atoms, place, pixel, border * pixel + how.reach_angstrom)
        values = self.image_of(numbers, positions, place.shape, atoms.numbers)
        attrs = {
            "units": "fraction of beam",
            "model": "emulator",
            "origin_angstrom": [float(value) for value in place.origin],
        }
        return calibrated_image(values, pixel, "Å", "emulated image", attrs)

    def image_of(
        self, numbers: Any, positions: Any, shape: tuple[int, int], composition: Any = None
    ) -> Image:
        """Array-level `image`: `positions` (n, 3) in Å from pixel (0, 0), nothing repeated.

        `composition` as in `Convolution.image`.
        """
        how = self._known_convolution()
        places = np.asarray(positions, dtype=np.float64)
        border = self._border(places, shape, how)
        offset = [border * how.pixel_size_angstrom] * 2 + [0.0]
        wide = (shape[0] + 2 * border, shape[1] + 2 * border)
        linear = how.image(numbers, places + offset, wide, composition)
        inner = slice(border, border + shape[0]), slice(border, border + shape[1])
        return np.ascontiguousarray(self._corrected(linear)[inner])

    def _border(self, places: Array, shape: tuple[int, int], how: Convolution) -> int:
        """Pixels around the image that its features see and that are not vacuum."""
        reach = self.feature_set.reach_px
        if len(places) == 0:
            return min(reach, LEAST_BORDER_PX)
        pixel = how.pixel_size_angstrom
        last = np.array(shape[::-1]) * pixel
        beyond = max(-float(places[:, :2].min()), float((places[:, :2] - last).max()))
        return min(reach, max(LEAST_BORDER_PX, math.ceil((beyond + how.reach_angstrom) / pixel)))

    def standard_error(self, linear: Any) -> Image:
        """Standard error (y, x) to expect of `predict`, in fractions of the beam.

        The error measured at such values, and that of the coefficients, φᵀ Cov φ, which grows where
        the pixel's surroundings are rare in training. The latter takes the pixels' errors for
        independent, which those of neighbours are not: it is a lower bound; the former says most.
        Takes about a second per 10⁶ pixels and 100 terms. Raises ImageError as `predict`.
        """
        planes = self._standardised(checked(linear))
        shape = planes.shape[1:]
        flat = planes.reshape(len(planes), -1)
        noise = self.noise(self.predict(linear)).ravel()
        terms = self.plan.terms()
        unit = self.residual_variance * self.target_scale**2
        result = np.empty(flat.shape[1], dtype=np.float32)
        for start in range(0, flat.shape[1], CHUNK_PIXELS):
            part = slice(start, start + CHUNK_PIXELS)
            spread = self.covariance_factor.T @ monomials(flat[:, part], terms)
            result[part] = np.sqrt(noise[part] ** 2 + unit * (spread**2).sum(axis=0))
        return result.reshape(shape)

    def check(self, linear: Any) -> DomainReport:
        """Whether a convolution image (y, x) is like those it learned from.

        Raises ImageError as `predict`.
        """
        distances = self.domain.distances(self._standardised(checked(linear)))
        return self.domain.report(distances > self.domain.distance_limit)

    def _standardised(self, linear: Image) -> Array:
        scaled = moved(linear, self.shift_px) / np.float32(self.image_scale)
        planes = self.feature_set.planes(scaled).astype(np.float64)
        return (planes - self.means[:, None, None]) / self.deviations[:, None, None]

    def _corrected(self, linear: Image) -> Image:
        scaled = linear / np.float32(self.image_scale)
        return self.polynomial.image(self.feature_set, scaled)

    def _known_convolution(self) -> Convolution:
        if self.convolution is None:
            raise CalibrationError(
                "this emulator does not know how its convolution images were made: give it the "
                "image, or fit it with a description of them"
            )
        return self.convolution


def checked(linear: Any) -> Image:
    """Return an image as float32 (y, x); ImageError for anything else or for NaN in it."""
    image = np.ascontiguousarray(linear, dtype=np.float32)
    if image.ndim != 2 or image.size == 0:
        raise ImageError(f"an image must be (y, x), not of shape {image.shape}")
    if not np.isfinite(image).all():
        raise ImageError("the convolution image holds NaN or infinity")
    return image
