"""How far an emulated pixel lies from multislice, as measured on images it had not learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CalibrationError

Array = NDArray[np.float64]
BINS = 24
FEWEST_PER_BIN = 400


@dataclass(frozen=True, eq=False)
class Noise:
    """Root mean square error as a function of the emulated value, straight between points."""

    values: Array
    """Emulated values (n,), rising, in fractions of the beam."""
    errors: Array
    """Root mean square error (n,) there."""

    def __post_init__(self) -> None:
        shapes = self.values.shape, self.errors.shape
        if shapes[0] != shapes[1] or len(shapes[0]) != 1 or shapes[0][0] == 0:
            raise CalibrationError(f"a noise curve needs matching points, not {shapes}")
        if not (np.diff(self.values) >= 0).all() or not (self.errors >= 0).all():
            raise CalibrationError("a noise curve needs rising values and errors of 0 or more")

    def __call__(self, emulated: Any) -> Array:
        """Error to expect at emulated values of any shape; constant beyond both ends."""
        result: Array = np.interp(np.asarray(emulated, dtype=np.float64), self.values, self.errors)
        return result

    def to_arrays(self) -> dict[str, Array]:
        """Its arrays by name."""
        return {"values": self.values, "errors": self.errors}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Noise:
        """Undo `to_arrays`; KeyError where one is missing."""
        values, errors = (np.asarray(arrays[key], dtype=np.float64) for key in ("values", "errors"))
        return cls(values, errors)


def measured_noise(emulated: Any, actual: Any) -> Noise:
    """Noise curve from emulated and multislice values of the same pixels, (n,) each.

    Bins hold equally many pixels, but for the brightest, which is halved again and again: there are
    few bright pixels, and they are the columns.
    """
    emulated = np.asarray(emulated, dtype=np.float64).ravel()
    actual = np.asarray(actual, dtype=np.float64).ravel()
    if len(emulated) == 0:
        raise CalibrationError("no pixel to measure an error from")
    order = np.argsort(emulated, kind="stable")
    parts = np.array_split(order, max(1, min(BINS, len(order) // FEWEST_PER_BIN)))
    while len(parts[-1]) >= 2 * FEWEST_PER_BIN:
        brightest = parts.pop()
        parts += [brightest[: len(brightest) // 2], brightest[len(brightest) // 2 :]]
    values = [emulated[part].mean() for part in parts]
    errors = [np.sqrt(np.mean((actual[part] - emulated[part]) ** 2)) for part in parts]
    return Noise(np.array(values), np.array(errors))
