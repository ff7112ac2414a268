"""Patch discriminator of the adversarial stage of training, and its relativistic average.

I. Lobato, T. Friedrich, S. Van Aert, npj Comput. Mater. 10, 10 (2024),
doi:10.1038/s41524-023-01188-0, Fig. 9, eqs. 2-3; the 70×70 patch of P. Isola et al., CVPR (2017),
arXiv:1611.07004; the relativistic average of A. Jolicoeur-Martineau, arXiv:1807.00734.
"""

import torch
from torch import Tensor, nn

from crewe.errors import ImageError

PATCH = 70
_STRIDES = (2, 2, 2, 1, 1)


class PatchDiscriminator(nn.Module):
    """Judge patches of 70×70 pixels: (batch, images, y, x) to (batch, 1, patches_y, patches_x).

    Convolutions of 4×4 with strides 2, 2, 2, 1, 1 and `channels` times 1, 2, 4, 8 features;
    leaky ReLU (0.2); instance normalisation after all but the first and the last. Values are not
    transformed (C(y) of the paper), and larger means more real.

    Nothing is padded, so each value sees measured pixels only, and patches lie 8 pixels apart:
    256×256 pixels give 24×24 values. The paper says 32×32, which is 256/8 and needs
    zero padding, and says that the padding was removed; here it is. `images` is 2 for a
    discriminator that sees the distorted image beside the restored one.

    Weights are drawn from `generator`; without it, from torch's own state.
    """

    def __init__(
        self, channels: int = 64, images: int = 1, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        widths = [images, channels, 2 * channels, 4 * channels, 8 * channels, 1]
        layers: list[nn.Module] = []
        for place, stride in enumerate(_STRIDES):
            entering, leaving = widths[place : place + 2]
            layers.append(nn.Conv2d(entering, leaving, 4, stride=stride))
            if 0 < place < len(_STRIDES) - 1:
                layers.append(nn.InstanceNorm2d(leaving, affine=True))
            if place < len(_STRIDES) - 1:
                layers.append(nn.LeakyReLU(0.2))
        self.layers = nn.Sequential(*layers)
        self._initialise(generator)

    def _initialise(self, generator: torch.Generator | None) -> None:
        """Weights of standard deviation 0.02, as Isola et al. draw them."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.02, generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return a value for each patch; raises ImageError if not one patch fits."""
        if min(images.shape[-2:]) < PATCH:
            shape = " x ".join(str(side) for side in images.shape[-2:])
            raise ImageError(
                f"The discriminator judges patches of {PATCH} x {PATCH} pixels and got an image "
                f"of {shape}. Train on larger images or without the adversarial stage."
            )
        return self.layers(images)


def relativistic_logits(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Return C(y) − E{C(y_g)} and C(y_g) − E{C(y)}, the arguments of σ in eqs. 2-3.

    `real` is C(y), `fake` is C(y_g); the averages go over the batch and all patches.
    """
    return real - fake.mean(), fake - real.mean()


def relativistic_average(real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Probability that true patches look more real than restored ones, and the reverse.

    Eqs. 2 and 3: `real` is C(y), `fake` is C(y_g), any shapes; both results are in [0, 1]. The
    losses work on `relativistic_logits`, whose logarithms of probabilities stay finite.
    """
    of_real, of_fake = relativistic_logits(real, fake)
    return torch.sigmoid(of_real), torch.sigmoid(of_fake)
