"""Spectrum images of Velox .emd files, where RosettaSciIO 0.15 does not tell what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# Images beside a spectrum image are stacks, one image per frame: not only the first is wanted.
READER_OPTIONS = {"load_SI_image_stack": True}
_GROUPS = ("Data/SpectrumStream/", "Data/SpectrumImage/", "Data/EelsSpectrumImage/")
# 4096 channels of 16 bits.
_BYTES_PER_PIXEL = 8192
_ENERGY_NAMES = {"X-ray energy": "Energy", "Energy-loss": "Energy loss"}


def holds_spectrum_image(dataset_names: Iterable[str]) -> bool:
    """Whether the datasets of an HDF5 file are those of a Velox spectrum image."""
    return any(name.startswith(_GROUPS) for name in dataset_names)


def spectrum_image_bytes(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Size that a stream of X-rays may take once it is a spectrum image, of all datasets' shapes.

    A stream says how many X-rays there were; the images beside it say over how many pixels.
    """
    streams = any(name.startswith(_GROUPS[0]) for name in shapes)
    pixels = [shape[0] * shape[1] for name, shape in shapes.items() if _is_image(name, shape)]
    return max(pixels, default=0) * _BYTES_PER_PIXEL if streams else 0


def _is_image(name: str, shape: tuple[int, ...]) -> bool:
    return name.startswith("Data/Image/") and name.endswith("/Data") and len(shape) == 3


def corrected_velox(signal: Mapping[str, Any]) -> dict[str, Any] | None:
    """Name energies as such, average frames of images and put X-rays where they were recorded.

    A stack along time becomes its mean, as spectra are summed over the same frames; how many
    stands under 'frames'. RosettaSciIO lays the stream of X-rays on the grid of the image that
    it read last, a survey perhaps; the scanned area says which it is. None for spectra that
    cannot be put right.
    """
    result = dict(signal)
    axes = [dict(axis) for axis in signal.get("axes") or []]
    names = [str(axis.get("name")) for axis in axes]
    for axis in axes:
        axis["name"] = _ENERGY_NAMES.get(str(axis.get("name")), axis.get("name"))
    data = signal["data"]
    if names == ["Time", "y", "x"] and data.dtype.kind in "uif":
        result["data"], result["axes"] = data.mean(axis=0), axes[1:]
        result["frames"] = int(data.shape[0])
        return result
    result["axes"] = axes
    if names == ["y", "x", "X-ray energy"]:
        original = signal.get("original_metadata") or {}
        shape = scanned_shape(original)
        if shape is not None and shape != tuple(data.shape[:2]):
            moved = _replaced(data, shape, _frames(original))
            if moved is None:
                return None
            result["data"] = moved
    return result


def scanned_shape(original: Mapping[str, Any]) -> tuple[int, int] | None:
    """Pixels (y, x) of the area that was scanned, of Velox's own metadata."""
    try:
        size, area = original["Scan"]["ScanSize"], original["Scan"]["ScanArea"]
        rows = (float(area["bottom"]) - float(area["top"])) * float(size["height"])
        columns = (float(area["right"]) - float(area["left"])) * float(size["width"])
    except (KeyError, TypeError, ValueError):
        return None
    shape = round(rows), round(columns)
    whole = abs(rows - shape[0]) < 0.01 and abs(columns - shape[1]) < 0.01
    return shape if whole and min(shape) > 0 else None


def _frames(original: Mapping[str, Any]) -> int:
    try:
        return max(1, int(original["ImportedDataParameter"]["Number_of_frames"]))
    except (KeyError, TypeError, ValueError):
        return 1


def _replaced(data: Any, shape: tuple[int, int], frames: int) -> Any:
    """Read pixels in their order and sum the frames; None when the wrong grid wrapped around."""
    pixels = shape[0] * shape[1]
    if frames * pixels > data.shape[0] * data.shape[1]:
        return None
    in_order = data.reshape(-1, data.shape[2])[: frames * pixels]
    if frames == 1:
        return in_order.reshape(*shape, -1)
    return in_order.reshape(frames, *shape, -1).sum(axis=0, dtype=data.dtype)
