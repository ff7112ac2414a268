"""HAADF and element maps as they lie in files: frames of one grid, read window by window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crewe import io
from crewe.axes import length_unit, with_pixel_coordinates
from crewe.chemistry.files import open_fusion_inputs
from crewe.errors import CreweError, ImageError, ReadError
from crewe.io.choose import squeeze
from crewe.workflows.fuse_haadf import ElasticImages, Window, frame_of
from crewe.workflows.fuse_plan import FusePlan
from crewe.workflows.fuse_preview import thinned

if TYPE_CHECKING:
    import xarray as xr

OPTIONS = {
    "haadf='continuum'": "--signal continuum",
    "technique='edx' or 'eels'": "--technique edx or eels",
}
EVERYWHERE: Window = (slice(None), slice(None))


@dataclass(frozen=True)
class Field:
    """What is fused at once, in memory."""

    haadf: xr.DataArray
    """(y, x)."""
    maps: xr.DataArray
    """(element, y, x)."""
    background: xr.DataArray | None
    """Mean counts that are no signal, (element, y, x)."""

    @property
    def signal(self) -> NDArray[np.float32]:
        """Maps without background, not negative, (element, y, x)."""
        taken = 0.0 if self.background is None else self.background.values
        return np.asarray(np.maximum(self.maps.values - taken, 0.0), np.float32)


@dataclass(frozen=True)
class FuseInputs:
    """HAADF and maps, ([frame,] y, x) each, large ones lazily."""

    haadf: xr.DataArray
    maps: Mapping[str, xr.DataArray]
    background: Mapping[str, xr.DataArray]
    remarks: tuple[str, ...] = ()
    """What was taken out of a file that holds more."""
    warnings: tuple[str, ...] = ()
    """What the reader of the result should know of the inputs."""
    aligned: bool = True
    """Whether HAADF is laid on the maps where it lies off them."""

    @cached_property
    def elastic(self) -> ElasticImages:
        """HAADF on the pixels of the maps."""

        def maps_of(frame: int, window: Window) -> xr.DataArray:
            return self._planes(self.maps, frame, window)

        return ElasticImages(self.haadf, self.grid, maps_of, self.aligned)

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols, in the order of the maps."""
        return tuple(self.maps)

    @property
    def grid(self) -> xr.DataArray:
        """The first map, whose frames, pixels and unit are those of the result."""
        return next(iter(self.maps.values()))

    @property
    def frames(self) -> int:
        """Frames of a stack; 1 without."""
        return 1 if self.grid.ndim == 2 else int(self.grid.shape[0])

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels of a frame, y and x."""
        return int(self.grid.shape[-2]), int(self.grid.shape[-1])

    def field(self, frame: int = 0, window: Window = EVERYWHERE) -> Field:
        """Read a window of a frame, all on the coordinates of the first map."""
        maps = self._planes(self.maps, frame, window)
        background = self._planes(self.background, frame, window) if self.background else None
        haadf = np.ascontiguousarray(self.elastic.frame(frame).values[window])
        image = maps[0].drop_vars("element").copy(data=haadf).rename("HAADF")
        image.attrs = dict(self.haadf.attrs)
        return Field(image, maps, background)

    def small_field(self, frame: int = 0) -> Field:
        """Read a frame averaged in blocks to what can be looked at."""
        maps = {name: thinned(frame_of(one, frame)) for name, one in self.maps.items()}
        background = {n: thinned(frame_of(one, frame)) for n, one in self.background.items()}
        haadf = thinned(self.elastic.frame(frame))
        return FuseInputs(haadf, maps, background, aligned=False).field()

    def like(self, element: str, values: NDArray[np.float32]) -> xr.DataArray:
        """Give values the dims, coordinates and attrs of an element's map."""
        given = self.maps[element]
        shaped = given.copy(data=values.reshape(given.shape)).rename(element)
        shaped.attrs = dict(given.attrs)
        return shaped

    def _planes(
        self, planes: Mapping[str, xr.DataArray], frame: int, window: Window
    ) -> xr.DataArray:
        import xarray as xr

        rows, columns = window
        return xr.DataArray(
            np.stack([_values(planes[name], frame, window) for name in self.elements]),
            dims=("element", "y", "x"),
            coords={
                "element": list(self.elements),
                "y": self.grid["y"][rows],
                "x": self.grid["x"][columns],
            },
            attrs=dict(self.grid.attrs),
        )


