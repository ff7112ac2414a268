"""The only door to abTEM: probes, plane waves, their way through slices, and their patterns.

J. Madsen and T. Susi, Open Res. Europe 1 (2021) 24, doi:10.12688/openreseurope.13015.2.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CreweError
from crewe.physics.optics import ANGSTROM_PER_MM, Optics
from crewe.simulation.multislice_detectors import AnnularDetector, ring_weights

Pair = tuple[float, float]


def require_abtem() -> Any:
    """Import abTEM; CreweError without it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import abtem
    except ImportError as error:
        raise CreweError(
            "multislice simulations need abTEM, which is not installed: "
            "pip install 'crewe[multislice]'"
        ) from error
    return abtem


def chosen_device(wanted: str) -> str:
    """Turn "auto" into "gpu" if CuPy sees one, else "cpu"; CreweError for "gpu" without one."""
    if wanted == "cpu":
        return "cpu"
    try:
        import cupy

        found = cupy.cuda.runtime.getDeviceCount() > 0
    # A CuPy without its driver or libraries fails in ways of its own.
    except Exception as error:
        found, reason = False, f" ({error})"
    else:
        reason = ""
    if not found and wanted == "gpu":
        raise CreweError(
            f"device='gpu' needs a CUDA device and CuPy{reason}: install cupy, or use "
            "device='auto' or 'cpu'"
        )
    return "gpu" if found else "cpu"


@contextmanager
def quiet_and_repeatable() -> Iterator[Any]:
    """Lend abTEM, silent, on one thread, with Fourier transforms that are planned without timing.

    FFTW otherwise times its plans, and a plan that happened to be faster rounds differently.
    """
    abtem = require_abtem()
    import pyfftw
    from threadpoolctl import threadpool_limits

    pyfftw.forget_wisdom()
    settings = {
        "diagnostics.progress_bar": False,
        "fftw.planning_effort": "FFTW_ESTIMATE",
        "fftw.threads": 1,
    }
    with abtem.config.set(settings), threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield abtem


def lens_of(abtem: Any, optics: Optics, extent: Pair, points: Sequence[int], device: str) -> Any:
    """AbTEM's probe of our optics; its coefficients are Krivanek's too, azimuths in rad."""
    coefficients = {
        "C10": -optics.defocus_angstrom,
        "C30": optics.c3_mm * ANGSTROM_PER_MM,
        "C50": optics.c5_mm * ANGSTROM_PER_MM,
    }
    for name in ("12", "21", "23", "32", "34"):
        coefficients[f"C{name}"] = getattr(optics, f"c{name}_angstrom")
        coefficients[f"phi{name}"] = math.radians(getattr(optics, f"phi{name}_deg"))
    return abtem.Probe(
        energy=optics.beam_energy_kev * 1e3,
        semiangle_cutoff=optics.semi_angle_mrad,
        extent=extent,
        gpts=tuple(points),
        aberrations=coefficients,
        device=device,
    )


def probes_at(lens: Any, abtem: Any, places: NDArray[np.float64]) -> Any:
    """Waves (place, x, y) of total intensity 1 with the probe at places (place, 2), (x, y) in Å."""
    array = lens.build(scan=abtem.CustomScan(places), lazy=False).array
    points = array.shape[-2] * array.shape[-1]
    # abTEM makes the transform's intensity 1.
    return array.reshape(len(places), *array.shape[-2:]) * np.float32(math.sqrt(points))


def exits(
    abtem: Any,
    waves: Any,
    transmission: NDArray[np.complex64],
    energy_kev: float,
    slice_angstrom: float,
    extent: Pair,
    planes: Sequence[int],
    device: str,
) -> Iterator[Any]:
    """Yield waves (wave, x, y), and what the next slices make of them, after each of `planes`."""
    waves, transmission = on_device(waves, device), on_device(transmission, device)
    kwargs = {"energy": energy_kev * 1e3, "extent": extent}
    moving = abtem.Waves(
        waves.astype(np.complex64), ensemble_axes_metadata=[abtem.core.axes.UnknownAxis()], **kwargs
    )
    propagator = abtem.multislice.FresnelPropagator()
    for number in range(max(planes) + 1):
        one = abtem.potentials.iam.TransmissionFunction(
            transmission[number : number + 1], slice_thickness=slice_angstrom, **kwargs
        )
        moving = propagator.propagate(one.transmit(moving), slice_angstrom, in_place=True)
        if number in planes:
            yield moving.array


def ring_signals(
    waves: Any, detectors: Sequence[AnnularDetector], extent: Pair, wavelength: float
) -> NDArray[np.float64]:
    """Signals (detector, wave) of waves (wave, x, y), in parts of a beam of intensity 1."""
    weights = ring_weights(tuple(detectors), waves.shape[-2:], extent, wavelength)
    patterns = pattern_of(waves).reshape(len(waves), -1)
    if isinstance(patterns, np.ndarray):
        found = patterns @ weights.reshape(len(weights), -1).T
    else:
        found = (patterns @ type(patterns)(weights.reshape(len(weights), -1).T)).get()
    return np.asarray(found, dtype=np.float64).T


def pattern_of(waves: Any) -> Any:
    """Diffraction pattern (wave, kx, ky), zero frequency first, that sums to the waves' own sum."""
    from abtem.core.fft import fft2

    spectrum = fft2(waves)
    return (spectrum.real**2 + spectrum.imag**2) / np.float32(waves.shape[-2] * waves.shape[-1])


def on_device(array: Any, device: str) -> Any:
    """Put an array where it is worked on."""
    if device == "cpu":
        return array
    import cupy

    return cupy.asarray(array)


def on_cpu(array: Any) -> NDArray[Any]:
    """Bring an array back."""
    return array if isinstance(array, np.ndarray) else np.asarray(array.get())


def coarse_signals(
    abtem: Any,
    lens: Any,
    potential: NDArray[np.float32],
    slice_angstrom: float,
    planes: Sequence[int],
    places: NDArray[np.float64],
    detectors: Sequence[AnnularDetector],
) -> NDArray[np.float64]:
    """Signals (plane, detector, place) by abTEM alone, of a potential (slice, x, y) in V Å."""
    specimen = abtem.potentials.iam.PotentialArray(
        potential, slice_thickness=slice_angstrom, extent=lens.extent, exit_planes=tuple(planes)
    )
    rings = [abtem.AnnularDetector(one.inner_mrad, one.outer_mrad) for one in detectors]
    scan = abtem.CustomScan(places)
    found = lens.scan(scan=scan, potential=specimen, detectors=rings, lazy=False)
    found = found if isinstance(found, (list, tuple)) else [found]
    return np.stack([np.atleast_2d(on_cpu(one.array)) for one in found], axis=1).astype(np.float64)
