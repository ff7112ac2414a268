"""What the user of a network should know about the image that was given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.networks.card import Card
from crewe.networks.inference import filled
from crewe.networks.likeness import features, unlike
from crewe.restoration.frames import Frame
from crewe.restoration.pixel_size import Resampling, choose_resampling

Image = NDArray[np.float32]

SMALLEST_WITH_FEATURES = 8


def resampling_for(pixel: float | None, card: Card) -> tuple[Resampling, list[str]]:
    """Choose how an image is brought to trained pixels, with what there is to say about it."""
    low, high = card.pixel_size_angstrom
    if pixel is None:
        return Resampling(), [
            f"the pixel size is not known: the network was trained on {low:g} to {high:g} Å and "
            "may do worse on others"
        ]
    resampling, warning = choose_resampling(pixel, (low, high))
    return resampling, [] if warning is None else [warning]


def said_of(frame: Frame, resampling: Resampling, card: Card) -> list[str]:
    """Say what is particular about a frame."""
    if frame.constant:
        return ["all pixels are equal: nothing was recorded, and nothing restored"]
    return unlike_training(frame.image, resampling, card)


def unlike_training(frame: Image, resampling: Resampling, card: Card) -> list[str]:
    """Say what makes a frame unlike the training inputs, as the network sees it."""
    finite = np.isfinite(frame)
    if not card.likeness or not finite.any() or min(frame.shape) < SMALLEST_WITH_FEATURES:
        return []
    seen: Any = frame
    if resampling != Resampling():
        seen = resampling.there(filled(np.where(finite, frame, np.float32(np.nan))))
        if min(seen.shape) < SMALLEST_WITH_FEATURES:
            return []
    return [
        f"unlike the images that the network was trained on: {reason}"
        for reason in unlike(features(seen), card.likeness)
    ]


def counted(said: list[list[str]]) -> list[str]:
    """Return warnings of the frames of a stack, each kind once with the number of frames."""
    if len(said) == 1:
        return said[0]
    kinds: dict[str, list[str]] = {}
    for warning in (one for frame in said for one in frame):
        kinds.setdefault(warning.split(" (")[0], []).append(warning)
    return [f"{ones[0]}, in {len(ones)} of {len(said)} frames" for ones in kinds.values()]