def open_inputs(plan: FusePlan) -> FuseInputs:
    """Open HAADF and maps of a plan as far as their headers.

    Raises ReadError for a file that cannot be read, and ImageError for one that holds no image or
    stack, or another number of frames than the others.
    """
    if not plan.maps:
        return _of_one_file(plan)
    haadf = _images(plan.haadf, io.read(plan.haadf, plan.signal), "HAADF")
    maps = {
        element: _images(path, io.read(path, _signal_of(element, path)), f"the map of {element}")
        for element, path in plan.maps.items()
    }
    for element, one in maps.items():
        _check_frames(one, haadf, element)
    _check_shapes(maps)
    maps, remarks = _calibrated(maps, haadf)
    return FuseInputs(haadf, maps, {}, remarks, aligned=plan.align)


def _of_one_file(plan: FusePlan) -> FuseInputs:
    try:
        taken = open_fusion_inputs(
            plan.haadf,
            plan.elements or None,
            plan.lines or None,
            haadf=plan.signal,
            source=plan.source,
            technique=plan.technique,
        )
    except CreweError as error:
        raise type(error)(_as_options(str(error))) from error
    maps = {element: with_pixel_coordinates(one) for element, one in taken.maps.items()}
    haadf = with_pixel_coordinates(taken.haadf)
    return FuseInputs(haadf, maps, taken.background or {}, taken.remarks, aligned=plan.align)


def _as_options(said: str) -> str:
    """Name arguments of the function by the options that stand for them."""
    for argument, words in OPTIONS.items():
        said = said.replace(argument, words)
    return said


def _signal_of(element: str, path: Path) -> str | None:
    """Return the signal of a file of several that is called by the element; None for the best."""
    named = [signal.name.split("/")[-1].lower() for signal in io.list_signals(path)]
    return element.lower() if len(named) > 1 and named.count(element.lower()) == 1 else None


def _images(path: Path, array: xr.DataArray, what: str) -> xr.DataArray:
    """Return images as ([frame,] y, x). Raises ImageError for anything else."""
    images = with_pixel_coordinates(squeeze(array))
    if images.ndim not in (2, 3) or images.dims[-2:] != ("y", "x") or "energy" in images.dims:
        raise ImageError(
            f"{path.name}: {what} must be an image (y, x) or a stack of them, but the dims are "
            f"{images.dims}: choose another signal, crewe info {path.name} lists them"
        )
    if images.dtype.kind not in "biuf":
        raise ImageError(f"{path.name}: {what} holds pixels of type {images.dtype}: give numbers")
    return images


def _check_frames(images: xr.DataArray, haadf: xr.DataArray, element: str) -> None:
    count, wanted = (1 if one.ndim == 2 else one.shape[0] for one in (images, haadf))
    if count != wanted or images.ndim != haadf.ndim:
        raise ImageError(
            f"the map of {element} has {count} frames and HAADF has {wanted}: give the same "
            "frames of all, in the same order"
        )


def _check_shapes(maps: Mapping[str, xr.DataArray]) -> None:
    shapes = {element: one.shape[-2:] for element, one in maps.items()}
    if len(set(shapes.values())) > 1:
        said = ", ".join(f"{element} {y} × {x}" for element, (y, x) in shapes.items())
        raise ImageError(f"the maps have different pixels ({said}): give maps of one field")


def _calibrated(
    maps: Mapping[str, xr.DataArray], haadf: xr.DataArray
) -> tuple[dict[str, xr.DataArray], tuple[str, ...]]:
    """Give maps without a pixel size that of HAADF, where the pixels are as many."""
    lent, known = [], {"y": haadf["y"], "x": haadf["x"]}
    for element, one in maps.items():
        same = one.shape[-2:] == haadf.shape[-2:]
        if same and length_unit(one) == "px" and length_unit(haadf) != "px":
            lent.append(element)
    given = {name: one.assign_coords(known) if name in lent else one for name, one in maps.items()}
    if not lent:
        return given, ()
    return given, (f"{', '.join(lent)} without a pixel size: that of HAADF was taken",)


def _values(images: xr.DataArray, frame: int, window: Window) -> NDArray[np.float32]:
    try:
        return np.ascontiguousarray(frame_of(images, frame)[window].values, np.float32)
    except (OSError, ValueError) as error:
        raise ReadError(f"{images.name}: cannot be read to its end ({error})") from error
