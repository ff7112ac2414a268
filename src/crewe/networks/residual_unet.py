"""Residual U-Net, a restorer that looks far for few operations.

Encoder and decoder after O. Ronneberger, P. Fischer and T. Brox, MICCAI (2015) 234,
doi:10.1007/978-3-319-24574-4_28, of residual blocks after K. He et al., CVPR (2016) 770,
doi:10.1109/CVPR.2016.90; half the resolution and the sum with the input are those of the CGRDN
(`crewe.networks.cgrdn`).
"""

from typing import Self

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from crewe.errors import PlanError
from crewe.networks.cgrdn import mirror_to_multiple
from crewe.networks.initial_weights import initialise
from crewe.recipes import RecipePart


class ResidualUNetSize(RecipePart):
    """Sizes of a residual U-Net.

    `channels` at half the resolution, doubled at each of the `levels` below; `blocks` on the way
    down and again on the way up at each level; `entering` channels at full resolution.
    """

    channels: PositiveInt = 40
    levels: PositiveInt = 3
    blocks: PositiveInt = 2
    entering: PositiveInt = 16

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the sizes of a member of the family: `small` or `medium`.

        Raises PlanError for another name.
        """
        if name not in FAMILY:
            known = ", ".join(FAMILY)
            raise PlanError(f"There is no residual U-Net called {name!r}. Use one of {known}.")
        return cls(**FAMILY[name])


FAMILY: dict[str, dict[str, int]] = {
    "small": {},
    "medium": {"channels": 64, "levels": 4},
}


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with a ReLU between, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (batch, channels, y, x)."""
        return features + self.second(torch.relu(self.first(features)))


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(count)))


class ResidualUNet(nn.Module):
    """Restorer of single images: the input plus a learnt residual, (batch, 1, y, x) to the same.

    Levels are joined by 4×4 convolutions of stride 2, down and transposed up, and by addition
    across. Without normalisation layers the intensities of the features keep their meaning. Any
    height and width: the last row and column are repeated to a multiple of `multiple` inside, and
    the result is cropped. The untrained network is nearly the identity. Weights are drawn from
    `generator`; without it, from torch's own state.
    """

    def __init__(
        self, size: ResidualUNetSize | None = None, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.size = size or ResidualUNetSize()
        widths = [self.size.channels * 2**level for level in range(self.size.levels)]
        entering = self.size.entering
        self.multiple = 2**self.size.levels
        self.first = nn.Conv2d(1, entering, 3, padding=1)
        self.downs = nn.ModuleList(
            nn.Conv2d(fine, coarse, 4, stride=2, padding=1)
            for fine, coarse in zip([entering, *widths], widths, strict=False)
        )
        self.descents = nn.ModuleList(_blocks(width, self.size.blocks) for width in widths)
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(coarse, fine, 4, stride=2, padding=1)
            for fine, coarse in zip([entering, *widths], widths, strict=False)
        )
        self.rises = nn.ModuleList(_blocks(width, self.size.blocks) for width in widths[:-1])
        self.last = nn.Conv2d(entering, 1, 3, padding=1)
        # Sums of residuals start small, the last layer smaller still.
        initialise(self, generator, _factor)

    def forward(self, image: Tensor) -> Tensor:
        """Return the restored image, same shape and intensity scale as the input."""
        whole = mirror_to_multiple(image, self.multiple)
        features = torch.relu(self.first(whole))
        across = [features]
        for down, blocks in zip(self.downs, self.descents, strict=True):
            features = blocks(torch.relu(down(features)))
            across.append(features)
        features = across.pop()
        for level in reversed(range(len(self.ups))):
            features = across.pop() + torch.relu(self.ups[level](features))
            if level:
                features = self.rises[level - 1](features)
        restored = whole + self.last(features)
        return restored[..., : image.shape[-2], : image.shape[-1]]


def _factor(layer: str) -> float:
    return 1e-3 if layer == "last" else 0.1 if "second" in layer else 1.0
