"""U-Net that draws a map of the atoms, or a cleaner image, from an image.

R. Lin, R. Zhang, C. Wang, X.-Q. Yang, H. L. Xin, Sci. Rep. 11, 5386 (2021),
doi:10.1038/s41598-021-84499-w, Fig. 4.
"""

from typing import Literal

import torch
from pydantic import PositiveInt
from torch import Tensor, nn

from crewe.networks.cgrdn import mirror_to_multiple
from crewe.recipes import RecipePart


class UNetSize(RecipePart):
    """Channels at the finest of the three levels (doubled at each coarser one), and the head.

    A `sigmoid` head gives values between 0 and 1, for masks; a `linear` one any intensity.
    """

    channels: PositiveInt = 64
    head: Literal["sigmoid", "linear"] = "sigmoid"


def _two_convolutions(entering: int, leaving: int) -> nn.Sequential:
    """Twice 3×3 convolution, batch normalisation, ReLU; the normalisation holds the bias."""
    return nn.Sequential(
        nn.Conv2d(entering, leaving, 3, padding=1, bias=False),
        nn.BatchNorm2d(leaving),
        nn.ReLU(),
        nn.Conv2d(leaving, leaving, 3, padding=1, bias=False),
        nn.BatchNorm2d(leaving),
        nn.ReLU(),
    )


class _Rise(nn.Module):
    """Up-convolution (bilinear ×2, 1×1 to half the channels), concatenation, convolutions."""

    def __init__(self, fine: int) -> None:
        super().__init__()
        self.enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.halve = nn.Conv2d(2 * fine, fine, 1)
        self.normalise = nn.BatchNorm2d(2 * fine)
        self.convolutions = _two_convolutions(2 * fine, fine)

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        joined = torch.cat([fine, self.halve(self.enlarge(coarse))], dim=1)
        return self.convolutions(self.normalise(joined))


class UNet(nn.Module):
    """Encoder and decoder of three levels joined by concatenation, (batch, 1, y, x) to the same.

    Two 3×3 convolutions per level and 2×2 max-pooling as in the paper's Fig. 4. Where the figure
    leaves the details open it follows the sigmoid networks that the authors published: widths
    64, 128, 256, batch normalisation (also after the concatenation), bilinear enlargement and a
    1×1 convolution as up-convolution. Theirs has 1 742 533 parameters, this one 1 740 865: the
    convolutions before a normalisation need no bias, and the head is a 1×1 convolution without
    a ReLU, which would keep a sigmoid from showing "no atom".

    Any height and width: the last row and column are repeated to a multiple of 4 inside, and the
    result is cropped. In training a batch needs more than one pixel at the coarsest level.
    Weights are drawn from `generator`; without it, from torch's own state.
    """

    multiple = 4

    def __init__(
        self, size: UNetSize | None = None, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.size = size or UNetSize()
        width = self.size.channels
        self.fine = _two_convolutions(1, width)
        self.middle = _two_convolutions(width, 2 * width)
        self.coarse = _two_convolutions(2 * width, 4 * width)
        self.pool = nn.MaxPool2d(2)
        self.rise_to_middle = _Rise(2 * width)
        self.rise_to_fine = _Rise(width)
        self.head = nn.Conv2d(width, 1, 1)
        self._initialise(generator)

    def _initialise(self, generator: torch.Generator | None) -> None:
        """He's initialisation; the head starts small, so that a sigmoid starts in its middle."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        with torch.no_grad():
            self.head.weight *= 0.1

    def forward(self, image: Tensor) -> Tensor:
        """Return the map, same shape as the image; in [0, 1] with the sigmoid head."""
        fine = self.fine(mirror_to_multiple(image, self.multiple))
        middle = self.middle(self.pool(fine))
        coarse = self.coarse(self.pool(middle))
        output = self.head(self.rise_to_fine(self.rise_to_middle(coarse, middle), fine))
        output = output[..., : image.shape[-2], : image.shape[-1]]
        return torch.sigmoid(output) if self.size.head == "sigmoid" else output
