"""A riCOM kernel made ready: tables for single lines and spectra for whole maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from crewe.stem4d.ricom_kernel import Band, ricom_kernel
from crewe.stem4d.ricom_line import Images, line_products, take_line

Array = NDArray[np.float64]
# Time of the whole map per padded position over that of a line per position and kernel element.
MAP_OVER_LINE = 260


@dataclass(frozen=True)
class RicomPlan:
    """Tables of one kernel on one scan. Use `of` to make one."""

    scan_shape: tuple[int, int]
    quarter: Array
    """Kernel (2, h + 1, h + 1) at distances ≥ 0."""
    full_line: Array
    """Products (2, h + 1, columns) of a line of ones."""
    padded: tuple[int, int]
    spectra: NDArray[np.complex128]

    @classmethod
    def of(
        cls, size: int, step: tuple[float, float], band: Band | None, scan_shape: tuple[int, int]
    ) -> RicomPlan:
        """Make the tables of a kernel."""
        kernel = ricom_kernel(size, step=step, band=band, scan_shape=scan_shape)
        half = size // 2
        quarter = np.ascontiguousarray(kernel[:, half:, half:])
        ones = np.ones(scan_shape[1])
        # What is wrapped round must not come back into the scan.
        reach = [min(half, pixels - 1) for pixels in scan_shape]
        padded = [
            fft.next_fast_len(pixels + far, real=True)
            for pixels, far in zip(scan_shape, reach, strict=True)
        ]
        cut = kernel[
            :, half - reach[0] : half + reach[0] + 1, half - reach[1] : half + reach[1] + 1
        ]
        centred = np.zeros((2, *padded))
        centred[:, : cut.shape[1], : cut.shape[2]] = cut
        centred = np.roll(centred, (-reach[0], -reach[1]), axis=(1, 2))
        products = line_products(ones, ones, quarter)
        return cls(scan_shape, quarter, products, (padded[0], padded[1]), fft.rfft2(centred))

    def lines_are_quicker(self, lines: int) -> bool:
        """Tell whether so many lines are added sooner one by one than with the whole map."""
        one_by_one = lines * self.scan_shape[1] * self.quarter.shape[1] ** 2
        return one_by_one < MAP_OVER_LINE * self.padded[0] * self.padded[1]

    def integrate(self, vectors: Array, weights: Array, before: Images | None = None) -> Images:
        """Return the images of vectors (2, rows, columns) and weights, from the whole maps.

        What this plan made `before` serves again where weights are the same.
        """
        known = before is not None and np.array_equal(weights, before.weights)
        maps = vectors if known else np.stack([*vectors, weights])
        spectra = fft.rfft2(maps, self.padded)
        image = spectra[0] * self.spectra[0] + spectra[1] * self.spectra[1]
        if before is not None and known:
            return Images(vectors, weights, self._back(image), before.weight_images)
        weight_images = self._back(self.spectra * spectra[2])
        return Images(vectors, weights, self._back(image), weight_images)

    def _back(self, spectrum: NDArray[np.complex128]) -> Array:
        whole = fft.irfft2(spectrum, self.padded)
        return np.ascontiguousarray(whole[..., : self.scan_shape[0], : self.scan_shape[1]])

    def take_lines(
        self, done: Images, rows: NDArray[np.int64], vectors: Array, weights: Array
    ) -> None:
        """Bring images up to date with vectors (2, row, column) and weights of some rows."""
        for index, row in enumerate(rows):
            line = vectors[:, index], weights[index]
            take_line(done, row, *line, self.quarter, self.full_line)
