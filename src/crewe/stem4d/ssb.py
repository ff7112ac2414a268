"""Single-sideband ptychography: the phase of a weak object from the overlaps of its disks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from crewe.errors import CalibrationError, PlanError
from crewe.physics.optics import Optics, aberration_phase
from crewe.sources import Batch, Events, Scan
from crewe.stem4d.calibrated import scan_image
from crewe.stem4d.reducer import Repeats
from crewe.stem4d.ssb_overlap import (
    Frequencies,
    Sums,
    add_aberrated_overlaps,
    add_overlaps,
    aperture_weight,
)
from crewe.stem4d.ssb_pixels import DiskPixels, binning_for
from crewe.stem4d.ssb_spectra import scan_image_of, scan_spectra
from crewe.stem4d.ssb_store import PixelStore

if TYPE_CHECKING:
    import xarray as xr

Transfer = Literal["flat", "natural"]
CHUNK_BYTES = 2**21
"""Pixels are transformed in groups that fit into a core's cache, but of whole cache lines."""
LEAST_CHUNK = 16
LEAST_TRANSFER = 0.03
"""Without noise it costs a hundredth of the correlation with the truth, at 10,000 e/Å² it lifts it
from 0.77 to 0.89 (a zeolite one cell thick, docs/benchmarks/phase_images.md)."""
GIB = 2**30


@dataclass(frozen=True, slots=True)
class MeasuredDisk:
    """What one batch holds inside the disk: sums (frame, pixel), or the pixel of each electron."""

    positions: NDArray[np.int64]
    values: NDArray[Any]
    scan: int
    finished: int
    electrons: bool


