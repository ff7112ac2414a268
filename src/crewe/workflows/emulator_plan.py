"""The typed request for an emulator: which pairs, which polynomial, how it is tested."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt, ValidationError

from crewe.errors import CalibrationError, PlanError, ReadError
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.plan import SMOOTHED_KINDS, EmulatorPlan
from crewe.workflows.plan import PlanPart
from crewe.workflows.simulation_optics import check_keys, optics_from, ring_from
from crewe.workflows.yaml_mapping import LARGEST_SETTINGS_BYTES, read_mapping

GRID_SIZE, GRID_DEGREE, SMOOTHED_DEGREE = 5, 2, 3
LARGEST_SIZE, LARGEST_DEGREE = 99, 12
LARGEST_TERMS = 400
# The fit holds a few matrices of this many rows and columns, 0.8 GB each.
MOST_TERMS = 10_000


class EmulatorFitPlan(PlanPart):
    """From pairs of images to an emulator and how good it is."""

    pairs: Path
    """npz file or zarr folder of pairs."""
    output: Path | None = None
    """File to write, in .emulator; without it the emulator is tested only."""
    report: Path | None = None
    """Folder of a report."""
    features: Literal["neighbourhood", "smoothed"] = "neighbourhood"
    """Pixels of a square grid, or rotation-invariant smoothed ones."""
    size: int | None = Field(default=None, ge=1, le=LARGEST_SIZE)
    """Side of the grid in pixels, odd; nothing takes 5."""
    degree: int | None = Field(default=None, ge=1, le=LARGEST_DEGREE)
    """Highest power; nothing takes 2 with a grid and 3 with smoothed features."""
    log: bool = True
    """Whether the logarithm of the pixel is a feature of the grid."""
    interactions: bool = True
    """Whether products of different features are terms."""
    kinds: tuple[str, ...] | None = None
    """Smoothed features by name and scale; nothing takes the usual eleven."""
    ridge: NonNegativeFloat = Field(default=EmulatorPlan().ridge)
    """Penalty on the coefficients of standardised terms."""
    register_images: bool = True
    """Whether a shift between the images of the pairs is fitted."""
    by: Literal["image", "block", "pixel"] = "image"
    """What is left out of a fit and predicted: images, blocks of 7 × 7 pixels, or pixels."""
    folds: int = Field(default=2, ge=2)
    """Parts that the pairs are divided into."""
    repeats: PositiveInt = 2
    """How often they are divided anew."""
    seed: NonNegativeInt = 0
    """Seed of the division."""
    convolution: Path | None = None
    """YAML file that says how the convolution images were made; nothing takes the pairs' own."""
    elements: tuple[str, ...] = ()
    """Elements of the training specimens, where the pairs hold no atoms."""
    fit_probe: bool = False
    """Whether exponent and probe of the convolution image are fitted."""
    select: bool = False
    """Whether sizes and degrees are tried and the smallest that is as good as the best is taken."""
    largest_terms: int = Field(default=LARGEST_TERMS, ge=2, le=MOST_TERMS)
    """Terms of the largest polynomial that is tried."""
    scan: Path | None = None
    """File that keeps what was tried, so that it goes on where it was stopped."""
    leave_out: bool = False
    """Whether it is measured how the error falls with the number of training images."""

    def emulator_plan(self) -> EmulatorPlan:
        """Return features and terms; PlanError for what cannot be, or does not go together."""
        smoothed = self.features == "smoothed"
        if smoothed and self.size is not None:
            raise PlanError("a size belongs to a grid: leave it out with smoothed features")
        if self.kinds and not smoothed:
            raise PlanError("kinds are of smoothed features: add --features smoothed")
        try:
            plan = EmulatorPlan(
                features=self.features,
                size=self.size or GRID_SIZE,
                log=self.log,
                degree=self.degree or (SMOOTHED_DEGREE if smoothed else GRID_DEGREE),
                interactions=self.interactions,
                kinds=self.kinds or SMOOTHED_KINDS,
                ridge=self.ridge,
                register=self.register_images,
            )
        except CalibrationError as error:
            raise PlanError(str(error)) from error
        if plan.terms().count > MOST_TERMS:
            raise PlanError(
                f"{plan.terms().count:,} terms are too many to fit, at most {MOST_TERMS:,} can be: "
                "take a smaller size or degree, or fewer kinds"
            )
        return plan

    def checked(self) -> Self:
        """Return the plan itself; PlanError where its parts contradict each other."""
        self.emulator_plan()
        self.atomic_numbers()
        if self.select and (self.size is not None or self.degree is not None):
            raise PlanError("--select tries sizes and degrees itself: give none")
        if self.scan is not None and not self.select:
            raise PlanError("a file of what was tried needs --select")
        if self.output is not None and self.output == self.pairs:
            raise PlanError(f"{self.output} holds the pairs: give the emulator another name")
        return self

    def atomic_numbers(self) -> list[int]:
        """Return the atomic numbers of `elements`; PlanError for what is no element."""
        from ase.data import atomic_numbers

        unknown = [symbol for symbol in self.elements if symbol not in atomic_numbers]
        if unknown:
            raise PlanError(f"{', '.join(unknown)}: no chemical symbol; write Pt, Mo and so on")
        return sorted({int(atomic_numbers[symbol]) for symbol in self.elements})

    def settings(self) -> dict[str, Any]:
        """Return what decides the numbers, for the emulator's own notes."""
        where = {"pairs", "output", "report", "convolution", "scan"}
        return {**self.model_dump(mode="json", exclude=where), "pairs": self.pairs.name}


def emulator_fit_plan(settings: dict[str, Any]) -> EmulatorFitPlan:
    """Make a plan of settings. Raises PlanError that names every wrong one."""
    try:
        return EmulatorFitPlan.model_validate(settings).checked()
    except ValidationError as error:
        said = [
            f"{'.'.join(str(step) for step in one['loc'][:1])} = {one['input']!r}: {one['msg']}"
            for one in error.errors()
        ]
        raise PlanError(
            f"no emulator can be fitted so: {'; '.join(dict.fromkeys(said))}"
        ) from error


def read_convolution(path: Path) -> Convolution:
    """Read how convolution images were made from YAML: the keys of `Convolution`, units in them.

    Raises PlanError for a file that is missing, is not YAML or says something else.
    """
    expected = "how convolution images are made, such as pixel_size_angstrom"
    values = read_mapping(path, expected, LARGEST_SETTINGS_BYTES)
    check_keys(values, [field.name for field in fields(Convolution)], str(path))
    if "pixel_size_angstrom" not in values:
        raise PlanError(f"{path} describes no convolution image: it has no pixel_size_angstrom")
    if values.get("optics") is not None:
        values["optics"] = optics_from(values["optics"], f"{path}: optics")
    if values.get("detector") is not None:
        values["detector"] = ring_from(values["detector"], f"{path}: detector")
    try:
        return Convolution(**values)
    except (CalibrationError, TypeError) as error:
        raise PlanError(f"{path}: {error}") from error


def told_convolution(about: dict[str, Any], path: Path) -> Convolution | None:
    """How the convolution images of pairs in a file were made, as their `about` says.

    None where it does not; raises ReadError for a description that is none.
    """
    told = about.get("convolution")
    if told is None:
        return None
    try:
        return Convolution.from_dict(told)
    except (CalibrationError, TypeError, ValueError) as error:
        raise ReadError(f"{path}: its 'convolution' makes no sense ({error})") from error
