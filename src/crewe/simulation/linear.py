"""Linear image of a specimen: what the atoms scatter, convolved with the probe.

A. H. Combs et al., Adv. Struct. Chem. Imaging 5 (2019) 2, doi:10.1186/s40679-019-0064-2, Eqs.
(1)-(3), with a Gaussian probe; R. Lin et al., Sci. Rep. 11 (2021) 5386,
doi:10.1038/s41598-021-84499-w, with a probe from the optics.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from crewe.axes import calibrated_image
from crewe.errors import CalibrationError
from crewe.physics.optics import FWHM_PER_SIGMA, Optics, probe_intensity
from crewe.simulation.convolve import Grid, axis_weights, padded_grid, read_image, transform
from crewe.simulation.deposit import deposit
from crewe.simulation.field import Field, choose_field, images_within

if TYPE_CHECKING:
    import xarray as xr
    from ase import Atoms

Image = NDArray[np.float32]
PAPER_PROBE_SIGMA_ANGSTROM = 0.38
PAPER_EXPONENT = 1.7


def linear_image(
    atoms: Atoms,
    pixel_size_angstrom: float,
    *,
    probe: Optics | float = PAPER_PROBE_SIGMA_ANGSTROM,
    exponent: float = PAPER_EXPONENT,
    vibration_angstrom: float = 0.0,
    shape: tuple[int, int] | None = None,
    margin_angstrom: float = 2.0,
    periodic: bool | None = None,
) -> xr.DataArray:
    """Image (y, x) of atoms seen along z, in units of Z^exponent per Å².

    The integral of the image over its area is the sum of Z^exponent over the atoms, as far as they
    and their probe tails lie inside; each pixel is the value at its centre.

    `probe` is the σ in Å of a Gaussian (0.38 Å in the paper) or `Optics`. `vibration_angstrom` is
    the rms displacement of each atom along one axis, a further Gaussian. The field is the cell's
    bounding box, or without a cell the atoms' with `margin_angstrom` around; `shape` (rows,
    columns) overrules its size. Pixel (0, 0) lies at the origin of that field, kept as attribute
    `origin_angstrom` (x, y). A `periodic` specimen repeats along x and y, by default when
    `atoms.pbc` says so.

    Raises CalibrationError for sizes that are not positive, ImageError for a specimen without atoms
    or a periodic one without a cell.
    """
    _check_sizes(pixel_size_angstrom, probe, vibration_angstrom)
    field = choose_field(atoms, pixel_size_angstrom, shape, margin_angstrom, periodic)
    numbers, positions = images_within(atoms, field, pixel_size_angstrom, reach_angstrom(probe))
    values = linear_image_of(
        numbers,
        positions,
        field.shape,
        pixel_size_angstrom,
        probe=probe,
        exponent=exponent,
        vibration_angstrom=vibration_angstrom,
    )
    return calibrated_image(
        values, pixel_size_angstrom, "Å", "linear image", _facts(field, exponent)
    )


def linear_image_of(
    numbers: Any,
    positions: Any,
    shape: tuple[int, int],
    pixel_size_angstrom: float,
    *,
    probe: Optics | float = PAPER_PROBE_SIGMA_ANGSTROM,
    exponent: float = PAPER_EXPONENT,
    vibration_angstrom: float = 0.0,
) -> Image:
    """Array-level `linear_image`: pixel (0, 0) at x = y = 0, nothing repeated.

    `numbers` (n,), `positions` (n, 3) as (x, y, z) in Å; atoms outside the image count as far as
    their probe reaches. Raises CalibrationError for sizes that are not positive.
    """
    _check_sizes(pixel_size_angstrom, probe, vibration_angstrom)
    grid = padded_grid(shape, pixel_size_angstrom, _pitch(probe), reach_angstrom(probe))
    places = np.asarray(positions, dtype=np.float64)[:, 1::-1] / grid.pitch_angstrom + grid.margin
    weights = np.asarray(numbers, dtype=np.float64) ** exponent
    spectrum = transform(deposit(places, weights, grid.shape, periodic=False))
    spectrum *= _transfer(probe, grid)
    along_y, along_x = axis_weights(grid, vibration_angstrom)
    spectrum *= np.outer(along_y, along_x).astype(np.float32)
    image = read_image(spectrum, grid, shape)
    # From the sum over grid points to the integral over Å².
    return image / np.float32(grid.pitch_angstrom**2)


def _transfer(probe: Optics | float, grid: Grid) -> NDArray[Any]:
    """Transfer of the probe, 1 at k = 0.

    The image at r0 is ∫ σ(r) P(r − r0) d²r: an atom shows the probe mirrored, which matters for
    coma and threefold astigmatism. Hence the conjugate.
    """
    if isinstance(probe, Optics):
        intensity = probe_intensity(probe, grid.shape, grid.pitch_angstrom)
        centred: NDArray[Any] = scipy.fft.rfft2(scipy.fft.ifftshift(intensity))
        return np.conj(centred).astype(np.complex64)
    ky, kx = grid.frequencies()
    result: NDArray[Any] = np.exp(-2 * (np.pi * probe) ** 2 * (ky**2 + kx**2))
    return result.astype(np.float32)


def _pitch(probe: Optics | float) -> float:
    """Pitch of a grid on which an atom's image is the same to 10⁻³ wherever it lies."""
    if isinstance(probe, Optics):
        # The intensity holds frequencies up to twice the cutoff: half of this grid's Nyquist.
        return 1 / (8 * probe.cutoff)
    return probe / 2


def reach_angstrom(probe: Optics | float) -> float:
    """Distance in Å beyond which a probe is dark: 6 σ, or eight resolutions and the blur.

    Atoms farther than this outside a field do not show in its linear image.
    """
    if not isinstance(probe, Optics):
        return 6 * probe
    wavelength = probe.wavelength
    angle = probe.semi_angle_mrad * 1e-3
    # Rays from the rim of the aperture land where the slope of the aberrations sends them.
    first = abs(probe.defocus_angstrom) + abs(probe.c12_angstrom)
    third = probe.c3_mm * 1e7 + abs(probe.c32_angstrom) + abs(probe.c34_angstrom)
    second = abs(probe.c21_angstrom) + abs(probe.c23_angstrom)
    rays = first * angle + second * angle**2 + abs(third) * angle**3
    rays += abs(probe.c5_mm) * 1e7 * angle**5
    airy = 0.61 * wavelength / angle
    return rays + 8 * airy + 3 * probe.source_fwhm_angstrom / FWHM_PER_SIGMA


def _check_sizes(pixel_size: float, probe: Optics | float, vibration: float) -> None:
    sizes = {"pixel size": pixel_size}
    if not isinstance(probe, Optics):
        sizes["probe sigma"] = probe
    for name, value in sizes.items():
        if not (math.isfinite(value) and value > 0):
            raise CalibrationError(f"{name} must be positive and finite, got {value} Å")
    if not (math.isfinite(vibration) and vibration >= 0):
        raise CalibrationError(f"vibration must not be negative, got {vibration} Å")


def _facts(field: Field, exponent: float) -> dict[str, Any]:
    return {
        "units": f"Z^{exponent:g}/Å²",
        "origin_angstrom": [float(value) for value in field.origin],
        "model": "linear",
    }
