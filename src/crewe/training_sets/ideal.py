"""The ideal image of a restoration pair: a specimen, low-resolution objects, or both."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.simulation.contrast import apply_contrast
from crewe.simulation.deposit import elements_in
from crewe.simulation.low_resolution.random_image import low_resolution_image
from crewe.simulation.radial import draw_radial_model, radial_image
from crewe.specimens.random_specimen import random_specimen
from crewe.training_sets.restoration_recipe import CONTENTS, Restoration
from crewe.training_sets.sample import Fact

Image = NDArray[np.float32]
Facts = dict[str, Fact]


def draw_ideal(
    part: Restoration, size: int, pixel_size_angstrom: float, rng: Generator
) -> tuple[Image, Facts]:
    """Draw an ideal image of size × size pixels with the maximum 1, and say what it shows.

    The facts have the same keys whatever is shown: those of a specimen are empty or 0 where there
    is none. Equations 16 to 26 of Lobato et al. (2024), doi:10.1038/s41524-023-01188-0.
    """
    weights = [getattr(part.content, kind) for kind in CONTENTS]
    shown = str(rng.choice(CONTENTS, p=np.array(weights) / sum(weights)))
    layers: list[Image] = []
    facts: Facts = {"content": shown, "objects": "", **_NO_SPECIMEN}
    if shown != "low_resolution":
        layer, found = _specimen_image(part, size, pixel_size_angstrom, rng)
        layers.append(layer)
        facts |= found
    if shown != "specimen":
        layer, drawn = low_resolution_image(part.low_resolution, (size, size), rng)
        layers.append(layer)
        facts["objects"] = ",".join(drawn["kinds"])
    share = part.draw("both_share", rng)
    signal = layers[0] if len(layers) == 1 else _mixed(layers[0], layers[1], share)
    image, contrast = apply_contrast(signal, part.contrast, rng)
    return image, facts | {"inverted": bool(contrast["inverted"]), "power": contrast["power"]}


def _specimen_image(
    part: Restoration, size: int, pixel_size: float, rng: Generator
) -> tuple[Image, Facts]:
    length = size * pixel_size
    cloud, facts = random_specimen(part.specimen, (length, length, length), rng, pixel_size)
    model = draw_radial_model(elements_in(cloud.numbers), rng, **part.atoms.model_dump())
    image = radial_image(
        cloud.numbers, cloud.positions, (size, size), pixel_size, model, method="pixels"
    )
    # A band-limited edge rings a few 10⁻⁴ of an atom below zero.
    np.maximum(image, 0, out=image)
    elements = {*str(facts["elements"]).split(), *str(facts["support_elements"]).split()}
    kept = {name: facts[source] for name, source in _FROM_SPECIMEN.items()}
    return image, {**kept, "elements": ",".join(sorted(elements))}


def _mixed(below: Image, above: Image, share: float) -> Image:
    """Add two layers so that the brightest points stand as 1 − share to share."""
    parts = [
        weight * layer / max(float(layer.max()), 1e-30)
        for weight, layer in ((1 - share, below), (share, above))
    ]
    return np.add(*parts, dtype=np.float32)


_FROM_SPECIMEN = {
    "specimen": "kind",
    "space_group": "space_group",
    "zone_axis": "zone_axis",
    "wedge": "wedge",
    "shape": "shape",
    "defects": "defects",
    "support": "support_kind",
    "atoms": "atoms",
}
_NO_SPECIMEN: Facts = {
    **dict.fromkeys(_FROM_SPECIMEN, "none"),
    "space_group": 0,
    "atoms": 0,
    "elements": "",
}
