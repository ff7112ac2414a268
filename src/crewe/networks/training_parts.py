"""What a plan's words stand for: networks, device, and a trained network read again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from crewe.errors import PlanError
from crewe.networks.checkpoints import read_checkpoint
from crewe.networks.training_plan import MASKS, TrainingPlan
from crewe.recipes import parse_yaml

UNET_CHANNELS = {"small": 16, "medium": 32, "paper": 64}


@dataclass(frozen=True)
class Networks:
    """What is trained; the discriminator only where a stage needs it."""

    generator: nn.Module
    discriminator: nn.Module | None = None
    """Given an image and, as second channel, its ideal or what the generator made of it."""


Build = Callable[[TrainingPlan], Networks]


def build_networks(plan: TrainingPlan) -> Networks:
    """Build the networks of a plan, their weights drawn from the plan's seed.

    Raises PlanError for a size that the family has not.
    """
    rng = torch.Generator().manual_seed(plan.seed)
    generator = _generator(plan, rng)
    if not any(stage.adversarial for stage in plan.stages):
        return Networks(generator)
    from crewe.networks.discriminator import PatchDiscriminator

    # Conditional: it sees the given image beside the one that may be the ideal.
    return Networks(generator, PatchDiscriminator(images=2, generator=rng))


def _generator(plan: TrainingPlan, rng: torch.Generator) -> nn.Module:
    choice = plan.network
    if choice.kind == "cgrdn":
        from crewe.networks.cgrdn import CGRDN, CGRDNSize

        return CGRDN(CGRDNSize.named(choice.size), rng)
    if choice.kind == "residual_unet":
        from crewe.networks.residual_unet import ResidualUNet, ResidualUNetSize

        return ResidualUNet(ResidualUNetSize.named(choice.size), rng)
    from crewe.networks.unet import UNet, UNetSize

    if choice.size not in UNET_CHANNELS:
        known = ", ".join(UNET_CHANNELS)
        raise PlanError(f"there is no unet called {choice.size!r}: use one of {known}")
    head = "sigmoid" if choice.target in MASKS else "linear"
    return UNet(UNetSize(channels=UNET_CHANNELS[choice.size], head=head), rng)


def device_of(plan: TrainingPlan) -> torch.device:
    """Return the device of a plan. Raises PlanError when it wants a GPU and there is none."""
    there = torch.cuda.is_available()
    if plan.device == "cuda" and not there:
        raise PlanError(
            f"{plan.name}: device is cuda and torch finds no GPU: write device: auto or cpu"
        )
    return torch.device("cuda" if there and plan.device != "cpu" else "cpu")


def trained_network(path: Path, build: Build = build_networks) -> tuple[TrainingPlan, nn.Module]:
    """Return the plan and the network of a checkpoint or of best.pt, on the CPU, for evaluation.

    Raises ReadError.
    """
    contents = read_checkpoint(path)
    plan = TrainingPlan.read(*parse_yaml(contents["plan"], str(path)))
    generator = build(plan).generator
    generator.load_state_dict(contents["generator"])
    return plan, generator.eval()
