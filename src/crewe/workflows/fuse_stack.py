"""Fuse inputs of any size: whole, or tile by tile and frame by frame with settings chosen once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from crewe.chemistry.guide import offset_and_scale
from crewe.chemistry.operators import atomic_number
from crewe.chemistry.results import FusedMaps
from crewe.errors import PlanError
from crewe.workflows.fuse_fit import balance_of, fit_field, fit_part, means, standard_error
from crewe.workflows.fuse_inputs import Field, FuseInputs
from crewe.workflows.fuse_output import ERROR_SUFFIX
from crewe.workflows.fuse_parts import Part, Parts, blend
from crewe.workflows.fuse_plan import FusePlan
from crewe.workflows.fuse_store import Unfinished
from crewe.workflows.observer import Observer, stages

if TYPE_CHECKING:
    import xarray as xr

Planes = NDArray[np.float32]
MAPS, ERRORS = "maps", "errors"


@dataclass(frozen=True)
class Fitted:
    """Maps of all parts put together, and the result whose settings they share."""

    chosen: FusedMaps
    """Of the whole field, or of the part on which settings were chosen."""
    maps: Mapping[str, xr.DataArray]
    """Maps and standard errors ([frame,] y, x) by the names of their files."""
    frame: int
    """The frame on which settings were chosen."""
    parts: int
    """Tiles of all frames."""


def fit_inputs(plan: FusePlan, inputs: FuseInputs, store: Unfinished, told: Observer) -> Fitted:
    """Fuse inputs; one field at once, or with each part kept in the store as soon as it is done.

    Of a stack the middle frame chooses all settings. Of an image in tiles the tile with most
    counts does; HAADF's offset and what the strength is relative to are those of the whole frame.
    Raises CreweError.
    """
    parts = Parts.of(inputs.frames, inputs.shape, plan.tile_px, plan.overlap_px)
    if plan.prior == "amounts" and len(parts.of_frame(0)) > 1:
        raise PlanError(
            f"the prior 'amounts' fits the scale of HAADF to each field, so that tiles would not "
            f"agree: give --tile {max(inputs.shape)}, or another prior"
        )
    if len(parts.every) == 1:
        return _whole(plan, inputs, told)
    return _Work(plan, inputs, parts, store, told).done()


def _whole(plan: FusePlan, inputs: FuseInputs, told: Observer) -> Fitted:
    tell = stages(told)
    result = fit_field(plan, inputs.field(), tell)
    errors = standard_error(plan, result, tell)
    maps = {}
    for at, name in enumerate(inputs.elements):
        maps[name] = inputs.like(name, result.maps.values[at])
        if errors is not None:
            maps[f"{name}{ERROR_SUFFIX}"] = inputs.like(name, errors.values[at])
    return Fitted(result, maps, 0, 1)


class _Work:
    """Parts that are fused one after the other."""

    def __init__(
        self,
        plan: FusePlan,
        inputs: FuseInputs,
        parts: Parts,
        store: Unfinished,
        told: Observer,
    ) -> None:
        self.plan, self.inputs, self.parts, self.store = plan, inputs, parts, store
        self.told = told
        self.frame = inputs.frames // 2
        self._sums: tuple[int, NDArray[np.float64]] | None = None

    def done(self) -> Fitted:
        """Choose settings, fuse what the store does not hold yet, and put all parts together."""
        every = self.parts.every
        chosen = self._chosen()
        missing = [part for part in every if not self.store.has(part.number)]
        if len(missing) < len(every):
            self.told.message(f"{len(every) - len(missing)} of {len(every)} parts were done before")
        self.told.stage_started(f"fusing {len(missing)} parts")
        for number, part in enumerate(missing):
            self.told.advanced("fusing parts", number / len(missing))
            self._fuse(part, chosen)
        return Fitted(chosen, self._joined(), self.frame, len(every))

    def _chosen(self) -> FusedMaps:
        tiles = self.parts.of_frame(self.frame)
        tell = stages(self.told)
        if len(tiles) == 1:
            return fit_field(self.plan, self._field(tiles[0]), tell)
        self.told.stage_started("looking for the brightest tile")
        brightest = max(tiles, key=lambda tile: float(self._field(tile).maps.values.sum()))
        chosen = fit_field(self.plan, self._field(brightest), tell)
        small = self.inputs.small_field(self.frame)
        numbers = np.array([atomic_number(name) for name in self.inputs.elements])
        scale = [chosen.counts_per_unit[name] for name in self.inputs.elements]
        counts = np.array(scale, np.float32)[:, None, None] * small.signal
        offset, _ = offset_and_scale(small.haadf.values, counts, numbers, chosen.gamma)
        return replace(chosen, haadf_offset=offset)

    def _fuse(self, part: Part, chosen: FusedMaps) -> None:
        field = self._field(part)
        result = fit_part(chosen, field, self._balance(part, field, chosen))
        arrays = {MAPS: result.maps.values}
        errors = standard_error(self.plan, result, _unheard, self.plan.seed + part.number)
        if errors is not None:
            arrays[ERRORS] = np.asarray(errors.values, np.float32)
        self.store.put(part.number, arrays)

    def _balance(self, part: Part, field: Field, chosen: FusedMaps) -> float:
        if len(self.parts.of_frame(part.frame)) == 1:
            return 1.0
        tile = means(chosen, field, np.ones(field.haadf.shape, np.float32))
        return balance_of(chosen, self._sums_of_frame(part.frame, chosen), tile)

    def _sums_of_frame(self, frame: int, chosen: FusedMaps) -> NDArray[np.float64]:
        if self._sums is None or self._sums[0] != frame:
            tiles = self.parts.of_frame(frame)
            each = [means(chosen, self._field(tile), self.parts.weight(tile)) for tile in tiles]
            self._sums = frame, np.sum(each, axis=0)
        return self._sums[1]

    def _field(self, part: Part) -> Field:
        return self.inputs.field(part.frame, part.window)

    def _joined(self) -> dict[str, xr.DataArray]:
        self.told.stage_started("putting parts together")
        kinds = {MAPS: ""}
        if self.plan.standard_error != "none":
            kinds[ERRORS] = ERROR_SUFFIX
        maps = {}
        for kind, suffix in kinds.items():
            shape = (len(self.inputs.elements), self.inputs.frames, *self.inputs.shape)
            stack = self.store.stack(kind, shape)
            tiles = ((part, self.store.get(part.number, kind)) for part in self.parts.every)
            blend(self.parts, tiles, stack)
            for name, values in zip(self.inputs.elements, stack, strict=True):
                maps[f"{name}{suffix}"] = self.inputs.like(name, values)
        return maps


def _unheard(stage: str, fraction: float) -> None:
    """Tell nothing of the stages of a part: the parts that are done tell enough."""
