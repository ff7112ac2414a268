"""Run a trained network on images with onnxruntime: no torch, no pickle."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from crewe.errors import CreweError, ImageError, ReadError
from crewe.networks.scaling import Scale, scale_of
from crewe.networks.tiles import Image, Progress, TilePlan, apply_tiled

INPUT_NAME, OUTPUT_NAME = "image", "result"
PROVIDERS = ("CUDAExecutionProvider", "DmlExecutionProvider", "CPUExecutionProvider")


class Network(Protocol):
    """What `run` needs of a network."""

    def __call__(self, tiles: Image) -> Image:
        """Result on tiles (tile, y, x), float32 and normalised, in the same shape."""


class OnnxNetwork:
    """A network of an ONNX file, ready to run on tiles (tile, y, x).

    `source` is a path or the file's bytes; `threads` limits the CPU threads, by default all.
    `providers` are onnxruntime's; by default the first there are of CUDA, DirectML and CPU. `name`
    is what errors call it. The file must map `image` to `result`, both float32 (batch, 1, y, x)
    with free batch, y and x. `metadata` holds the text entries of the file. Raises CreweError when
    no onnxruntime is installed and ReadError when the file is missing, damaged or no such network.
    """

    def __init__(
        self,
        source: str | os.PathLike[str] | bytes,
        threads: int | None = None,
        providers: Sequence[str] | None = None,
        name: str | None = None,
    ) -> None:
        name = name or ("the given bytes" if isinstance(source, bytes) else str(source))
        self.session = _open_session(_contents(source), name, threads, providers)
        self.metadata = _checked_metadata(self.session, name)

    def __call__(self, tiles: Image) -> Image:
        """Result of the network on normalised tiles (tile, y, x), float32."""
        data = np.ascontiguousarray(tiles[:, None], dtype=np.float32)
        (result,) = self.session.run([OUTPUT_NAME], {INPUT_NAME: data})
        return np.asarray(result)[:, 0]


@dataclass(frozen=True)
class _Job:
    """What is the same for every frame of a stack."""

    network: Network
    plan: TilePlan
    batch: int
    keep_mean: bool
    mask: bool


def run(
    network: Network,
    image: ArrayLike,
    tile_px: int = 512,
    batch: int = 1,
    progress: Progress | None = None,
    keep_mean: bool = False,
    plan: TilePlan | None = None,
    mask: bool = False,
) -> NDArray[np.float32]:
    """Result of a network on an image (y, x) or a stack (frame, y, x), in the image's own units.

    Each frame is normalised by its own `scale_of`, tiled, and brought back: c times the image
    gives c times the result, and a constant added is added to the result. Pixels that are NaN or
    infinite are bridged for the network and NaN in the result; a frame without any finite pixel
    stays NaN, and a constant one is its own result (a mask: 0). `keep_mean` adds to each frame the
    constant that gives its finite pixels the mean they had. A `mask` has no unit and is left as the
    network gives it. `plan` says how far the network looks and which sides it takes, with `tile_px`
    in place of its own tile; by default sides are even and at least 32 px and the network looks 32
    px. `progress` is told tiles done and in all, of each frame anew. Raises ImageError for an
    empty image, other dims, complex values or a network that changes the shape, and PlanError for
    tiles too small for their overlap.
    """
    data = _checked_image(image)
    plan = replace(plan or TilePlan(multiple_px=2, smallest_px=32), tile_px=tile_px)
    job = _Job(network, plan, batch, keep_mean, mask)
    if data.ndim == 2:
        return _run_frame(job, data, progress)
    return np.stack([_run_frame(job, frame, progress) for frame in data])


def filled(image: Image) -> Image:
    """Image (y, x) with each NaN replaced by the mean of its surroundings, as wide as needed.

    The window doubles until it meets measured pixels, so that small holes are bridged by their
    rim and large ones level out inwards. An image without NaN comes back as it is.
    """
    missing = np.isnan(image)
    if not missing.any() or missing.all():
        return image
    known = (~missing).astype(np.float64)
    values = np.where(missing, 0.0, image)
    result, size = image.copy(), 3
    while np.isnan(result).any():
        weight = ndimage.uniform_filter(known, size, mode="constant")
        mean = ndimage.uniform_filter(values, size, mode="constant") / np.maximum(weight, 1e-12)
        # Half a pixel's share: less is the rounding error of running sums.
        reached = np.isnan(result) & (weight > 0.5 / size**2)
        result[reached] = mean[reached]
        size = 2 * size + 1
    return result


def _run_frame(job: _Job, frame: NDArray[Any], progress: Progress | None) -> Image:
    missing = ~np.isfinite(frame)
    if missing.all():
        return np.full(frame.shape, np.nan, dtype=np.float32)
    measured = frame[~missing]
    if measured.min() == measured.max():
        return _of_constant(frame, missing, job.mask)
    scale = scale_of(frame)
    scaled = scale.apply(np.where(missing, np.nan, frame) if missing.any() else frame)
    result = apply_tiled(job.network, filled(scaled), job.plan, job.batch, progress)
    if job.keep_mean:
        measured = ~missing
        change = scaled[measured].mean(dtype=np.float64) - result[measured].mean(dtype=np.float64)
        scale = Scale(scale.mean + float(change) * scale.spread, scale.spread)
    image = result if job.mask else scale.undo(result)
    image[missing] = np.nan
    return image


def _of_constant(frame: NDArray[Any], missing: NDArray[np.bool_], mask: bool) -> Image:
    """A constant frame shows nothing: it is restored to itself, and no atom is on its map."""
    image = np.zeros(frame.shape, np.float32) if mask else frame.astype(np.float32)
    image[missing] = np.nan
    return image


def _checked_image(image: ArrayLike) -> NDArray[Any]:
    data = np.asarray(image)
    if data.ndim not in (2, 3) or data.size == 0:
        raise ImageError(f"an image of shape {data.shape}: give dims (y, x) or (frame, y, x)")
    if data.dtype.kind not in "buif":
        raise ImageError(f"pixels of type {data.dtype}: give real numbers, e.g. the amplitude")
    return data


def _contents(source: str | os.PathLike[str] | bytes) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ReadError(f"cannot read the network {source}: {error.strerror or error}") from error


def _open_session(
    contents: bytes, name: str, threads: int | None, providers: Sequence[str] | None
) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise CreweError(
            "networks need onnxruntime, which is not installed: install one of crewe[cpu], "
            "crewe[gpu] or crewe[directml], e.g. pip install 'crewe[cpu]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads or 0
    present = onnxruntime.get_available_providers()
    chosen = list(providers or [name for name in PROVIDERS if name in present])
    try:
        return onnxruntime.InferenceSession(contents, options, providers=chosen)
    except Exception as error:  # onnxruntime's own errors share no narrower class
        raise ReadError(
            f"{name} cannot be run as an ONNX network, {len(contents)} bytes, it may be damaged or "
            f"incomplete: fetch it again ({str(error).splitlines()[0][:200]})"
        ) from error


def _checked_metadata(session: Any, name: str) -> dict[str, str]:
    for kind, ends, wanted in (
        ("input", session.get_inputs(), INPUT_NAME),
        ("output", session.get_outputs(), OUTPUT_NAME),
    ):
        given = [(end.name, end.type, end.shape) for end in ends]
        if len(ends) != 1 or not _is_free_image(ends[0], wanted):
            raise ReadError(
                f"{name} is not a network of crewe: its {kind} must be {wanted}, float32 of dims "
                f"(batch, 1, y, x) with free batch, y and x, but is {given}; use export_onnx"
            )
    return dict(session.get_modelmeta().custom_metadata_map)


def _is_free_image(end: Any, name: str) -> bool:
    if end.name != name or end.type != "tensor(float)" or len(end.shape) != 4:
        return False
    free = [not isinstance(end.shape[axis], int) for axis in (0, 2, 3)]
    return all(free) and (end.shape[1] == 1 or not isinstance(end.shape[1], int))
