"""How well a network does on a fixed set of examples: PSNR and SSIM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crewe.errors import ImageError
from crewe.networks.batches import Example

Image = NDArray[np.float32]
Restore = Callable[[Image], Image]
"""A batch (n, 1, y, x) on the network's scale to one of the same shape."""


@dataclass(frozen=True)
class Figures:
    """Means over a set of examples; NaN where no example has a contrast to measure."""

    psnr_db: float
    ssim: float


@dataclass(frozen=True)
class Picture:
    """One example in the unit of its sample: what was given, restored and wanted, each (y, x)."""

    given: Image
    restored: Image
    wanted: Image
    pixel_size_angstrom: float
    psnr_db: float


def psnr(image: NDArray[np.floating], ideal: NDArray[np.floating]) -> float:
    """Return the peak signal-to-noise ratio in dB of an image against its ideal.

    10 log₁₀(MAX²/MSE), equation 1 of doi:10.1038/s41524-023-01188-0, where MAX is the range of
    the ideal image, its maximum minus its minimum: the figure is the same in any unit and for any
    offset. Infinite for equal images, NaN where the ideal is constant. Raises ImageError for
    images of different shapes.
    """
    _same_shape(image, ideal)
    ideal = np.asarray(ideal, np.float64)
    span = float(np.ptp(ideal))
    error = float(np.mean((np.asarray(image, np.float64) - ideal) ** 2))
    if span == 0:
        return float("nan")
    return float("inf") if error == 0 else float(10 * np.log10(span**2 / error))


def ssim(image: NDArray[np.floating], ideal: NDArray[np.floating]) -> float:
    """Return the structural similarity of an image and its ideal, at most 1.

    Z. Wang et al., IEEE Trans. Image Process. 13 (2004) 600, doi:10.1109/TIP.2003.819861, with
    scikit-image's uniform window of 7 pixels, fewer in a smaller image, and the range of the ideal
    as data range. NaN where the ideal is constant. Raises ImageError for different shapes or an
    image of fewer than 3 pixels a side.
    """
    from skimage.metrics import structural_similarity

    _same_shape(image, ideal)
    ideal = np.asarray(ideal, np.float64)
    span = float(np.ptp(ideal))
    if span == 0:
        return float("nan")
    window = min(7, (min(ideal.shape) - 1) // 2 * 2 + 1)
    if window < 3:
        raise ImageError(f"shape {ideal.shape}: SSIM needs 3 × 3 pixels or more")
    image = np.asarray(image, np.float64)
    return float(structural_similarity(image, ideal, win_size=window, data_range=span))


def measure(examples: Sequence[Example], restore: Restore, batch_size: int) -> Figures:
    """Return the mean PSNR and SSIM of a network's results on examples of one size."""
    restored = results(examples, restore, batch_size)
    pairs = list(zip(restored, (one.wanted for one in examples), strict=True))
    return Figures(_mean([psnr(*pair) for pair in pairs]), _mean([ssim(*pair) for pair in pairs]))


def results(examples: Sequence[Example], restore: Restore, batch_size: int) -> list[Image]:
    """Return what a network makes of the examples, each (y, x) on the network's scale."""
    made: list[Image] = []
    for start in range(0, len(examples), batch_size):
        some = examples[start : start + batch_size]
        made.extend(restore(np.stack([one.given for one in some])[:, None])[:, 0])
    return made


def pictures(examples: Sequence[Example], restore: Restore, mask: bool = False) -> list[Picture]:
    """Return examples with what a network makes of them, in the unit of the samples.

    A mask has no unit and is left as it is.
    """
    restored = results(examples, restore, 1)
    return [_picture(one, image, mask) for one, image in zip(examples, restored, strict=True)]


def _picture(example: Example, restored: Image, mask: bool) -> Picture:
    scale = example.scale
    return Picture(
        scale.undo(example.given),
        restored if mask else scale.undo(restored),
        example.wanted if mask else scale.undo(example.wanted),
        example.pixel_size_angstrom,
        psnr(restored, example.wanted),
    )


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _same_shape(image: NDArray[np.floating], ideal: NDArray[np.floating]) -> None:
    if np.shape(image) != np.shape(ideal):
        raise ImageError(f"shapes {np.shape(image)} and {np.shape(ideal)} cannot be compared")
