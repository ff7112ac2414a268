"""The card of a network: what it is for, how it was trained, how good it is, where it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from crewe.errors import ReadError, RecipeError
from crewe.io.atomic import atomic_path
from crewe.recipes import RecipePart, parse_yaml, to_yaml


class TrainingFacts(RecipePart):
    """How a network was trained."""

    plan: str
    """Name of the plan, which is shipped or stands beside the network."""
    steps: int
    samples: int
    """Images that it was shown, repetitions included."""
    stored_samples: int | None = None
    """How many different ones, mirrored at repetition; none when each was made anew."""
    started_from: str = ""
    """Whose weights it began with, and what went into those; empty for a start from scratch."""
    hours: float
    device: str


class ValidationFigures(RecipePart):
    """Means over examples that training never saw."""

    seed: int
    count: int
    input_psnr_db: float | None = None
    """Of the image as given; none for masks, which are no image of it."""
    blank_psnr_db: float | None = None
    """For masks, of a map that is everywhere its mean: what can be had without looking."""
    psnr_db: float
    ssim: float


class Card(RecipePart):
    """What is known of a trained network, in a YAML file beside its ONNX file."""

    name: str
    task: Literal["restoration", "atom map"]
    target: str
    """Array of the training samples that it gives."""
    output: Literal["intensity", "mask"]
    description: str
    recipe: str
    """Of the training samples."""
    pixel_size_angstrom: tuple[float, float]
    """Smallest and largest of the training samples."""
    radius_px: int = Field(ge=0, le=384)
    """How far it looks: pixels further away hardly change a result."""
    multiple_px: Literal[1, 2, 4, 8, 16, 32] = 1
    """Sides of its input are multiples of this."""
    parameters: int
    training: TrainingFacts
    validation: ValidationFigures
    likeness: dict[str, tuple[float, float]] = {}
    """Ranges in which 99 % of the training inputs lie, of `crewe.networks.likeness.features`."""
    fails: tuple[str, ...] = ()
    """Where it fails, as far as is known."""
    sha256: str
    """Of the ONNX file."""


def read_card(path: Path) -> Card:
    """Read a card. Raises ReadError when it is missing or no card."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(
            f"{path} cannot be read, and a network needs its card beside it: "
            "'crewe networks export' writes both"
        ) from error
    try:
        return Card.read(*parse_yaml(text, str(path)))
    except RecipeError as error:
        raise ReadError(f"{path} is no card of a network: {error}") from error


def write_card(card: Card, path: Path, overwrite: bool = False) -> None:
    """Write a card. Raises WriteError."""
    with atomic_path(path, overwrite) as temporary:
        temporary.write_text(to_yaml(card), encoding="utf-8")
