"""Calibrated arrays: how an ``xarray.DataArray`` carries Å, 1/Å, mrad and eV.

An image has dims ``('y', 'x')``; each dim has a float64 coordinate whose ``attrs['units']``
names its unit, and metadata lies in ``.attrs`` as plain values that JSON can hold.
"""

from crewe.axes.arrays import (
    Axis,
    calibrated_array,
    calibrated_image,
    crop,
    length_unit,
    sampling,
    with_pixel_coordinates,
    with_sampling,
)
from crewe.axes.checks import check_image
from crewe.axes.hyperspy import (
    from_hyperspy,
    from_signal_dictionary,
    signal_dictionary,
    to_hyperspy,
)
from crewe.axes.plain import plain_value
from crewe.axes.units import normalise_unit

__all__ = [
    "Axis",
    "calibrated_array",
    "calibrated_image",
    "check_image",
    "crop",
    "from_hyperspy",
    "from_signal_dictionary",
    "length_unit",
    "normalise_unit",
    "plain_value",
    "sampling",
    "signal_dictionary",
    "to_hyperspy",
    "with_pixel_coordinates",
    "with_sampling",
]
