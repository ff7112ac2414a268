"""The networks that crewe ships, and any other network with its card."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crewe.errors import PlanError, ReadError
from crewe.networks.card import Card, read_card
from crewe.networks.inference import OnnxNetwork, run
from crewe.networks.tiles import Progress, TilePlan

FOLDER = Path(__file__).parent / "shipped"
SUFFIX = ".onnx"
SMALLEST_PX = 32
TILE_PX = 1024
"""Side of the pieces in which images are run: 0.7 GB of memory; smaller ones overlap more."""


@dataclass(frozen=True)
class TrainedNetwork:
    """A network ready to run, with its card."""

    card: Card
    contents: bytes
    """The ONNX file."""
    path: Path | None = None
    """Where it was read."""
    threads: int | None = None
    providers: Sequence[str] | None = None

    @cached_property
    def network(self) -> OnnxNetwork:
        """The network itself, opened when it is first needed."""
        name = None if self.path is None else str(self.path)
        return OnnxNetwork(self.contents, self.threads, self.providers, name)

    def run(
        self,
        image: ArrayLike,
        tile_px: int = TILE_PX,
        batch: int = 1,
        progress: Progress | None = None,
    ) -> NDArray[np.float32]:
        """Return what the network makes of an image (y, x) or a stack (frame, y, x).

        Intensities come in the unit of the image, for restorations with the mean of each frame;
        masks lie between 0 and 1. NaN stays NaN. See `crewe.networks.inference.run` for tiles,
        progress and errors.
        """
        card = self.card
        plan = TilePlan(
            radius_px=card.radius_px, multiple_px=card.multiple_px, smallest_px=SMALLEST_PX
        )
        return run(
            self.network,
            image,
            tile_px,
            batch,
            progress,
            keep_mean=card.task == "restoration",
            plan=plan,
            mask=card.output == "mask",
        )


def shipped_networks() -> tuple[str, ...]:
    """Return the names of the networks that come with crewe."""
    return tuple(sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}")))


def path_of_network(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the ONNX file of a shipped network or of a path. Raises PlanError for neither."""
    text = os.fspath(name_or_path)
    if Path(text).suffix == SUFFIX:
        return Path(text)
    if text in shipped_networks():
        return FOLDER / f"{text}{SUFFIX}"
    known = ", ".join(shipped_networks()) or "none"
    raise PlanError(
        f"there is no network {text!r}: choose one of {known}, or give the path of an ONNX file"
    )


def card_of(name_or_path: str | os.PathLike[str]) -> Card:
    """Return the card of a shipped network or of an ONNX file. Raises PlanError, ReadError."""
    return read_card(path_of_network(name_or_path).with_suffix(".yaml"))


def open_network(
    name_or_path: str | os.PathLike[str],
    threads: int | None = None,
    providers: Sequence[str] | None = None,
) -> TrainedNetwork:
    """Open a shipped network by its name, or an ONNX file with its card beside it.

    `threads` limits the CPU threads, by default all. Raises PlanError for an unknown name and
    ReadError for a file that is missing or not the one that its card describes.
    """
    path = path_of_network(name_or_path)
    card = read_card(path.with_suffix(".yaml"))
    try:
        contents = path.read_bytes()
    except OSError as error:
        raise ReadError(f"cannot read the network {path}: {error.strerror or error}") from error
    found = hashlib.sha256(contents).hexdigest()
    if found != card.sha256:
        raise ReadError(
            f"{path} is not the file that its card describes, it may be damaged: its SHA-256 is "
            f"{found[:12]}…, the card says {card.sha256[:12]}…; install or export it again"
        )
    return TrainedNetwork(card, contents, path, threads, providers)
