"""Virtual detectors as a reducer: bright field, annular, segmented, any mask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError
from crewe.sources import Batch, Events, Scan
from crewe.stem4d.calibrated import scan_image
from crewe.stem4d.detectors import Annulus
from crewe.stem4d.mask_sums import Masks
from crewe.stem4d.places import Places
from crewe.stem4d.reducer import Repeats

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, slots=True)
class _Choice:
    """The detectors that are in use; another choice is another object."""

    names: tuple[str, ...]
    masks: Masks


@dataclass(frozen=True, slots=True)
class MeasuredDetectors:
    """Sums (position, mask) of one batch, and the choice of detectors that they were made with."""

    choice: _Choice
    positions: NDArray[np.int64] | int
    values: NDArray[np.float64]
    scan: int
    finished: int


class VirtualDetectors:
    """Reducer that sums each pattern under masks, given by name.

    A mask is an Annulus about `centre` (ky, kx in pixels) or an array (ky, kx) of bools or
    weights. Images are in counts of the detector. `choose` takes other detectors while data
    arrive; as patterns are not kept, positions measured before are then not measured (NaN) until
    the scan comes by again. Raises PlanError for empty masks and wrong shapes.
    """

    def __init__(
        self,
        scan: Scan,
        detector_shape: tuple[int, int],
        detectors: Mapping[str, Annulus | NDArray[Any]],
        centre: tuple[float, float],
        repeats: Repeats = "newest",
    ) -> None:
        self.scan = scan
        self.detector_shape = detector_shape
        self.repeats = repeats
        self.choose(detectors, centre)

    def choose(
        self, detectors: Mapping[str, Annulus | NDArray[Any]], centre: tuple[float, float]
    ) -> None:
        """Use these detectors from now on."""
        if not detectors:
            raise PlanError("no virtual detector given: name one, such as bf, adf or haadf")
        masks = {}
        for name, detector in detectors.items():
            masks.update(self._masks(name, detector, centre))
        self.detectors = dict(detectors)
        self.centre = centre
        self._places = Places(self.scan.shape, len(masks), self.repeats)
        self._choice = _Choice(tuple(masks), Masks.of(np.stack(list(masks.values()))))

    def measure(self, batch: Batch) -> MeasuredDetectors:
        """Return the sums of one batch; changes nothing."""
        choice = self._choice
        if not isinstance(batch, Events):
            sums = choice.masks.of_frames(batch.patterns)
            return MeasuredDetectors(choice, batch.positions, sums, batch.scan, 0)
        first, after = 0, 0
        if batch.positions.size:
            first, after = int(batch.positions.min()), int(batch.positions.max()) + 1
        sums = choice.masks.of_events(batch, first, after - first)
        return MeasuredDetectors(choice, first, sums, batch.scan, batch.finished)

    def add(self, measured: MeasuredDetectors) -> None:
        """Add the sums of one batch; those of detectors no longer in use are left out."""
        if measured.choice is not self._choice:
            return
        if isinstance(measured.positions, int):
            found = np.flatnonzero(measured.values.any(axis=1))
            values = measured.values[found]
            self._places.add(measured.positions + found, values, measured.scan)
            self._places.finish(measured.finished, measured.scan)
        else:
            self._places.add(measured.positions, measured.values, measured.scan)

    def images(self) -> dict[str, xr.DataArray]:
        """Return one image (y, x) per mask, in counts; segments are numbered from 0."""
        return {
            name: scan_image(self._places.image(index), self.scan, name, "counts")
            for index, name in enumerate(self._choice.names)
        }

    def _masks(
        self, name: str, detector: Annulus | NDArray[Any], centre: tuple[float, float]
    ) -> dict[str, NDArray[Any]]:
        if isinstance(detector, Annulus):
            masks = detector.masks(self.detector_shape, centre)
            if detector.segments == 1:
                return {name: masks[0]}
            return {f"{name}_{index}": mask for index, mask in enumerate(masks)}
        mask = np.asarray(detector)
        if mask.shape != self.detector_shape or not np.isfinite(mask).all() or not mask.any():
            raise PlanError(
                f"mask {name!r} of shape {mask.shape}: give finite weights, not all 0, for the "
                f"{self.detector_shape[0]} × {self.detector_shape[1]} pixels of the detector"
            )
        return {name: mask}
