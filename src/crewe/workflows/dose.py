"""Electrons behind image values, as far as a plan knows them."""

from typing import TYPE_CHECKING

from crewe import axes
from crewe.physics.intensity import electrons_per_pixel

if TYPE_CHECKING:
    import xarray as xr

    from crewe.workflows.plan import IntensityScale, QuantifyPlan


def electrons_per_unit(scale: "IntensityScale") -> float | None:
    """Return the electrons in a pixel of value 1 of the image as fitted; None if not known."""
    if scale.counts:
        return 1.0
    if scale.beam_current_pa is not None and scale.dwell_time_us is not None:
        return electrons_per_pixel(scale.beam_current_pa, scale.dwell_time_us)
    return scale.electrons_per_unit


def electrons_per_area(plan: "QuantifyPlan", image: "xr.DataArray") -> float | None:
    """Return the electrons per unit of cross-section: in e/Å² for one in Å²; None if not known.

    A cross-section that a Poisson image of this dose D shows has the variance of its mean over D.
    A restored image has other noise, of which nothing is known.
    """
    if plan.count is not None and plan.count.dose_e_per_angstrom2 is not None:
        return plan.count.dose_e_per_angstrom2
    electrons = electrons_per_unit(plan.intensity)
    if electrons is None or plan.restore is not None:
        return None
    step_y, step_x = axes.sampling(image)
    return electrons / (step_y * step_x)
