"""What a method is: something that takes batches in any order, and something that shows images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol

from crewe.sources import Batch

if TYPE_CHECKING:
    import xarray as xr

Repeats = Literal["newest", "sum"]
"""What becomes of a scan that is repeated: the newest replaces the older, or all are added."""


class Reducer(Protocol):
    """Takes batches: measured in any thread, added one at a time, in any order."""

    def measure(self, batch: Batch) -> Any:
        """Return what the batch tells. Changes nothing, so that threads need no locks."""
        ...

    def add(self, measured: Any) -> None:
        """Add what was measured. The order in which batches are added does not matter."""
        ...


class ImageMaker(Protocol):
    """Shows what is known so far."""

    def images(self) -> dict[str, xr.DataArray]:
        """Return images (y, x) by name, calibrated where the data are; NaN: not measured."""
        ...
