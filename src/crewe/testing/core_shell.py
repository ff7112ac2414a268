"""Element maps with a HAADF image whose truth is known: a core and its shell, and two films.

Both are those of J. Schwartz et al., "Imaging atomic-scale chemistry from fused multi-modal
electron microscopy", npj Comput. Mater. 8 (2022) 16, doi:10.1038/s41524-021-00692-5: figure 6
(a core of CoS in a shell of CoO) and figure 5 (Ga2O3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from crewe.axes import calibrated_image
from crewe.errors import SpecimenError

if TYPE_CHECKING:
    import xarray as xr

Image = NDArray[np.float64]

ATOMIC_NUMBERS = {"Co": 27, "S": 16, "O": 8, "Ga": 31}
KINDS = ("smooth", "textured", "atomic")
PARTICLE_RADIUS, CORE_RADIUS = 0.42, 0.25
"""Of the width of the image."""
TEXTURE, TEXTURE_WIDTH_PX, THINNEST = 0.2, 2.0, 0.1
CELL_PX = (20.0, 20.0 / np.sqrt(2))
COLUMN_WIDTH_PX = 2.2
NOISE_AT_SNR_1 = 1.12
"""Then the root of the mean counts of cobalt in the smooth particle is about the chemical SNR."""


@dataclass(frozen=True)
class FusionPhantom:
    """What element maps and HAADF are without noise; y and x of all are in Å."""

    amounts: xr.DataArray
    """(element, y, x), atoms per pixel in units of their own, zero in vacuum."""
    haadf: xr.DataArray
    """(y, x), Σ (Z x)^γ over the elements, in units of its own."""
    phases: xr.DataArray
    """(phase, y, x), true where only this phase is looked at: away from borders between phases."""

    @property
    def particle(self) -> xr.DataArray:
        """(y, x), true where there is anything."""
        return self.amounts.sum("element") > 0

    def fractions(self, maps: xr.DataArray) -> xr.DataArray:
        """Return atomic fractions (phase, element) of maps (element, y, x).

        Amounts are summed over the places of a phase first: a core is seen through its shell, and
        what its places hold is a mean over both.
        """
        sums = maps.where(self.phases).sum(("y", "x"))
        return (sums / sums.sum("element")).transpose("phase", "element")


@dataclass(frozen=True)
class FusionMeasurement:
    """One measurement of a phantom; y and x are its own."""

    haadf: xr.DataArray
    """(y, x), counts."""
    maps: xr.DataArray
    """(element, y, x), counts."""
    truth: xr.DataArray
    """(element, y, x), the counts to be expected."""


def core_shell(
    kind: str = "smooth",
    *,
    pixels: int = 256,
    pixel_size_angstrom: float = 0.213,
    gamma: float = 1.7,
    seed: int = 0,
) -> FusionPhantom:
    """Make a sphere of CoS in a shell of CoO, in projection; elements Co, S and O.

    Radii are 0.25 and 0.42 of the image's width, amounts half the thickness in pixels. `smooth`
    is that; in `textured` the thickness varies by 20 % within about two pixels (`seed`); `atomic`
    resolves metal and anions into columns of a rock-salt crystal along [110], 20 pixels a cell.
    Phases are `core` (within 0.8 of its radius) and `shell` (from 1.1 core radii to 0.95 of the
    particle's). Raises SpecimenError for another kind or for fewer than 32 pixels.
    """
    if kind not in KINDS:
        raise SpecimenError(f"no core and shell of kind {kind!r}: choose one of {', '.join(KINDS)}")
    if pixels < 32:
        raise SpecimenError(f"a particle in {pixels} pixels has no shell: take at least 32")
    radius = _radius_px(pixels)
    core, whole = (_sphere(radius, part * pixels) for part in (CORE_RADIUS, PARTICLE_RADIUS))
    amounts = 0.5 * np.stack([whole, core, whole - core])
    if kind == "textured":
        amounts *= _texture(pixels, np.random.default_rng(seed))
    if kind == "atomic":
        metal, anions = _columns(pixels)
        amounts *= np.stack([metal, anions, anions])
    phases = {
        "core": radius < 0.8 * CORE_RADIUS * pixels,
        "shell": (radius > 1.1 * CORE_RADIUS * pixels) & (radius < 0.95 * PARTICLE_RADIUS * pixels),
    }
    return _phantom(("Co", "S", "O"), amounts, phases, pixel_size_angstrom, gamma)


def gallium_oxide(
    *, pixels: int = 256, pixel_size_angstrom: float = 1.0, gamma: float = 1.7
) -> FusionPhantom:
    """Make films of Ga and O of equal thickness, one over the other, with vacuum around them.

    Amounts are 0.4 of Ga and 0.6 of O; the frame of vacuum takes an eighth of the width on each
    side. The phase is `film`. Raises SpecimenError for fewer than 32 pixels.
    """
    if pixels < 32:
        raise SpecimenError(f"{pixels} pixels are too few for a film in a frame: take at least 32")
    film = np.zeros((pixels, pixels))
    inside = slice(pixels // 8, pixels - pixels // 8)
    film[inside, inside] = 1
    amounts = np.stack([0.4 * film, 0.6 * film])
    return _phantom(("Ga", "O"), amounts, {"film": film > 0}, pixel_size_angstrom, gamma)


def measure(
    phantom: FusionPhantom, haadf_snr: float, chemical_snr: float, rng: np.random.Generator
) -> FusionMeasurement:
    """Count electrons and X-rays of a phantom, with Poisson's noise.

    The HAADF SNR is the root of the mean counts in the particle. The chemical SNR is 1.12 over the
    relative error of the counts: for each element the length of the noise to be expected over the
    length of the map, ‖noise‖/‖truth‖, then the mean over elements. All elements share one dose.
    Raises SpecimenError for an SNR that is not positive.
    """
    if not (0 < haadf_snr < np.inf and 0 < chemical_snr < np.inf):
        raise SpecimenError(
            f"SNRs must be positive and finite, got {haadf_snr} (HAADF), {chemical_snr} (chemical)"
        )
    truth = phantom.amounts * counts_per_amount(phantom, chemical_snr)
    maps = truth.copy(data=rng.poisson(truth.values).astype(float))
    mean = phantom.haadf * (haadf_snr**2 / phantom.haadf.where(phantom.particle).mean().item())
    haadf = mean.copy(data=rng.poisson(mean.values).astype(float))
    return FusionMeasurement(haadf, maps, truth)


def counts_per_amount(phantom: FusionPhantom, chemical_snr: float) -> float:
    """Return the dose at which a phantom's maps have the chemical SNR that `measure` defines."""
    amounts = phantom.amounts
    # Of counts d·x the squared noise is d·Σx, the squared length d²·Σx².
    relative = np.sqrt(amounts.sum(("y", "x")) / (amounts**2).sum(("y", "x")))
    return float(relative.mean() * chemical_snr / NOISE_AT_SNR_1) ** 2


def _phantom(
    elements: tuple[str, ...],
    amounts: Image,
    phases: dict[str, NDArray[np.bool_]],
    pixel_size_angstrom: float,
    gamma: float,
) -> FusionPhantom:
    numbers = np.array([ATOMIC_NUMBERS[element] for element in elements])
    haadf = ((numbers[:, None, None] * amounts) ** gamma).sum(axis=0)
    maps = dict(zip(elements, amounts, strict=True))
    return FusionPhantom(
        _stack(maps, "element", pixel_size_angstrom),
        calibrated_image(haadf, pixel_size_angstrom, name="HAADF"),
        _stack(phases, "phase", pixel_size_angstrom),
    )


def _stack(
    images: dict[str, Image] | dict[str, NDArray[np.bool_]], dim: str, pixel: float
) -> xr.DataArray:
    """Images under each other, (dim, y, x), `dim` holding their names."""
    import xarray as xr

    calibrated = [calibrated_image(image, pixel) for image in images.values()]
    return xr.concat(calibrated, xr.Variable(dim, list(images)))


def _radius_px(pixels: int) -> Image:
    places = np.arange(pixels) - (pixels - 1) / 2
    return np.hypot(places[:, None], places)


def _sphere(radius: Image, outer: float) -> Image:
    """Thickness of a sphere along the beam."""
    return 2 * np.sqrt(np.maximum(outer**2 - radius**2, 0))


def _texture(pixels: int, rng: np.random.Generator) -> Image:
    noise = gaussian_filter(rng.standard_normal((pixels, pixels)), TEXTURE_WIDTH_PX)
    return np.maximum(1 + TEXTURE * noise / noise.std(), THINNEST)


def _columns(pixels: int) -> tuple[Image, Image]:
    """Columns of metal and of anions, each of mean 1: both centred cells, half a cell apart."""
    places = np.arange(pixels) - (pixels - 1) / 2
    (y, half_y), (x, half_x) = (
        (_comb(places, cell, 0), _comb(places, cell, cell / 2)) for cell in CELL_PX
    )
    metal = np.outer(y, x) + np.outer(half_y, half_x)
    anions = np.outer(half_y, x) + np.outer(y, half_x)
    return metal / metal.mean(), anions / anions.mean()


def _comb(places: NDArray[np.floating], period: float, offset: float) -> Image:
    """Gaussians at offset, offset ± period and so on."""
    reach = np.ceil(len(places) / period) + 1
    centres = offset + period * np.arange(-reach, reach + 1)
    return np.exp(-0.5 * ((places[:, None] - centres) / COLUMN_WIDTH_PX) ** 2).sum(axis=1)
