"""Where the disks of a diffracted and the undiffracted beam overlap, and what a weak object does.

With the probe's aperture A(k) and a weak object 1 − a + iφ, the patterns' transform along the scan
is G(k, Q) = iφ̂(Q)·[A*(k)A(k−Q) − A(k)A*(k+Q)] − â(Q)·[A*(k)A(k−Q) + A(k)A*(k+Q)] for Q ≠ 0,
J. M. Rodenburg, B. C. McCallum and P. D. Nellist, Ultramicroscopy 48 (1993) 304,
doi:10.1016/0304-3991(93)90105-7; T. J. Pennycook et al., Ultramicroscopy 151 (2015) 160,
doi:10.1016/j.ultramic.2014.09.013. Where both disks reach (triple overlap) the phase cancels.

The weights are w(k)·w(k−Q)·(1 − w(k+Q)) on one side and w(k)·w(k+Q)·(1 − w(k−Q)) on the other: the
triple overlap has none. w is the aperture, 1 inside and 0 outside, falling over `edge`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Spectra = NDArray[np.complex64]
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Frequencies:
    """Scan frequencies Q (row, column) as (ky, kx) in detector pixels."""

    along_rows: NDArray[np.float32]
    """What the frequency of each row adds to (ky, kx), (row, 2)."""
    along_columns: NDArray[np.float32]
    """What the frequency of each column adds, (column, 2)."""

    @classmethod
    def of(
        cls,
        rows: NDArray[np.float64],
        columns: NDArray[np.float64],
        rotation_degrees: float,
        mirrored: bool,
    ) -> Frequencies:
        """Turn frequencies along scan y and x, in detector pixels, to the detector's axes."""
        cosine, sine = (f(math.radians(rotation_degrees)) for f in (math.cos, math.sin))
        hand = -1 if mirrored else 1
        from_y = np.array([hand * cosine, -sine])
        from_x = np.array([hand * sine, cosine])
        return cls(
            np.outer(rows, from_y).astype(np.float32), np.outer(columns, from_x).astype(np.float32)
        )

    def whole(self) -> NDArray[np.float32]:
        """Return Q (2, row, column)."""
        both = self.along_rows[:, None, :] + self.along_columns[None, :, :]
        return np.ascontiguousarray(np.moveaxis(both, -1, 0))


@dataclass(frozen=True)
class Sums:
    """Sums over pixels of G times the conjugate of what a weak object does there."""

    phase: Spectra
    amplitude: Spectra
    phase_norm: Array
    amplitude_norm: Array
    """Sums of the squared weights (row, column): how many pixels overlap."""

    @classmethod
    def zero(cls, shape: tuple[int, int]) -> Sums:
        """Sums over no pixel."""
        return cls(
            np.zeros(shape, np.complex64),
            np.zeros(shape, np.complex64),
            np.zeros(shape, np.float32),
            np.zeros(shape, np.float32),
        )


def aperture_weight(distance: NDArray[Any], radius: float, edge: float) -> NDArray[Any]:
    """Return 1 inside `radius`, 0 outside, falling over `edge` (all in one unit)."""
    if edge == 0:
        return (distance <= radius).astype(np.float32)
    return np.clip((radius - distance) / edge + 0.5, 0, 1)


def add_overlaps(
    sums: Sums,
    spectra: Spectra,
    places: NDArray[np.float32],
    frequencies: Frequencies,
    radius: float,
    edge: float,
) -> None:
    """Add pixels with spectra (pixel, row, column) at places (2, pixel) from the disk's centre.

    For a probe without aberrations, whose weights are real.
    """
    kept = aperture_weight(np.hypot(*places), radius, edge).astype(np.float32)
    # A hard edge as a very steep one keeps the loop free of branches.
    steepness = 1 / max(edge, 1e-6)
    _add(
        np.ascontiguousarray(spectra),
        places,
        kept,
        frequencies.along_rows,
        frequencies.along_columns,
        np.float32(radius),
        np.float32(steepness),
        sums.phase,
        sums.amplitude,
        sums.phase_norm,
        sums.amplitude_norm,
    )


def add_aberrated_overlaps(
    sums: Sums,
    spectra: Spectra,
    places: NDArray[np.float32],
    frequencies: Frequencies,
    radius: float,
    edge: float,
    aberration: Callable[[NDArray[Any], NDArray[Any]], NDArray[np.float64]],
) -> None:
    """Add pixels as `add_overlaps`, for a probe A·exp(−iχ) with χ = aberration(ky, kx)."""
    q = frequencies.whole()
    for spectrum, k in zip(spectra, places.T, strict=True):
        before, after = k[:, None, None] - q, k[:, None, None] + q
        here, there, beyond = (
            aperture_weight(np.hypot(*at), radius, edge) for at in (k, before, after)
        )
        own = aberration(k[0], k[1])
        left = here * there * (1 - beyond) * np.exp(1j * (own - aberration(*before)))
        right = here * beyond * (1 - there) * np.exp(1j * (aberration(*after) - own))
        for weight, sum_, norm in (
            (left - right, sums.phase, sums.phase_norm),
            (left + right, sums.amplitude, sums.amplitude_norm),
        ):
            sum_ += np.conj(weight) * spectrum
            norm += np.abs(weight) ** 2


@njit(cache=True, nogil=True)
def _add(
    spectra: Spectra,
    places: Array,
    kept: Array,
    along_rows: Array,
    along_columns: Array,
    radius: np.float32,
    steepness: np.float32,
    phase: Spectra,
    amplitude: Spectra,
    phase_norm: Array,
    amplitude_norm: Array,
) -> None:
    zero, half, one = np.float32(0), np.float32(0.5), np.float32(1)
    reach = (np.float32(2) * radius + half / steepness) ** 2
    for row in range(spectra.shape[1]):
        row_y, row_x = along_rows[row]
        if row_y * row_y + row_x * row_x > reach:
            continue
        for pixel in range(spectra.shape[0]):
            ky, kx, weight = places[0, pixel], places[1, pixel], kept[pixel]
            for column in range(spectra.shape[2]):
                q_y = row_y + along_columns[column, 0]
                q_x = row_x + along_columns[column, 1]
                before = np.sqrt((ky - q_y) ** 2 + (kx - q_x) ** 2)
                after = np.sqrt((ky + q_y) ** 2 + (kx + q_x) ** 2)
                there = min(one, max(zero, (radius - before) * steepness + half))
                beyond = min(one, max(zero, (radius - after) * steepness + half))
                difference = weight * (there - beyond)
                both = weight * (there + beyond - np.float32(2) * there * beyond)
                phase[row, column] += difference * spectra[pixel, row, column]
                amplitude[row, column] += both * spectra[pixel, row, column]
                phase_norm[row, column] += difference * difference
                amplitude_norm[row, column] += both * both
