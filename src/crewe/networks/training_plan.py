"""What decides a training run: a plan in YAML, strict about unknown keys.

The defaults are those of I. Lobato, T. Friedrich and S. Van Aert, npj Comput. Mater. 10 (2024) 10,
doi:10.1038/s41524-023-01188-0. This file needs no torch.
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from crewe.errors import RecipeError
from crewe.recipes import Lines, RecipePart, Shelf
from crewe.training_sets.recipe import load_recipe
from crewe.training_sets.sample import SampleMaker
from crewe.training_sets.stored_samples import StoredSamples

SHELF = Shelf("training plan", Path(__file__).parent / "plans")
EPOCH_STEPS = 625_000
"""Of the paper: 2.5 million examples in mini-batches of four."""
INPUTS = {"cgrdn": "degraded", "residual_unet": "degraded", "unet": "image"}
MASKS = ("circular_mask", "small_circular_mask", "gaussian_mask")


class RecipeOfSamples(RecipePart):
    """Which training-set recipe makes the samples."""

    name: str
    """A shipped recipe or a YAML file."""
    changes: dict[str, Any] = {}
    """Top-level keys of the recipe to replace, such as `size_px`."""
    stored: str | None = None
    """A finished training set of this recipe to learn from, over and over, instead of new samples;
    the validation examples are made in any case."""


class NetworkChoice(RecipePart):
    """Which network is trained, and on which array of the samples."""

    kind: Literal["cgrdn", "residual_unet", "unet"] = "cgrdn"
    size: str = "paper"
    """Name of a member of the family."""
    target: str = "ideal"
    """Array of the samples that the network shall give."""
    start_from: str | None = None
    """Weights to begin with: a shipped network, an ONNX file, a checkpoint or a run."""


class LossWeights(RecipePart):
    """How much each term counts (equations 13 and 14); a term of weight 0 is not computed."""

    l1: float = Field(0.0, ge=0)
    l2: float = Field(0.0, ge=0)
    log_error: float = Field(0.0, ge=0)
    """Logarithm of the squared error of each image, not in the papers; PSNR but for constants."""
    whitening: float = Field(0.0, ge=0)
    """Multi-local whitening transform, equation 8."""
    fourier: float = Field(0.0, ge=0)
    """Fourier space with γ = 0.125, equation 9."""
    mean: float = Field(0.0, ge=0)
    std: float = Field(0.0, ge=0)
    chi_square: float = Field(0.0, ge=0)
    """Modified chi-square of R. Lin et al., Sci. Rep. 11 (2021) 5386, for atom maps."""
    adversarial: float = Field(0.0, ge=0)
    """Relativistic average, equation 12; only in an adversarial stage."""

    @model_validator(mode="after")
    def _something_is_learned(self) -> Self:
        if not any(weight for name, weight in self if name != "adversarial"):
            raise ValueError("no loss has a weight above 0: nothing would be learned")
        return self


PIXEL_WISE = {
    "l1": 2.0,
    "l2": 1.0,
    "whitening": 0.25,
    "fourier": 0.10,
    "mean": 1.0,
    "std": 0.5,
}


class Stage(RecipePart):
    """One part of the training with its losses and learning rates."""

    losses: LossWeights
    learning_rate: float = Field(gt=0, le=1)
    steps: int = Field(gt=0)
    warm_up_steps: int = Field(0, ge=0)
    """The rates grow linearly from zero for so long, counted from the start of the stage."""
    halve_every_steps: int = Field(0, ge=0)
    """The rates are halved after each so many steps of the stage; 0 never."""
    cosine: bool = False
    """The rates fall to zero along half a cosine, from the end of the warm-up to the last step."""
    adversarial: bool = False
    discriminator_learning_rate: float = Field(1e-4, gt=0, le=1)

    @model_validator(mode="after")
    def _adversary_counts(self) -> Self:
        if self.adversarial != (self.losses.adversarial > 0):
            raise ValueError(
                f"adversarial is {str(self.adversarial).lower()} but its weight in losses is "
                f"{self.losses.adversarial:g}: an adversarial stage needs one above 0, no other"
            )
        return self

    def rate_factor(self, step: int) -> float:
        """Return what the rates are multiplied with at a step of the stage, from 0."""
        warm = min(1.0, (step + 1) / self.warm_up_steps) if self.warm_up_steps else 1.0
        halvings = step // self.halve_every_steps if self.halve_every_steps else 0
        return float(warm * 0.5**halvings * (self._fall(step) if self.cosine else 1.0))

    def _fall(self, step: int) -> float:
        after = max(step - self.warm_up_steps, 0) / max(self.steps - self.warm_up_steps, 1)
        return 0.5 + 0.5 * math.cos(math.pi * min(after, 1.0))


def _paper_stages() -> tuple[Stage, ...]:
    """Return the three stages of the paper, 2, 2 and 3 epochs."""
    return (
        Stage(
            losses=LossWeights(l1=1.0),
            learning_rate=5e-5,
            steps=2 * EPOCH_STEPS,
            warm_up_steps=65_000,
        ),
        Stage(losses=LossWeights(**PIXEL_WISE), learning_rate=2.5e-5, steps=2 * EPOCH_STEPS),
        Stage(
            losses=LossWeights(**PIXEL_WISE, adversarial=2e-5),
            learning_rate=1.25e-5,
            steps=3 * EPOCH_STEPS,
            halve_every_steps=EPOCH_STEPS,
            adversarial=True,
        ),
    )


class ValidationChoice(RecipePart):
    """On what and how often the network is measured."""

    seed: int = Field(1_000_003, ge=0)
    count: int = Field(64, gt=0)
    every_steps: int = Field(5000, gt=0)
    patience: int = Field(10, gt=0)
    """It has stopped learning when so many measurements in a row brought nothing."""
    pictures: int = Field(6, ge=0)
    """How many of the examples are drawn."""


class TrainingPlan(RecipePart):
    """All that decides a training run."""

    name: str
    description: str = ""
    recipe: RecipeOfSamples
    network: NetworkChoice = NetworkChoice()
    stages: tuple[Stage, ...] = Field(default_factory=_paper_stages, min_length=1)
    batch_size: int = Field(4, gt=0)
    gradient_clip: float = Field(1.0, gt=0)
    """Each component of the gradient is cut to ± this."""
    gradient_norm: float | None = Field(None, gt=0)
    """A longer gradient is shortened to this: images of hardly any contrast give long ones."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Of Adam, as is epsilon."""
    epsilon: float = Field(1e-7, gt=0)
    seed: int = Field(0, ge=0)
    """Of the weights before training and of the samples."""
    validation: ValidationChoice = ValidationChoice()
    log_every_steps: int = Field(100, gt=0)
    checkpoint_every_steps: int = Field(1000, gt=0)
    workers: int = Field(0, ge=0)
    """Local processes that make samples ahead; 0: this process makes them."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    mixed_precision: bool = True
    """bfloat16 in the networks' layers, on GPUs and processors that have instructions for it."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas {list(self.betas)}: both lie from 0 to below 1")
        if self.seed == self.validation.seed:
            raise ValueError(f"seed {self.seed} is that of the validation set: choose another")
        return self

    @property
    def steps(self) -> int:
        """Steps of all stages together."""
        return sum(stage.steps for stage in self.stages)

    def place(self, step: int) -> tuple[int, int]:
        """Return the number of the stage, from 0, to which a step belongs, and its step there."""
        for number, stage in enumerate(self.stages):
            if step < stage.steps:
                return number, step
            step -= stage.steps
        return len(self.stages) - 1, self.stages[-1].steps + step


