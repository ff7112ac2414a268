"""Weights before training."""

from collections.abc import Callable

import torch
from torch import nn


def initialise(
    network: nn.Module, generator: torch.Generator | None, factor: Callable[[str], float]
) -> None:
    """Draw all kernels by He's rule for ReLU, times a factor by the layer's name; biases are zero.

    K. He et al., ICCV (2015) 1026, doi:10.1109/ICCV.2015.123. A factor below 1 is for layers whose
    result is added to something else.
    """
    for name, module in network.named_modules():
        if not isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            continue
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
        with torch.no_grad():
            module.weight *= factor(name)