class SingleSideband:
    """Reducer that keeps the bright-field disk, and makes the phase of a weak object of it.

    For an object 1 − a + iφ, `ssb_phase` is φ in rad and `ssb_amplitude` is 1 − a, by least squares
    over all pixels in double overlap; triple overlap is left out. Both are linear in the counts
    and hold frequencies up to twice the aperture's cutoff. The mean of φ is unknown and set to 0,
    that of a too. With transfer "flat" each frequency is divided by how many pixels overlap, so
    that φ is quantitative; where that is less than `least_transfer` of the disk's pixels, it holds
    more noise than phase and is set to 0. With "natural" each is divided by the pixels of the whole
    disk instead: lowest and highest frequencies, which few pixels know, are weak and so is their
    noise. Positions that were not measured are NaN, and count as the mean pattern.

    Centre (ky, kx) and radius are in detector pixels. `scan` (its rotation, mirroring and step),
    `optics`, `centre`, `radius_px`, `edge_px` and `transfer` may be set before any images();
    the pixels kept are those within `spare_px` of the disk given first, binned so that it is at
    most `across` bins wide. `optics` gives cutoff and aberrations, whose azimuths are relative to
    the detector's axes; images with aberrations take about five times as long. Raises
    CalibrationError without a scan step and PlanError when the disk of all positions needs more
    than `memory_gib`. Equations: ssb_overlap.py.
    """

    def __init__(
        self,
        scan: Scan,
        detector_shape: tuple[int, int],
        optics: Optics,
        centre: tuple[float, float],
        radius_px: float,
        *,
        across: int | None = None,
        repeats: Repeats = "newest",
        transfer: Transfer = "flat",
        edge_px: float | None = None,
        spare_px: float = 1.0,
        least_transfer: float = LEAST_TRANSFER,
        memory_gib: float = 4.0,
    ) -> None:
        _check_radius(radius_px)
        binning = binning_for(across, radius_px)
        self.scan = scan
        self.optics = optics
        self.centre = centre
        self.radius_px = radius_px
        self.transfer = transfer
        self.edge_px = binning if edge_px is None else edge_px
        """Width in detector pixels over which the disk's rim falls; 0 takes whole pixels only."""
        self.least_transfer = least_transfer
        reach = radius_px + 0.5 * max(binning, self.edge_px) + spare_px
        self._pixels = DiskPixels.around(detector_shape, centre, reach, binning)
        _check_memory(scan, self._pixels, radius_px, memory_gib)
        _step(scan)
        self._shape = scan.shape
        self._store = PixelStore(scan.size, self._pixels.number, repeats)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which positions (rows, columns) were measured."""
        return self._store.measured.reshape(self.scan.shape)

    def measure(self, batch: Batch) -> MeasuredDisk:
        """Return what one batch holds inside the disk; changes nothing.

        Patterns that are not finite there count as not measured.
        """
        if isinstance(batch, Events):
            positions, pixels = self._pixels.of_events(batch)
            return MeasuredDisk(positions, pixels, batch.scan, batch.finished, True)
        positions, values = batch.positions, self._pixels.of_frames(batch.patterns)
        if batch.patterns.dtype.kind == "f":
            # In a Fourier transform one pixel that is none would be all of the image.
            whole = np.isfinite(values).all(axis=1)
            positions, values = positions[whole], values[whole]
        return MeasuredDisk(positions, values, batch.scan, 0, False)

    def add(self, measured: MeasuredDisk) -> None:
        """Add what one batch holds; the order of batches does not matter."""
        if measured.electrons:
            self._store.add_electrons(
                measured.positions, measured.values, measured.scan, measured.finished
            )
        else:
            self._store.add_frames(measured.positions, measured.values, measured.scan)

    def images(self) -> dict[str, xr.DataArray]:
        """Return `ssb_phase` in rad and `ssb_amplitude`, (y, x).

        All NaN as long as nothing in the disk was measured. Raises PlanError for a radius below 2,
        another shape of the scan or an unknown transfer.
        """
        phase, amplitude = self._reconstructed()
        unknown = ~self.measured
        phase[unknown] = amplitude[unknown] = np.nan
        return {
            "ssb_phase": scan_image(phase, self.scan, "ssb_phase", "rad"),
            "ssb_amplitude": scan_image(amplitude, self.scan, "ssb_amplitude", "1"),
        }

    def _reconstructed(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self._check_settings()
        places = self._pixels.places - np.array(self.centre, np.float32)[:, None]
        weights = aperture_weight(np.hypot(*places), self.radius_px, self.edge_px)
        sums, counts = self._sums(places, weights)
        if not counts > 0:
            nothing = np.full(self.scan.shape, np.nan, np.float32)
            return nothing, nothing.copy()
        disk = float(np.sum(weights**2))
        # A weak object leaves G = i·s·φ̂ for the phase and −t·â for the amplitude.
        phase = -1j * self._normalised(sums.phase, sums.phase_norm, disk) / counts
        amplitude = self._normalised(sums.amplitude, sums.amplitude_norm, disk) / counts
        shape = self.scan.shape
        return scan_image_of(phase, shape), 1 + scan_image_of(amplitude, shape)

    def _check_settings(self) -> None:
        _check_radius(self.radius_px)
        if self.transfer not in get_args(Transfer):
            raise PlanError(f"transfer {self.transfer!r}: choose 'flat' or 'natural'")
        if self.scan.shape != self._shape:
            raise PlanError(f"a scan of {self.scan.shape} for patterns at {self._shape} positions")

    def _normalised(
        self, sums: NDArray[np.complex64], norms: NDArray[np.float32], disk: float
    ) -> NDArray[np.complex64]:
        if self.transfer == "natural":
            return sums / np.float32(disk)
        enough = norms > self.least_transfer * disk
        return np.where(enough, sums / np.where(enough, norms, 1), 0).astype(np.complex64)

    def _sums(self, places: NDArray[np.float32], weights: NDArray[Any]) -> tuple[Sums, float]:
        """Overlap sums up to the highest frequency that has any, and the counts of a disk pixel."""
        rows, columns = self._frequencies_px()
        known = int(np.searchsorted(columns, 2 * self.radius_px + self.edge_px))
        scan = self.scan
        frequencies = Frequencies.of(rows, columns[:known], scan.rotation_degrees, scan.mirrored)
        sums = Sums.zero((len(rows), known))
        inside = np.flatnonzero(weights > 0)
        means = np.zeros(len(weights))
        chunk = max(LEAST_CHUNK, CHUNK_BYTES // (8 * scan.size))
        for first in range(0, len(inside), chunk):
            pixels = inside[first : first + chunk]
            values, means[pixels] = self._store.columns(pixels)
            spectra = scan_spectra(values.reshape(-1, *scan.shape), known)
            self._add(sums, spectra, np.ascontiguousarray(places[:, pixels]), frequencies)
        # The rim of a real disk is never quite where it is thought to be.
        whole = weights >= 1
        return sums, float(means[whole].mean()) if whole.any() else 0.0

    def _add(
        self,
        sums: Sums,
        spectra: NDArray[np.complex64],
        places: NDArray[np.float32],
        frequencies: Frequencies,
    ) -> None:
        size = (self.radius_px, self.edge_px)
        per_px = self.optics.cutoff / self.radius_px
        if not _aberrated(self.optics):
            add_overlaps(sums, spectra, places, frequencies, *size)
            return

        def aberration(ky: NDArray[Any], kx: NDArray[Any]) -> NDArray[np.float64]:
            return aberration_phase(self.optics, ky * per_px, kx * per_px)

        add_aberrated_overlaps(sums, spectra, places, frequencies, *size, aberration)

    def _frequencies_px(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scan frequencies along y and the half that is needed along x, in detector pixels."""
        px_per_inverse_angstrom = self.radius_px / self.optics.cutoff
        step_y, step_x = _step(self.scan)
        rows = scipy.fft.fftfreq(self.scan.shape[0], step_y) * px_per_inverse_angstrom
        columns = scipy.fft.rfftfreq(self.scan.shape[1], step_x) * px_per_inverse_angstrom
        return rows, columns


def _aberrated(optics: Optics) -> bool:
    k = optics.cutoff
    ky, kx = np.array([k, k, 0, -k]), np.array([0.1 * k, k, k, 0.7 * k])
    return bool(np.any(aberration_phase(optics, ky, kx)))


def _step(scan: Scan) -> tuple[float, float]:
    if scan.step_angstrom is None:
        raise CalibrationError("single sideband needs the scan step in Å: Scan(step_angstrom=…)")
    return scan.step_angstrom


def _check_radius(radius_px: float) -> None:
    if not 2 <= radius_px < np.inf:
        raise PlanError(
            f"a bright-field disk with a radius of {radius_px} px: single sideband needs 2 or more"
        )


def _check_memory(scan: Scan, pixels: DiskPixels, radius_px: float, memory_gib: float) -> None:
    needed = 4 * scan.size * pixels.number / GIB
    if needed <= memory_gib:
        return
    across = 2 * radius_px / pixels.binning * np.sqrt(memory_gib / needed)
    raise PlanError(
        f"single sideband keeps {pixels.number} pixels of {scan.size:,} patterns, "
        f"{needed:.1f} GiB, and may take {memory_gib:g} GiB: bin the disk to across={across:.0f} "
        "pixels or less, allow more memory, or take icom or ricom, which keep no patterns"
    )