def load_plan(name_or_path: str | os.PathLike[str]) -> TrainingPlan:
    """Read a shipped plan by its name, or a YAML file.

    A plan with the key `based_on` takes from that one the top-level keys that it lacks. A recipe
    that is a file is looked for in the folder of the plan. Raises RecipeError that names the file
    and line of every mistake.
    """
    return SHELF.read(name_or_path, _plan)[2]


Read = tuple[dict[str, Any], Lines, TrainingPlan]


def _plan(settings: dict[str, Any], lines: Lines, below: Read | None) -> Read:
    own = {key: value for key, value in settings.items() if key != "based_on"}
    if below is not None:
        taken = {key: value for key, value in below[0].items() if key not in own}
        own, lines = {**below[0], **own}, lines.with_others(taken, below[1])
    own = _with_files_found(own, lines)
    return own, lines, TrainingPlan.read(own, lines)


FILES_OF_PLAN = (("recipe", "name"), ("recipe", "stored"), ("network", "start_from"))


def _with_files_found(settings: dict[str, Any], lines: Lines) -> dict[str, Any]:
    """Replace names of files that stand beside the plan by their absolute paths.

    All else is left for those to judge who use it.
    """
    for part, key in FILES_OF_PLAN:
        inside, folder = settings.get(part), lines.inside(part).folder
        if not isinstance(inside, dict) or folder is None or not isinstance(inside.get(key), str):
            continue
        beside = folder / inside[key]
        if is_path(inside[key]) and beside.exists():
            settings = {**settings, part: {**inside, key: str(beside.absolute())}}
    return settings


def is_path(name: str) -> bool:
    """Whether a word means a file or folder and no name of something that is shipped."""
    return Path(name).suffix != "" or len(Path(name).parts) > 1


def maker_of_plan(plan: TrainingPlan) -> SampleMaker:
    """Return what makes the samples of a plan. Raises RecipeError when they do not fit it."""
    maker = load_recipe(plan.recipe.name, dict(plan.recipe.changes))
    check_target(plan, maker)
    if plan.recipe.stored is None:
        return maker
    stored = StoredSamples(path=plan.recipe.stored)
    if stored.original.text != maker.text:
        raise RecipeError(
            f"{plan.name}: {plan.recipe.stored} was made by another recipe than {maker.name} with "
            "the changes of this plan: make a new set, or give its recipe.yaml as the recipe"
        )
    if stored.seed == plan.validation.seed:
        raise RecipeError(
            f"{plan.name}: {plan.recipe.stored} has the seed of the validation examples, "
            f"{stored.seed}: make the set with another"
        )
    return stored


def check_target(plan: TrainingPlan, maker: SampleMaker) -> None:
    """Raise RecipeError when the samples lack what the network is given or shall give."""
    shapes = {layout.name: layout.shape for layout in maker.layout()}
    given, wanted = INPUTS[plan.network.kind], plan.network.target
    if given not in shapes:
        raise RecipeError(
            f"{plan.name}: a {plan.network.kind} is given the array {given!r}, which recipe "
            f"{maker.name} has not: cgrdn goes with restoration recipes, unet with atom maps"
        )
    if shapes.get(wanted) != shapes[given]:
        fitting = [name for name, shape in shapes.items() if shape == shapes[given]]
        raise RecipeError(
            f"{plan.name}: the target {wanted!r} is no array of recipe {maker.name} with as many "
            f"pixels as {given!r}: give one of {', '.join(fitting[1:])}"
        )
