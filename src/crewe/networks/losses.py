"""Losses: how far a restored image or map is from the truth.

Images are (batch, 1, y, x). Each loss is the average over the batch of a value per image, a
scalar tensor, 0 where the two images are equal (the adversarial ones apart); its gradients are
finite everywhere, also there. ImageError if the shapes differ. Work in float32 or more.

I. Lobato, T. Friedrich, S. Van Aert, npj Comput. Mater. 10, 10 (2024),
doi:10.1038/s41524-023-01188-0, eqs. 4-15; for `modified_chi_square` R. Lin et al., Sci. Rep. 11,
5386 (2021), doi:10.1038/s41598-021-84499-w.
"""

import torch
from torch import Tensor
from torch.nn import functional

from crewe.errors import ImageError
from crewe.networks.discriminator import relativistic_logits

SMALLEST_CONTRAST = 1e-2
"""σ_min of eqs. 5 and 7, for images whose contrast is about 1; the paper does not give it."""

WINDOWS = (2, 4, 8, 16)
"""Sides of the windows of eq. 8 in pixels."""

_PIXELS = (-3, -2, -1)


def _check(restored: Tensor, truth: Tensor) -> None:
    if restored.shape != truth.shape or truth.ndim != 4:
        raise ImageError(
            f"A loss compares images of one shape (batch, 1, y, x) and got {tuple(restored.shape)} "
            f"and {tuple(truth.shape)}."
        )


def _deviation(image: Tensor, smallest: float) -> Tensor:
    """max(smallest, standard deviation) of each image; the root never meets 0."""
    variance = image.var(dim=_PIXELS, correction=0, keepdim=True)
    return variance.clamp(min=smallest**2).sqrt()


def contrast_weight(truth: Tensor, smallest: float = SMALLEST_CONTRAST) -> Tensor:
    """w_y of eq. 5 for each image, (batch, 1, 1, 1): 1 / max(σ_min, standard deviation)."""
    return 1 / _deviation(truth, smallest)


def l1(restored: Tensor, truth: Tensor, smallest: float = SMALLEST_CONTRAST) -> Tensor:
    """L1 of eq. 4: the mean absolute difference in units of the truth's contrast."""
    _check(restored, truth)
    return (contrast_weight(truth, smallest) * (truth - restored).abs()).mean()


def l2(restored: Tensor, truth: Tensor, smallest: float = SMALLEST_CONTRAST) -> Tensor:
    """L2 of eq. 6: the mean squared difference over the truth's contrast (not its square)."""
    _check(restored, truth)
    return (contrast_weight(truth, smallest) * (truth - restored).square()).mean()


def log_error(restored: Tensor, truth: Tensor, smallest: float = 1e-4) -> Tensor:
    """Mean over the images of log(1 + E(y − y_g)² / (smallest · Var y)): PSNR but for constants.

    Every image counts the same: halving an error is worth as much in a good image as in a poor
    one, where L1 learns mostly from images in which hardly anything can be restored.
    """
    _check(restored, truth)
    error = (truth - restored).square().mean(dim=_PIXELS)
    variance = _deviation(truth, SMALLEST_CONTRAST).square().flatten()
    return (error.flatten() / (smallest * variance)).log1p().mean()


def local_whitening(image: Tensor, window: int, smallest: float = SMALLEST_CONTRAST) -> Tensor:
    """Whitening transform of eq. 7: each pixel less its window's mean, over its deviation.

    The window of an even side reaches one pixel further up and left; at the borders it is cut.
    """
    before, after = window // 2, (window - 1) // 2
    margin = (before, after, before, after)

    def windowed(values: Tensor) -> Tensor:
        return functional.avg_pool2d(functional.pad(values, margin), window, stride=1)

    share = windowed(torch.ones_like(image[:1, :1]))
    # Without its mean the image's squares do not drown the local variance in rounding.
    centred = image - image.mean(dim=_PIXELS, keepdim=True).detach()
    mean = windowed(centred) / share
    variance = windowed(centred.square()) / share - mean.square()
    return (centred - mean) / variance.clamp(min=smallest**2).sqrt()


def multi_local_whitening(
    restored: Tensor, truth: Tensor, smallest: float = SMALLEST_CONTRAST
) -> Tensor:
    """Multi-local whitening transform loss of eq. 8, which sees detail at any brightness."""
    _check(restored, truth)
    terms = [
        (local_whitening(truth, side, smallest) - local_whitening(restored, side, smallest)).abs()
        for side in WINDOWS
    ]
    return torch.stack([term.mean() for term in terms]).mean()


def fourier(
    restored: Tensor, truth: Tensor, exponent: float = 0.125, smallest: float = 1e-2
) -> Tensor:
    """Fourier space loss of eq. 9, E|F(y − y_g)|^γ with the unnormalised transform F.

    |F|^γ rises infinitely steeply from 0; below |F| = `smallest` the parabola |F|²·smallest^(γ−2)
    takes its place, which meets it there, is 0 at 0 and has a finite slope.
    """
    _check(restored, truth)
    transform = torch.fft.fft2(truth - restored)
    power = transform.real.square() + transform.imag.square()
    bent = power.clamp(min=smallest**2) ** (exponent / 2)
    return torch.where(power < smallest**2, power * smallest ** (exponent - 2), bent).mean()


def mean_difference(restored: Tensor, truth: Tensor) -> Tensor:
    """L_mean of eq. 10: the absolute difference of the two images' means."""
    _check(restored, truth)
    return (truth.mean(dim=_PIXELS) - restored.mean(dim=_PIXELS)).abs().mean()


def deviation_difference(restored: Tensor, truth: Tensor, smallest: float = 1e-6) -> Tensor:
    """L_std of eq. 11: the absolute difference of the two images' standard deviations.

    Deviations below `smallest` count as `smallest`, as the root has no slope at 0.
    """
    _check(restored, truth)
    return (_deviation(truth, smallest) - _deviation(restored, smallest)).abs().mean()


def adversarial(real: Tensor, fake: Tensor) -> Tensor:
    """Adversarial loss of the restoring network, eq. 12, from C(y) and C(y_g).

    −E log(1 − σ(a)) = E softplus(a) and −E log σ(a) = E softplus(−a), finite for every a.
    """
    of_real, of_fake = relativistic_logits(real, fake)
    return functional.softplus(of_real).mean() + functional.softplus(-of_fake).mean()


def discrimination(real: Tensor, fake: Tensor) -> Tensor:
    """Loss of the discriminator, eq. 15, from C(y) and C(y_g); see `adversarial`."""
    of_real, of_fake = relativistic_logits(real, fake)
    return functional.softplus(-of_real).mean() + functional.softplus(of_fake).mean()


def modified_chi_square(restored: Tensor, truth: Tensor) -> Tensor:
    """χ²_mod of paper 001, Σ (I − T)² / (T + max T / 10), divided by the number of pixels.

    `truth` T is a mask or another image ≥ 0 (negative values count as 0 in the denominator). An
    empty image, for which the formula has no denominator, is treated as a mask of maximum 1.
    """
    _check(restored, truth)
    brightest = truth.amax(dim=_PIXELS, keepdim=True)
    brightest = torch.where(brightest > 0, brightest, torch.ones_like(brightest))
    return ((restored - truth).square() / (truth.clamp(min=0) + brightest / 10)).mean()
