"""Restore an image with a trained network, and say how far the result can be trusted."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe import axes
from crewe.errors import PlanError
from crewe.networks.card import Card
from crewe.networks.inference import filled
from crewe.networks.zoo import TILE_PX, TrainedNetwork, open_network
from crewe.restoration.frames import Frame, frames_of
from crewe.restoration.pixel_size import Resampling, one_pixel_size
from crewe.restoration.remarks import counted, resampling_for, said_of
from crewe.restoration.trust import TrustMap, trust_map

if TYPE_CHECKING:
    import xarray as xr

Image = NDArray[np.float32]
Observer = Callable[[str, float], None]
"""Called with the name of a stage and how far it has come, from 0 to 1."""

MUCH_DOUBT = 0.05


@dataclass(frozen=True)
class Restored:
    """A restored image or stack."""

    image: Any
    """Of the kind, shape and unit of what was given, float32; NaN where nothing was measured."""
    trust: Any
    """Likewise, 0 to 1: see `trust_map`. None when it was not asked for."""
    trusted_share: float
    """Share of the measured area that the data support; NaN without a trust map."""
    doubted_share: float
    """Share of the measured area that the data contradict; NaN without a trust map."""
    warnings: tuple[str, ...]
    """What the reader of the result should know."""
    card: Card
    """Of the network."""


@dataclass(frozen=True)
class _Job:
    """What is the same for every frame."""

    network: TrainedNetwork
    resampling: Resampling
    tile_px: int
    batch: int
    rng: np.random.Generator | None
    """None when no trust map is wanted."""

    def restored(self, frame: Image, tell: Callable[[float], None] | None = None) -> Image:
        """Return a frame restored, with the mean that it had."""
        if self.resampling == Resampling():
            return self._run(frame, tell)
        missing = ~np.isfinite(frame)
        if missing.all():
            return np.full(frame.shape, np.nan, dtype=np.float32)
        whole = filled(np.where(missing, np.float32(np.nan), frame))
        result = self.resampling.back(
            self._run(self.resampling.there(whole).astype(np.float32), tell), frame.shape
        ).astype(np.float32)
        measured = ~missing
        result += np.mean(frame[measured], dtype=np.float64) - np.mean(
            result[measured], dtype=np.float64
        )
        result[missing] = np.nan
        return result

    def _run(self, frame: Image, tell: Callable[[float], None] | None) -> Image:
        def progress(done: int, total: int) -> None:
            if tell is not None:
                tell(done / total)

        return self.network.run(frame, self.tile_px, self.batch, progress)


def restore(
    image: Any,
    pixel_size_angstrom: float | None = None,
    model: str | os.PathLike[str] | TrainedNetwork = "hrstem",
    *,
    trust: bool = True,
    tile_px: int = TILE_PX,
    batch: int = 1,
    threads: int | None = None,
    seed: int = 0,
    observer: Observer | None = None,
) -> Restored:
    """Restore an image (y, x) or each frame of a stack (frame, y, x).

    `image` is an array, or a calibrated DataArray whose last dims are y and x; the result is of
    the same kind, shape and unit as float32, calibration kept. c times the image gives c times the
    result, the mean of each frame is kept, and NaN or infinite pixels become NaN; a frame without
    any contrast comes back as it is, with a trust of 0.5. `model` is the
    name of a shipped network, the path of an ONNX file with its card beside it, or a network that
    is open already. `pixel_size_angstrom` replaces the image's own; where it lies outside what the
    network was trained on, the image is brought to other pixels and back, and a warning says so.
    `trust` adds a map of how far the measurement supports the result, which takes as long again;
    its noise is drawn from `seed`. `tile_px` limits the memory that the network takes, `threads`
    the CPU threads. `observer` hears the stages 'restoring' and 'judging'.

    Raises ImageError for an image that cannot be used, or whose intensities or contrast float32
    cannot hold, PlanError for an unknown or unfit model and for pixels too far from the trained
    size or from squares, ReadError for a damaged network, CreweError when
    no onnxruntime is installed.
    """
    frames, template = frames_of(image)
    opened = model if isinstance(model, TrainedNetwork) else open_network(model, threads)
    check_card(opened.card)
    pixel, stretched = (
        _pixel_size(template) if pixel_size_angstrom is None else (pixel_size_angstrom, None)
    )
    resampling, warnings = resampling_for(pixel, opened.card)
    warnings += [] if stretched is None else [stretched]
    rng = np.random.default_rng(seed) if trust else None
    job = _Job(opened, resampling, tile_px, batch, rng)
    made = [
        _restore_frame(job, frame, _stages(observer, number, len(frames)))
        for number, frame in enumerate(frames)
    ]
    warnings += counted([said_of(frame, resampling, opened.card) for frame in frames])
    maps = [one for _, one in made if one is not None]
    share, doubt = (_mean_share(maps, name) for name in ("trusted_share", "doubted_share"))
    if doubt > MUCH_DOUBT:
        warnings.append(
            f"the measurement contradicts {100 * doubt:.0f} % of the restored area: look at the "
            "trust map before you use it"
        )
    return Restored(
        _like(template, [one for one, _ in made]),
        _like(template, [one.trust for one in maps], "trust") if trust else None,
        share,
        doubt,
        tuple(warnings),
        opened.card,
    )


def check_card(card: Card) -> None:
    """Raise PlanError when a network does not restore intensities."""
    if card.task != "restoration" or card.output != "intensity":
        raise PlanError(
            f"the network {card.name} makes {card.target} ({card.task}), no restored image: choose "
            "one of the task 'restoration'; 'crewe networks' lists them"
        )


def _restore_frame(
    job: _Job, given: Frame, tell: Callable[[str, float], None]
) -> tuple[Image, TrustMap | None]:
    frame = given.image
    if given.constant:
        # A network would invent some structure, and its noise cannot be known.
        tell("restoring", 1.0)
        even = TrustMap(np.where(np.isnan(frame), frame, np.float32(0.5)), float("nan"))
        return given.with_mean(frame), None if job.rng is None else even
    restored = job.restored(frame, lambda fraction: tell("restoring", fraction))
    if job.rng is None:
        return given.with_mean(restored), None
    tell("judging", 0.0)
    judged = trust_map(
        frame,
        restored,
        lambda probe: job.restored(probe, lambda fraction: tell("judging", fraction)),
        job.rng,
    )
    return given.with_mean(restored), judged


def _pixel_size(template: Any) -> tuple[float | None, str | None]:
    """Pixel size in Å of a calibrated image, None when it has none, and what is wrong with it."""
    import xarray as xr

    if not isinstance(template, xr.DataArray) or not {"y", "x"} <= set(template.coords):
        return None, None
    if axes.length_unit(template) != "Å":
        return None, None
    y, x = axes.sampling(template)
    return one_pixel_size(y, x)


def _mean_share(maps: list[TrustMap], name: str) -> float:
    shares = [getattr(one, name) for one in maps]
    known = [share for share in shares if np.isfinite(share)]
    return float(np.mean(known)) if known else float("nan")


def _stages(observer: Observer | None, number: int, count: int) -> Callable[[str, float], None]:
    def tell(stage: str, fraction: float) -> None:
        if observer is not None:
            observer(stage, (number + fraction) / count)

    return tell


def _like(template: Any, frames: list[Image], name: str | None = None) -> Any:
    """Frames as an array or DataArray like the one that was given."""
    values = frames[0] if template.ndim == 2 else np.stack(frames)
    if isinstance(template, np.ndarray):
        return values
    result: xr.DataArray = template.copy(data=values)
    if name is not None:
        result.name = name
        # A probability has none, whatever the unit of the image.
        result.attrs.pop("units", None)
    return result
