"""Concatenated grouped residual dense network, which restores a distorted image.

I. Lobato, T. Friedrich, S. Van Aert, npj Comput. Mater. 10, 10 (2024),
doi:10.1038/s41524-023-01188-0, Fig. 8 and the section "Generator architecture".
"""

from typing import Self

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from crewe.errors import PlanError
from crewe.networks.initial_weights import initialise
from crewe.recipes import RecipePart


class CGRDNSize(RecipePart):
    """Sizes of a CGRDN; the defaults are the paper's.

    `channels` between blocks, `growth` channels added by each convolution of a dense block,
    `convolutions` (each with its ReLU) per dense block, `dense_blocks` per group, `groups`.
    """

    channels: PositiveInt = 64
    growth: PositiveInt = 32
    convolutions: PositiveInt = 8
    dense_blocks: PositiveInt = 4
    groups: PositiveInt = 4

    @classmethod
    def named(cls, name: str) -> Self:
        """Return the sizes of a member of the family: `small`, `medium` or `paper`.

        Raises PlanError for another name.
        """
        if name not in FAMILY:
            known = ", ".join(FAMILY)
            raise PlanError(f"There is no CGRDN called {name!r}. Use one of {known}.")
        return cls(**FAMILY[name])


FAMILY = {
    "small": {"channels": 32, "growth": 16, "convolutions": 4, "dense_blocks": 3, "groups": 3},
    "medium": {"channels": 48, "growth": 24, "convolutions": 6, "dense_blocks": 3, "groups": 3},
    "paper": {},
}


class DenseBlock(nn.Module):
    """Convolutions that each see all features before them, fused by 1×1, plus a local residual."""

    def __init__(self, size: CGRDNSize) -> None:
        super().__init__()
        widths = [size.channels + step * size.growth for step in range(size.convolutions + 1)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(width, size.growth, 3, padding=1) for width in widths[:-1]
        )
        self.fusion = nn.Conv2d(widths[-1], size.channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (batch, channels, y, x)."""
        dense = features
        for convolution in self.convolutions:
            dense = torch.cat([dense, torch.relu(convolution(dense))], dim=1)
        return features + self.fusion(dense)


class Cascade(nn.Module):
    """Blocks one after the other, all their outputs concatenated, fused by 1×1, plus a residual."""

    def __init__(self, blocks: list[nn.Module], channels: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.fusion = nn.Conv2d(len(blocks) * channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same shape, (batch, channels, y, x)."""
        outputs = [features]
        for block in self.blocks:
            outputs.append(block(outputs[-1]))
        return features + self.fusion(torch.cat(outputs[1:], dim=1))


def _group(size: CGRDNSize) -> nn.Module:
    blocks: list[nn.Module] = [DenseBlock(size) for _ in range(size.dense_blocks)]
    return Cascade(blocks, size.channels)


class CGRDN(nn.Module):
    """Restorer of single images: the input plus a learnt residual, (batch, 1, y, x) to the same.

    The groups work at half the resolution; they follow one another, and their outputs are
    concatenated, fused by 1×1 and added to the group input. The paper gives the number of
    parameters, 7.04 M, and not the place of the 1×1 fusions: fusions in each dense block, each
    group and over the groups give 7 035 521, and 7 019 073 without the last one, the paper's
    0.02 M between the cascade (GRDN) and its concatenation. ReLU follows every convolution
    except the 1×1 fusions and the last one, where the paper only says "ReLU activation".

    Any height and width: an odd side is mirrored by one pixel about its outer edge inside, and
    the result is cropped. Convolutions are padded with zeros. The network does not scale
    intensities. The untrained network is the identity to within 1 % of the contrast. Weights
    are drawn from `generator`; without it, from torch's own state.
    """

    multiple = 2

    def __init__(
        self, size: CGRDNSize | None = None, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.size = size or CGRDNSize()
        channels = self.size.channels
        self.first = nn.Conv2d(1, channels, 3, padding=1)
        self.down = nn.Conv2d(channels, channels, 4, stride=2, padding=1)
        groups = [_group(self.size) for _ in range(self.size.groups)]
        self.groups = Cascade(groups, channels)
        self.up = nn.ConvTranspose2d(channels, channels, 4, stride=2, padding=1)
        self.last = nn.Conv2d(channels, 1, 3, padding=1)
        # Sums of residuals start small, the last layer smaller still.
        initialise(self, generator, _factor)

    def forward(self, image: Tensor) -> Tensor:
        """Return the restored image, same shape and intensity scale as the input."""
        even = mirror_to_multiple(image, self.multiple)
        features = self.groups(torch.relu(self.down(torch.relu(self.first(even)))))
        restored = even + self.last(torch.relu(self.up(features)))
        return restored[..., : image.shape[-2], : image.shape[-1]]


def mirror_to_multiple(image: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column until both sides are multiples of `multiple`.

    Written as a fixed padding and a cut, which exports with free height and width.
    """
    spare = multiple - 1
    padded = nn.functional.pad(image, (0, spare, 0, spare), mode="replicate")
    height = (image.shape[-2] + spare) // multiple * multiple
    width = (image.shape[-1] + spare) // multiple * multiple
    return padded[..., :height, :width]


def _factor(layer: str) -> float:
    return 1e-3 if layer == "last" else 0.1 if "fusion" in layer else 1.0
