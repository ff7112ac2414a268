"""Spectrum images whose lines, edges and backgrounds are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.axes import Axis, calibrated_array
from crewe.chemistry.lines import x_ray_line, x_ray_resolution_ev

if TYPE_CHECKING:
    import xarray as xr

Shape = tuple[int, int]


def spectrum_image(data: Any, energy_ev: np.ndarray, name: str = "EDX") -> xr.DataArray:
    """Make a spectrum image (y, x, energy) of pixels 2 Å wide; energies are evenly spaced."""
    step = float(energy_ev[1] - energy_ev[0])
    axes = (
        Axis("y", 2.0, 0, "Å"),
        Axis("x", 2.0, 0, "Å"),
        Axis("energy", step, energy_ev[0], "eV"),
    )
    return calibrated_array(data, axes, name)


def expected_edx(
    amounts: Mapping[str, Any], shape: Shape, background: float = 0.02
) -> tuple[np.ndarray, np.ndarray]:
    """Mean counts (y, x, energy) of X-ray lines on a sloping background, and the energies in eV.

    `amounts` gives counts a pixel by line ({'Fe_Ka': 5.0}), as a number or a map; `background`
    is in counts per channel of 10 eV at 5 keV and falls by a third up to 15 keV from there.
    """
    energy = np.arange(-200.0, 15_000, 10.0)
    ground = background * (1.5 - energy / 10_000)
    mean = np.broadcast_to(ground, (*shape, energy.size)).copy()
    for name, amount in amounts.items():
        line = x_ray_line(name)
        sigma = x_ray_resolution_ev(line.energy_ev) / np.sqrt(8 * np.log(2))
        profile = np.exp(-0.5 * ((energy - line.energy_ev) / sigma) ** 2)
        mean += np.broadcast_to(amount, shape)[..., None] * (profile / profile.sum())
    return mean, energy


def edx(
    amounts: Mapping[str, Any], shape: Shape = (24, 20), background: float = 0.02, seed: int = 0
) -> xr.DataArray:
    """Draw an X-ray spectrum image whose counts are Poisson around `expected_edx`."""
    mean, energy = expected_edx(amounts, shape, background)
    counts = np.random.default_rng(seed).poisson(mean).astype(np.uint16)
    return spectrum_image(counts, energy)


def eels(
    amounts: Mapping[float, Any],
    shape: Shape = (24, 20),
    exponent: float = 3.0,
    counts: float = 200.0,
    seed: int | None = None,
) -> xr.DataArray:
    """Draw an energy-loss spectrum image of edges on a power law, 350 to 1000 eV.

    `amounts` gives, by onset in eV, the core loss summed over 10 % of the onset; `counts` are
    those of the background's first channel of 1 eV. Poisson noise when `seed` is given.
    """
    energy = np.arange(350.0, 1000.0, 1.0)
    mean = np.broadcast_to(counts * (energy / 350.0) ** -exponent, (*shape, energy.size)).copy()
    for onset, amount in amounts.items():
        step = np.where(energy >= onset, (energy / onset) ** -exponent, 0.0)
        step /= step[(energy >= onset) & (energy <= 1.1 * onset)].sum()
        mean += np.broadcast_to(amount, shape)[..., None] * step
    if seed is not None:
        mean = np.random.default_rng(seed).poisson(mean).astype(np.float32)
    return spectrum_image(mean, energy, "EELS")
