"""The terms of a loss by the names that a plan gives them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from crewe.networks import losses
from crewe.networks.training_plan import LossWeights

Term = Callable[[Tensor, Tensor], Tensor]
"""From the restored and the wanted images, (batch, 1, y, x), to one number."""

TERMS: dict[str, Term] = {
    "l1": losses.l1,
    "l2": losses.l2,
    "log_error": losses.log_error,
    "whitening": losses.multi_local_whitening,
    "fourier": losses.fourier,
    "mean": losses.mean_difference,
    "std": losses.deviation_difference,
    "chi_square": losses.modified_chi_square,
}


def pixel_wise_terms(weights: LossWeights, restored: Tensor, wanted: Tensor) -> dict[str, Tensor]:
    """Return each term of equation 14 that has a weight, without it."""
    return {name: term(restored, wanted) for name, term in TERMS.items() if getattr(weights, name)}


def adversarial_terms(real: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss of the generator and of the discriminator, equations 12 and 15.

    From what the discriminator says of ideal and of restored images, before any sigmoid.
    """
    return losses.adversarial(real, made), losses.discrimination(real, made)
