"""From projected signal to image: the contrast model on top of every ideal image.

Inversion, power, background, bounded contrast and normalisation, equations 23 to 26 of
doi:10.1038/s41524-023-01188-0, each a function of its own on an image (y, x) that is nowhere
negative.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator

from crewe.errors import ImageError
from crewe.recipes import RecipePart
from crewe.recipes.ranges import Length, Level

Image = NDArray[np.float32]


class ContrastRecipe(RecipePart):
    """Ranges of the contrast model; the numbers are the paper's."""

    inversion_probability: float = Field(default=0.5, ge=0, le=1)
    power_probability: float = Field(default=0.5, ge=0, le=1)
    power: Length = [0.5, 1.5]
    background_probability: float = Field(default=1.0, ge=0, le=1)
    gaussian_probability: float = Field(default=0.5, ge=0, le=1)
    """Probability that a background is a Gaussian; else it is a plane."""
    background_height: Level = [0.0, 0.5]
    """Height of the background as a fraction of the maximum of the image."""
    gaussian_sigma_fraction: Length = [0.2, 0.6]
    """Standard deviation of a Gaussian background as a fraction of the smaller side."""
    least_contrast: float = Field(default=0.01, ge=0)
    most_contrast: float = Field(default=0.35, gt=0)
    """Bounds of standard deviation over mean."""

    @model_validator(mode="after")
    def _bounds_in_order(self) -> ContrastRecipe:
        if self.least_contrast > self.most_contrast:
            raise ValueError(
                f"least_contrast {self.least_contrast:g} lies above most_contrast "
                f"{self.most_contrast:g}"
            )
        return self


def apply_contrast(
    image: NDArray[Any], part: ContrastRecipe, rng: Generator
) -> tuple[Image, dict[str, Any]]:
    """Carry an image through the contrast model; its maximum is 1 afterwards.

    Returns a float32 image between 0 and 1 and the facts: `inverted`, `power` (1 where none was
    applied), `background` (None or what was added), `added_constant` (equation 25), `maximum`
    (by which the image was divided) and `flat`. An image without signal gets a background of
    height up to 0.5 all the same; one that stays without any contrast comes out as 1 everywhere
    and is `flat`. Raises ImageError for an image that is empty, not finite or negative.
    """
    signal = _checked(image)
    facts: dict[str, Any] = {"inverted": part.chance("inversion_probability", rng)}
    if facts["inverted"]:
        signal = inverted(signal)
    facts["power"] = part.draw("power", rng) if part.chance("power_probability", rng) else 1.0
    if facts["power"] != 1:
        signal = raised(signal, facts["power"])
    facts["background"] = None
    if part.chance("background_probability", rng):
        background, facts["background"] = random_background(signal, part, rng)
        signal = signal + background
    facts["added_constant"] = contrast_constant(signal, part.least_contrast, part.most_contrast)
    signal = np.maximum(signal + np.float32(facts["added_constant"]), 0)
    facts["maximum"] = float(signal.max())
    facts["flat"] = bool(signal.min() == signal.max())
    return normalised(signal), facts


def _checked(image: NDArray[Any]) -> Image:
    signal = np.asarray(image, dtype=np.float32)
    if signal.ndim != 2 or not signal.size:
        raise ImageError(f"an ideal image has dims (y, x), not shape {signal.shape}")
    low, high = float(signal.min()), float(signal.max())
    if not np.isfinite(low + high):
        raise ImageError("the ideal image holds NaN or infinity: look at the specimen drawn")
    if low < -1e-5 * abs(high):
        raise ImageError(f"an ideal image is nowhere negative; this one falls to {low:.3g}")
    return np.maximum(signal, 0)


def inverted(image: Image) -> Image:
    """Invert the contrast: max(y) − y (equation 23)."""
    return image.max() - image


def raised(image: Image, power: float) -> Image:
    """Bend the intensity scale: ``|y|^β`` (equation 24)."""
    return np.abs(image) ** np.float32(power)


def plane_background(shape: tuple[int, int], height: float, angle: float) -> Image:
    """Return a plane from 0 to `height` over the image, rising along `angle`.

    The angle is in radians from x towards y.
    """
    along_y = np.sin(angle) * np.arange(shape[0])
    along_x = np.cos(angle) * np.arange(shape[1])
    along_y, along_x = along_y - along_y.min(), along_x - along_x.min()
    rise = along_y.max() + along_x.max()
    slope = height / rise if rise > 0 else 0.0
    return np.add.outer(slope * along_y, slope * along_x, dtype=np.float64).astype(np.float32)


def gaussian_background(
    shape: tuple[int, int], height: float, centre: tuple[float, float], sigma: float
) -> Image:
    """Return a round Gaussian of a height; centre (y, x) and sigma are in pixels."""
    along_y = height * np.exp(-0.5 * ((np.arange(shape[0]) - centre[0]) / sigma) ** 2)
    along_x = np.exp(-0.5 * ((np.arange(shape[1]) - centre[1]) / sigma) ** 2)
    return np.outer(along_y.astype(np.float32), along_x.astype(np.float32))


def random_background(
    image: Image, part: ContrastRecipe, rng: Generator
) -> tuple[Image, dict[str, Any]]:
    """Draw a plane or a Gaussian in proportion to the maximum of an image (1 where that is 0).

    Returns the background and its facts: `kind`, `height` and, for a plane, `angle_deg` or, for
    a Gaussian, `centre_px` (y, x) and `sigma_px`.
    """
    shape = image.shape[0], image.shape[1]
    gaussian = part.chance("gaussian_probability", rng)
    height = part.draw("background_height", rng) * (float(image.max()) or 1.0)
    if not gaussian:
        angle = rng.uniform(0, 2 * np.pi)
        facts = {"kind": "plane", "height": height, "angle_deg": float(np.rad2deg(angle))}
        return plane_background(shape, height, angle), facts
    y, x = (rng.random(2) * shape).tolist()
    sigma = part.draw("gaussian_sigma_fraction", rng) * min(shape)
    facts = {"kind": "gaussian", "height": height, "centre_px": [y, x], "sigma_px": sigma}
    return gaussian_background(shape, height, (y, x), sigma), facts


def contrast_constant(image: Image, least: float = 0.01, most: float = 0.35) -> float:
    """Return what to add to an image to bring std/mean within bounds (equation 25 with c = 1).

    Too strong a contrast gets a pedestal, too weak a one loses it, down to zero at the darkest
    pixel and no further: where that does not suffice (a pixel more than 1/`least` standard
    deviations below the mean) the contrast stays weaker than `least`, and so does that of a
    constant image, for which the answer is 0. The scale c is free, for equation 26 divides by
    the maximum.
    """
    mean, deviation = float(image.mean(dtype=np.float64)), float(image.std(dtype=np.float64))
    if deviation <= 1e-7 * mean or deviation == 0:
        return 0.0
    if deviation > most * mean:
        return deviation / most - mean
    if deviation < least * mean:
        return max(deviation / least - mean, -float(image.min()))
    return 0.0


def normalised(image: Image) -> Image:
    """Divide by the maximum (equation 26); an image of zeros becomes one of ones."""
    highest = image.max()
    return image / highest if highest > 0 else np.ones_like(image)
