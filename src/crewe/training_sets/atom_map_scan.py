"""Scan and count: from expected electrons to an image."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.degradation.displacement import Displacement, displace
from crewe.degradation.poisson import poisson_image
from crewe.degradation.scan import (
    LineFrequency,
    ScanJitter,
    line_frequency_displacement,
    scan_jitter_displacement,
)
from crewe.training_sets.atom_map_recipe import Instrument
from crewe.training_sets.atom_map_scene import FIELD
from crewe.training_sets.sample import Fact

Image = NDArray[np.float32]
Counts = NDArray[np.uint16]
MOST_COUNTS = 65535


def take(
    signal: Image, below: Image, pixel_size: float, part: Instrument, rng: Generator
) -> tuple[dict[str, Counts], dict[str, Fact]]:
    """Scan and count: the arrays `image` and `no_background`, and what shook the beam.

    `signal` and `below` are the expected electrons of specimen and background, with a rim.
    Electrons from the specimen and from elsewhere are counted apart, so that `no_background`
    holds the very electrons of `image` that the specimen scattered.
    """
    away, facts = _shaken((signal.shape[0], signal.shape[1]), pixel_size, part, rng)
    if not away.is_none:
        signal, below = displace(signal, away), displace(below, away)
    counted = poisson_image(np.maximum(signal[FIELD], 0), rng)
    both = counted + poisson_image(np.maximum(below[FIELD], 0), rng)
    arrays = {
        "no_background": np.minimum(counted, MOST_COUNTS).astype(np.uint16),
        "image": np.minimum(both, MOST_COUNTS).astype(np.uint16),
    }
    return arrays, {**facts, "saturated_pixels": int((both > MOST_COUNTS).sum())}


def _shaken(
    shape: tuple[int, int], pixel_size: float, part: Instrument, rng: Generator
) -> tuple[Displacement, dict[str, Fact]]:
    """Draw the hum of the mains and the tearing of lines, and say how strong they are, in Å."""
    hum = pixel_size * part.draw("jitter_px", rng) * part.chance("jitter_probability", rng)
    tear = pixel_size * part.draw("tear_px", rng) * part.chance("tear_probability", rng)
    mains = LineFrequency(
        pixel_size_angstrom=pixel_size,
        sigma_angstrom=hum,
        frequency_hz=part.draw("mains_hz", rng),
        line_time_ms=part.draw("line_time_ms", rng),
        start_phase_deg=rng.uniform(0, 360),
    )
    tearing = ScanJitter(
        pixel_size_angstrom=pixel_size,
        sigma_x_angstrom=tear,
        phi_x=part.draw("tear_memory", rng),
    )
    away = line_frequency_displacement(shape, mains, rng)
    away = away + scan_jitter_displacement(shape, tearing, rng)
    return away, {"jitter_angstrom": hum, "tear_angstrom": tear}
