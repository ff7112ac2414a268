"""Everything that changes in a training run, and one step of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crewe.errors import CreweError
from crewe.networks.loss_terms import adversarial_terms, pixel_wise_terms
from crewe.networks.training_parts import Networks
from crewe.networks.training_plan import Stage, TrainingPlan

Image = NDArray[np.float32]


@dataclass
class Learned:
    """The best validation so far, and how many measurements have not reached it."""

    best_psnr_db: float = -math.inf
    best_step: int = 0
    in_vain: int = 0

    def hear(self, psnr_db: float, step: int) -> bool:
        """Take note of a measurement; return whether it is the best so far."""
        if not psnr_db > self.best_psnr_db:
            self.in_vain += 1
            return False
        self.best_psnr_db, self.best_step, self.in_vain = psnr_db, step, 0
        return True


@dataclass
class TrainingState:
    """Networks, optimisers and the number of steps taken."""

    plan: TrainingPlan
    networks: Networks
    device: torch.device
    step: int = 0
    learned: Learned = field(default_factory=Learned)

    def __post_init__(self) -> None:
        self._adam = self._optimiser(self.networks.generator)
        adversary = self.networks.discriminator
        self._adversary_adam = None if adversary is None else self._optimiser(adversary)

    def _optimiser(self, network: nn.Module) -> torch.optim.Adam:
        # Channels last: half as long a step on processors with bfloat16, no slower elsewhere.
        # torch's stubs lack this overload.
        channels_last: dict[str, Any] = {"memory_format": torch.channels_last}
        network.to(self.device, **channels_last)
        betas, epsilon = self.plan.betas, self.plan.epsilon
        return torch.optim.Adam(network.parameters(), lr=1.0, betas=betas, eps=epsilon)

    def advance(self, given: Image, wanted: Image) -> dict[str, float]:
        """Take one step on a batch (batch, 1, y, x) and return the terms of its loss.

        The terms are without their weights, `total` is with them. In an adversarial stage the
        discriminator takes its step first. Raises CreweError, with the networks as they were
        before the generator's step, when loss or gradient is not finite.
        """
        number, within = self.plan.place(self.step)
        stage = self.plan.stages[number]
        x, y = (torch.from_numpy(array).to(self.device) for array in (given, wanted))
        self.networks.generator.train()
        with self._mixed():
            restored = self.networks.generator(x)
        restored = restored.float()
        factor = stage.rate_factor(within)
        said = self._step_of_discriminator(stage, factor, x, y, restored)
        terms = pixel_wise_terms(stage.losses, restored, y)
        if stage.adversarial:
            terms["adversarial"] = self._adversarial(x, y, restored)[0]
        weights = dict(stage.losses)
        total = torch.stack([weights[name] * value for name, value in terms.items()]).sum()
        self._descend(self._adam, total, stage.learning_rate * factor)
        self.step += 1
        return {**_numbers({"total": total, **terms}), **said}

    def _step_of_discriminator(
        self, stage: Stage, factor: float, x: Tensor, y: Tensor, restored: Tensor
    ) -> dict[str, float]:
        if not stage.adversarial or self._adversary_adam is None:
            return {}
        loss = self._adversarial(x, y, restored.detach())[1]
        self._descend(self._adversary_adam, loss, stage.discriminator_learning_rate * factor)
        return _numbers({"discriminator": loss})

    def _adversarial(self, x: Tensor, y: Tensor, restored: Tensor) -> tuple[Tensor, Tensor]:
        adversary = self.networks.discriminator
        assert adversary is not None
        adversary.train()
        with self._mixed():
            real, made = (adversary(torch.cat([x, shown], dim=1)) for shown in (y, restored))
        return adversarial_terms(real.float(), made.float())

    def _descend(self, adam: torch.optim.Adam, loss: Tensor, rate: float) -> None:
        self._clear()
        loss.backward()
        (group,) = adam.param_groups
        gradients = [one.grad for one in group["params"] if one.grad is not None]
        size = torch.nn.utils.get_total_norm(gradients)
        found = loss.detach()
        if not bool(torch.isfinite(found + size)):
            raise CreweError(
                f"the loss of step {self.step + 1} is {float(found):g}, its gradient "
                f"{float(size):g}: the training has broken down. Lower the learning rate or "
                "lengthen the warm-up of this stage; the last checkpoint is from before"
            )
        if self.plan.gradient_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(group["params"], self.plan.gradient_norm, size)
        torch.nn.utils.clip_grad_value_(group["params"], self.plan.gradient_clip)
        group["lr"] = rate
        adam.step()

    def _clear(self) -> None:
        """Forget all gradients: the generator's step leaves some in the discriminator."""
        for adam in (self._adam, self._adversary_adam):
            if adam is not None:
                adam.zero_grad(set_to_none=True)

    def _mixed(self) -> torch.autocast:
        wanted = self.plan.mixed_precision and _multiplies_bfloat16(self.device)
        return torch.autocast(self.device.type, torch.bfloat16, enabled=wanted)

    def restore(self, given: Image) -> Image:
        """Return what the generator makes of a batch (batch, 1, y, x), without learning."""
        generator = self.networks.generator.eval()
        # In float32, as the network is shipped.
        with torch.inference_mode():
            made = generator(torch.from_numpy(given).to(self.device))
        return np.asarray(made.float().cpu().numpy(), np.float32)

    def contents(self) -> dict[str, Any]:
        """Return all that a run needs to go on with, for a checkpoint."""
        adversary, adam = self.networks.discriminator, self._adversary_adam
        return {
            "step": self.step,
            "learned": dict(vars(self.learned)),
            "random": torch.get_rng_state(),
            "generator": self.networks.generator.state_dict(),
            "adam": self._adam.state_dict(),
            "discriminator": None if adversary is None else adversary.state_dict(),
            "discriminator_adam": None if adam is None else adam.state_dict(),
        }

    def go_on(self, contents: Mapping[str, Any]) -> None:
        """Take up what `contents` returned; a discriminator that it lacks stays as built."""
        self.step = contents["step"]
        self.learned = Learned(**contents["learned"])
        torch.set_rng_state(contents["random"])
        self.networks.generator.load_state_dict(contents["generator"])
        self._adam.load_state_dict(contents["adam"])
        if self.networks.discriminator is not None and contents["discriminator"] is not None:
            self.networks.discriminator.load_state_dict(contents["discriminator"])
            assert self._adversary_adam is not None
            self._adversary_adam.load_state_dict(contents["discriminator_adam"])


def _multiplies_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for it: emulated it is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def _numbers(terms: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float(value.detach()) for name, value in terms.items()}
