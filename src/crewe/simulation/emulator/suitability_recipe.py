"""Whether convolution images were made in the way that an emulator knows."""

from __future__ import annotations

from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.suitability import (
    detector_reasons,
    optics_reasons,
    pixel_reasons,
    same,
)


def lens_reasons(emulator: Emulator, described: Convolution) -> list[str]:
    """What speaks against images of a described lens, detector and pixel size.

    Their multislice images are others, and no new convolution image mends that. What is not
    described is not compared.
    """
    return [
        *optics_reasons(emulator, described.optics),
        *detector_reasons(emulator, described.detector),
        *pixel_reasons(emulator, described.pixel_size_angstrom),
    ]


def recipe_reasons(emulator: Emulator, described: Convolution) -> list[str]:
    """What speaks against convolution images made as described: another probe, power or scale."""
    trained = emulator.convolution
    if trained is None:
        return ["it does not say how its convolution images were made"]
    found = []
    if _probe(described) != _probe(trained):
        found.append(f"the probe is {_probe(described)}, it was made for {_probe(trained)}")
    for name in ("exponent", "vibration_angstrom", "scale"):
        given, known = getattr(described, name), getattr(trained, name)
        if not same(given, known):
            found.append(f"{name} is {given:g}, it was made for {known:g}")
    for name, word in (("optics", "lens"), ("detector", "detector")):
        if getattr(described, name) is None and getattr(trained, name) is not None:
            found.append(f"no {word} scales its convolution images, it was made for those of one")
    return found


def _probe(how: Convolution) -> str:
    sigma = how.probe_sigma_angstrom
    return "that of the lens" if sigma is None else f"a Gaussian of σ {sigma:.4g} Å"
