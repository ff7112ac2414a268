"""Projected electric field of the specimen and its divergence, from the centre of mass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crewe.physics.electron import interaction_constant
from crewe.stem4d.calibrated import scan_image
from crewe.stem4d.com import CentreOfMass, ShiftSettings

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]


class ElectricField:
    """The field E = −∇V integrated along the beam, in V, smeared by the probe.

    A thin specimen turns the phase by σV, so that E = −2π⟨k⟩/σ: away from atoms. Without
    `beam_energy_kev`, or where the detector is not calibrated, the images hold −COM in its unit.
    Raises CalibrationError for an impossible energy. Source: Müller et al. 2014,
    doi:10.1038/ncomms6653.
    """

    def __init__(self, com: CentreOfMass, beam_energy_kev: float | None = None) -> None:
        self.com = com
        self.beam_energy_kev = beam_energy_kev

    @property
    def beam_energy_kev(self) -> float | None:
        """Beam energy in keV; None: unknown."""
        return self._beam_energy_kev

    @beam_energy_kev.setter
    def beam_energy_kev(self, beam_energy_kev: float | None) -> None:
        if beam_energy_kev is not None:
            interaction_constant(beam_energy_kev)
        self._beam_energy_kev = beam_energy_kev

    def field(self, settings: ShiftSettings) -> tuple[Array, str]:
        """Return the field (2, rows, columns) as (y, x) and its unit; NaN where unknown."""
        shift = self.com.shift(settings)
        if self.beam_energy_kev is None or settings.sampling_inverse_angstrom is None:
            return -shift, settings.units
        return -2 * math.pi / interaction_constant(self.beam_energy_kev) * shift, "V"

    def images(self) -> dict[str, xr.DataArray]:
        """Return "field_y", "field_x", "field_magnitude" and "field_angle" (y, x).

        The angle is in degrees from +x towards −y, anticlockwise as displayed.
        """
        settings = self.com.settings
        (along_y, along_x), units = self.field(settings)
        angle = np.degrees(np.arctan2(-along_y, along_x))
        values = {
            "field_y": (along_y, units),
            "field_x": (along_x, units),
            "field_magnitude": (np.hypot(along_y, along_x), units),
            "field_angle": (angle, "deg"),
        }
        return {
            name: scan_image(image, settings.scan, name, unit)
            for name, (image, unit) in values.items()
        }


class FieldDivergence:
    """Divergence of the projected field in V/Å: positive at the cores of atoms.

    By Gauss's law it is the charge along the beam over ε₀. Differences are central, and one-sided
    next to what is not known. Units without calibration as for ElectricField, per scan step.
    """

    def __init__(self, com: CentreOfMass, beam_energy_kev: float | None = None) -> None:
        self._field = ElectricField(com, beam_energy_kev)

    @property
    def beam_energy_kev(self) -> float | None:
        """Beam energy in keV; None: unknown."""
        return self._field.beam_energy_kev

    @beam_energy_kev.setter
    def beam_energy_kev(self, beam_energy_kev: float | None) -> None:
        self._field.beam_energy_kev = beam_energy_kev

    def images(self) -> dict[str, xr.DataArray]:
        """Return "divergence" (y, x); NaN where the field is not known along y and x."""
        settings = self._field.com.settings
        field, units = self._field.field(settings)
        along_y, along_x = (difference(field[axis], axis) for axis in (0, 1))
        image = along_y / settings.step[0] + along_x / settings.step[1]
        length = "px" if settings.scan.step_angstrom is None else "Å"
        return {"divergence": scan_image(image, settings.scan, "divergence", f"{units}/{length}")}


def difference(values: Array, axis: int) -> Array:
    """Return differences along an axis of (rows, columns) per pixel, beside what is NaN one-sided.

    NaN where the value itself or both neighbours are not known.
    """
    values = np.moveaxis(values, axis, 0)
    known = np.isfinite(values)
    steps, number = np.zeros(values.shape), np.zeros(values.shape)
    both = known[1:] & known[:-1]
    slopes = np.where(both, np.diff(np.where(known, values, 0.0), axis=0), 0.0)
    steps[1:] += slopes
    steps[:-1] += slopes
    number[1:] += both
    number[:-1] += both
    found = np.where(number > 0, steps / np.maximum(number, 1), np.nan)
    return np.moveaxis(found, 0, axis)
