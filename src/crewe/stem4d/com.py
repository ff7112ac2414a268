"""Centre of mass of each pattern, along scan axes: the gradient of the phase, seen by the probe."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CalibrationError, PlanError
from crewe.sources import Scan
from crewe.stem4d.calibrated import scan_image
from crewe.stem4d.com_vectors import shift_vectors
from crewe.stem4d.moments import Moments

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
Pair = tuple[float, float]
Normalise = Literal["pattern", "dose"]
"""Divide a first moment by the counts of its own pattern, or by the mean counts of all."""


@dataclass(frozen=True)
class ShiftSettings:
    """How centres of mass in detector pixels become shifts along scan axes.

    `reference` is the centre of mass in vacuum (ky, kx) in pixels; None takes the mean of what is
    measured. `sampling_inverse_angstrom` (ky, kx) is the size of a detector pixel, None unknown.
    Raises PlanError or CalibrationError for what cannot be.
    """

    scan: Scan
    reference: Pair | None = None
    sampling_inverse_angstrom: Pair | None = None
    normalise: Normalise = "pattern"

    def __post_init__(self) -> None:
        if self.normalise not in get_args(Normalise):
            raise PlanError(f"normalise {self.normalise!r}: choose 'pattern' or 'dose'")
        if self.reference is not None and not _finite_pair(self.reference):
            raise PlanError(f"reference {self.reference}: give (ky, kx) in detector pixels or None")
        sampling = self.sampling_inverse_angstrom
        if sampling is not None and not (_finite_pair(sampling) and min(sampling) > 0):
            raise CalibrationError(
                f"detector sampling {sampling}: give two positive numbers (ky, kx) in 1/Å or None"
            )
        if not math.isfinite(self.scan.rotation_degrees):
            raise PlanError(f"scan rotation {self.scan.rotation_degrees}: give finite degrees")

    @property
    def units(self) -> str:
        """Unit of a shift."""
        return "px" if self.sampling_inverse_angstrom is None else "1/Å"

    @property
    def step(self) -> Pair:
        """Scan step (y, x) in Å, or (1, 1) in scan pixels when it is unknown."""
        return self.scan.step_angstrom or (1.0, 1.0)

    @property
    def integral(self) -> tuple[float, str]:
        """Factor and unit of a shift integrated over `step`: a phase in rad when all is known."""
        calibrated = self.scan.step_angstrom is not None
        if calibrated and self.units == "1/Å":
            return 2 * math.pi, "rad"
        return 1.0, f"{self.units}·{'Å' if calibrated else 'px'}"

    @cached_property
    def to_scan_axes(self) -> Array:
        """Matrix (2, 2) that turns (ky, kx) in detector pixels into (y, x) along scan axes."""
        angle = math.radians(self.scan.rotation_degrees)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        size = np.array(self.sampling_inverse_angstrom or (1.0, 1.0))
        if self.scan.mirrored:
            size = size * (-1.0, 1.0)
        return turn * size


def _finite_pair(values: Pair) -> bool:
    array = np.asarray(values)
    return array.shape == (2,) and array.dtype.kind in "iuf" and bool(np.isfinite(array).all())


class CentreOfMass:
    """Shift of each pattern relative to vacuum, or to the mean of all, along scan axes.

    For a thin phase object exp(iφ) the shift is ⟨k⟩ = (P ⋆ ∇φ)/2π, with the probe's intensity P:
    towards atoms. With normalise="pattern" it is each pattern's own centre of mass. With "dose"
    the first moment is divided by the mean counts of all patterns, so that every electron counts
    alike; where less than about 3 electrons fall on a position this is less noisy. `reference`
    (ky, kx in pixels), `scan` (for its rotation, mirroring and step), `sampling_inverse_angstrom`
    and `normalise` can be set at any time, from any thread. Source: Lazić et al. 2016,
    doi:10.1016/j.ultramic.2015.10.011.
    """

    def __init__(
        self,
        moments: Moments,
        *,
        scan: Scan,
        reference: Pair | None = None,
        sampling_inverse_angstrom: Pair | None = None,
        normalise: Normalise = "pattern",
    ) -> None:
        self.moments = moments
        self._changing = Lock()
        # About which shifts are summed: near the beam, so that small differences stay exact.
        rows, columns = moments.detector_shape
        self.pivot = ((rows - 1) / 2, (columns - 1) / 2)
        self._settings = self._checked(
            ShiftSettings(scan, reference, sampling_inverse_angstrom, normalise)
        )

    def shift(self, settings: ShiftSettings | None = None) -> Array:
        """Return shifts (2, rows, columns) as (y, x) along scan axes, in 1/Å or pixels.

        NaN where nothing is known: not measured, or a pattern without counts. `settings` other
        than the present ones may be given.
        """
        settings = settings or self.settings
        sums, weights, known = self.vectors(settings)
        counts = self.moments.counts
        shift = sums - weights * self.offset(settings, sums, weights)[:, None, None]
        shift /= dose_scale(settings, counts, self.moments.measured)
        return np.where(known, shift, np.nan)

    def images(self) -> dict[str, xr.DataArray]:
        """Return "com_y" and "com_x" (y, x), in 1/Å or pixels of the detector."""
        settings = self.settings
        return {
            name: scan_image(values, settings.scan, name, settings.units)
            for name, values in zip(("com_y", "com_x"), self.shift(settings), strict=True)
        }

    def vectors(
        self, settings: ShiftSettings, rows: NDArray[np.int64] | None = None
    ) -> tuple[Array, Array, NDArray[np.bool_]]:
        """Return what the rows hold: vector sums (2, row, column), weights, where they are known.

        Shift × weight about the pivot, along scan axes; a weight is 1 or, with "dose", the counts.
        Both are zero where nothing is known.
        """
        rows = np.arange(self.moments.scan_shape[0]) if rows is None else rows
        by_pattern = settings.normalise == "pattern"
        moments, pivot = self.moments, np.asarray(self.pivot)
        return shift_vectors(
            moments.counts, moments.first, rows, pivot, settings.to_scan_axes, by_pattern
        )

    def offset(self, settings: ShiftSettings, sums: Array, weights: Array) -> Array:
        """Return the reference (y, x) about the pivot, along scan axes; 0 before any data."""
        if settings.reference is not None:
            return settings.to_scan_axes @ (np.asarray(settings.reference) - self.pivot)
        total = weights.sum()
        return sums.sum(axis=(1, 2)) / total if total else np.zeros(2)

    @property
    def settings(self) -> ShiftSettings:
        """All that can be set, as one value that does not change."""
        return self._settings

    @property
    def reference(self) -> Pair | None:
        """Centre of mass in vacuum (ky, kx) in detector pixels; None: the mean of all."""
        return self._settings.reference

    @reference.setter
    def reference(self, reference: Pair | None) -> None:
        self._change(reference=reference)

    @property
    def scan(self) -> Scan:
        """The scan, with its rotation, mirroring and step."""
        return self._settings.scan

    @scan.setter
    def scan(self, scan: Scan) -> None:
        self._change(scan=scan)

    @property
    def sampling_inverse_angstrom(self) -> Pair | None:
        """Size (ky, kx) of a detector pixel in 1/Å; None: unknown."""
        return self._settings.sampling_inverse_angstrom

    @sampling_inverse_angstrom.setter
    def sampling_inverse_angstrom(self, sampling: Pair | None) -> None:
        self._change(sampling_inverse_angstrom=sampling)

    @property
    def normalise(self) -> Normalise:
        """Whether each pattern counts alike, or each electron."""
        return self._settings.normalise

    @normalise.setter
    def normalise(self, normalise: Normalise) -> None:
        self._change(normalise=normalise)

    def _change(self, **fields: Any) -> None:
        with self._changing:
            self._settings = self._checked(replace(self._settings, **fields))

    def _checked(self, settings: ShiftSettings) -> ShiftSettings:
        if settings.scan.shape != tuple(self.moments.scan_shape):
            raise PlanError(
                f"a scan of {settings.scan.shape} for moments of {self.moments.scan_shape} probe "
                "positions: give both the same shape"
            )
        return settings


def dose_scale(settings: ShiftSettings, counts: Array, measured: NDArray[np.bool_]) -> float:
    """Return what sums of shift × weight are divided by: 1 or, with "dose", the mean counts."""
    if settings.normalise == "pattern" or not measured.any():
        return 1.0
    mean = float(counts[measured & np.isfinite(counts)].mean())
    return mean if mean > 0 else 1.0
