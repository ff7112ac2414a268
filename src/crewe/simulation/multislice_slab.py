"""The box of atoms that a multislice simulation works in, and windows cut out of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from crewe.errors import CalibrationError, SpecimenError
from crewe.simulation.field import Field

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]
Span = tuple[float, float]
# Vacuum or specimen around the places of the probe where no window says how much it sees.
OPEN_MARGIN_ANGSTROM = 5.0
SMALLEST_WINDOW_ANGSTROM = 4.0


@dataclass(frozen=True)
class Slab:
    """Atoms in a box that repeats along x and y, cut into slices across z."""

    atoms: Atoms
    """With the box as cell, each in the middle of its slice."""
    corner: tuple[float, float]
    """Corner (x, y) of the box in Å, seen from pixel (0, 0) of the image."""
    points: tuple[int, int]
    """Grid points along x and y."""
    slices: int
    window_points: tuple[int, int] | None
    """Grid points of a window along x and y, None where the whole box is simulated."""

    @property
    def slice_angstrom(self) -> float:
        """Thickness of a slice."""
        return float(self.atoms.cell[2, 2]) / self.slices

    @property
    def steps(self) -> Array:
        """Grid step along x and y in Å."""
        result: Array = np.diag(self.atoms.cell.array)[:2] / self.points
        return result

    @property
    def step_angstrom(self) -> float:
        """The larger of the two grid steps."""
        return float(self.steps.max())

    def planes(self, thicknesses_angstrom: Sequence[float] | None) -> list[int]:
        """Slices after which to look, counted from 0.

        Raises CalibrationError for thicknesses that do not grow or lie outside the box.
        """
        if thicknesses_angstrom is None:
            return [self.slices - 1]
        planes = [round(depth / self.slice_angstrom) - 1 for depth in thicknesses_angstrom]
        falling = any(b <= a for a, b in itertools.pairwise(planes))
        if not planes or planes[0] < 0 or planes[-1] >= self.slices or falling:
            raise CalibrationError(
                f"thicknesses {list(thicknesses_angstrom)} Å: give rising ones, from one slice of "
                f"{self.slice_angstrom:.3g} Å to {self.slices * self.slice_angstrom:.4g} Å"
            )
        return planes

    def window(
        self, potential: NDArray[Any], places: tuple[Array, Array]
    ) -> tuple[NDArray[Any], tuple[float, float], tuple[float, float]]:
        """Part of a potential (slice, x, y) around places (y, x) in Å from pixel (0, 0).

        Returns it with its corner (x, y), seen from pixel (0, 0), and its extent (x, y) in Å.
        """
        step_x, step_y = (float(step) for step in self.steps)
        if self.window_points is None:
            extent = (step_x * self.points[0], step_y * self.points[1])
            return potential, self.corner, extent
        taken, origin = [], []
        for axis, along in enumerate((places[1], places[0])):
            middle = 0.5 * (along[0] + along[-1]) - self.corner[axis]
            first = round(middle / self.steps[axis] - 0.5 * self.window_points[axis])
            taken.append((first + np.arange(self.window_points[axis])) % self.points[axis])
            origin.append(self.corner[axis] + first * float(self.steps[axis]))
        part = np.ascontiguousarray(potential[:, taken[0][:, None], taken[1][None, :]])
        extent = (step_x * self.window_points[0], step_y * self.window_points[1])
        return part, (origin[0], origin[1]), extent


def make_slab(
    atoms: Atoms,
    field: Field,
    spans: tuple[Span, Span],
    step_angstrom: float,
    slice_angstrom: float,
    window_angstrom: float | None,
    exact: bool = False,
) -> Slab:
    """Put a specimen in a box for probe places within `spans`, (first, last) along y and x in Å.

    A periodic specimen's own cell is the box; others get one that reaches a window's half beyond
    the places, and atoms outside of it are left out. The grid's step is at most that asked for, and
    in a box that is chosen here just that if `exact`. Raises SpecimenError for a periodic cell that
    is no box, a specimen without height, CalibrationError for a window too small.
    """
    corner, lengths = _periodic_box(atoms, field) if field.periodic else (None, None)
    height = _height(atoms)
    if corner is None or lengths is None:
        reach = OPEN_MARGIN_ANGSTROM if window_angstrom is None else 0.5 * window_angstrom + 0.5
        corner = np.array([span[0] - reach for span in spans[::-1]])
        lengths = np.array([span[1] + reach for span in spans[::-1]]) - corner
        if exact:
            corner, lengths = _whole_steps(corner, lengths, step_angstrom, window_angstrom or 0.0)
    points = [_fast(length / step_angstrom - 1e-6 * exact) for length in lengths]
    window = _window_points(window_angstrom, lengths, points)
    slices = math.ceil(height / slice_angstrom - 1e-6)
    held = _placed(atoms, np.array(field.origin) + corner, lengths, height, slices, field.periodic)
    return Slab(held, (float(corner[0]), float(corner[1])), (points[0], points[1]), slices, window)


def _fast(points: float) -> int:
    return int(scipy.fft.next_fast_len(math.ceil(points), real=True))


def _whole_steps(corner: Array, lengths: Array, step: float, window: float) -> tuple[Array, Array]:
    """Widen a box on all sides to a number of steps that transforms fast."""
    # A window is widened likewise, by up to a tenth, and has to fit.
    wide = step * np.array([_fast((length + 0.1 * window) / step) for length in lengths])
    return corner - 0.5 * (wide - lengths), wide


def _periodic_box(atoms: Atoms, field: Field) -> tuple[Array, Array]:
    cell = atoms.cell.array
    if np.abs(cell - np.diag(np.diag(cell))).max() > 1e-6 * np.abs(cell).max():
        raise SpecimenError(
            "a periodic specimen needs a cell with right angles along x, y and z: build it from an "
            f"orthogonal cell, not {np.round(cell, 3).tolist()}"
        )
    return -np.asarray(field.origin, dtype=np.float64), np.diag(cell)[:2].copy()


def _height(atoms: Atoms) -> float:
    """Height of the cell along z, or that of the atoms with half an Å on both sides."""
    height = float(np.abs(atoms.cell.array)[:, 2].sum())
    if height > 0:
        return height
    top = float(atoms.positions[:, 2].max())
    if float(atoms.positions[:, 2].min()) < 0 or top <= 0:
        raise SpecimenError("atoms without a cell must lie at z > 0, where the beam enters at 0")
    return top + 0.5


def _window_points(
    window: float | None, lengths: Array, points: Sequence[int]
) -> tuple[int, int] | None:
    if window is None:
        return None
    if window < SMALLEST_WINDOW_ANGSTROM:
        raise CalibrationError(
            f"a window of {window:g} Å is too small for a probe: use {SMALLEST_WINDOW_ANGSTROM} Å "
            "or more"
        )
    x, y = (_fast(window * n / length) for n, length in zip(points, lengths, strict=True))
    return None if x >= points[0] and y >= points[1] else (min(x, points[0]), min(y, points[1]))


def _placed(
    atoms: Atoms, corner: Array, lengths: Array, height: float, slices: int, periodic: bool
) -> Atoms:
    """Atoms in the box, z in the middle of their slice, where no rounding moves them to the next.

    An atom on the boundary of two slices belongs to the later one.
    """
    from ase import Atoms

    positions = np.array(atoms.positions, dtype=np.float64)
    positions[:, :2] -= corner
    below = np.floor(positions[:, 2] * slices / height + 1e-6).astype(int)
    if below.min() < 0 or below.max() > slices:
        raise SpecimenError(
            f"atoms at z from {positions[:, 2].min():.2f} to {positions[:, 2].max():.2f} Å stand "
            f"outside the cell of {height:.2f} Å along the beam: shift them inside"
        )
    positions[:, 2] = (np.minimum(below, slices - 1) + 0.5) * height / slices
    held = Atoms(atoms.numbers, positions, cell=[*lengths, height], pbc=True)
    if periodic:
        return held
    inside = np.all((positions[:, :2] >= 0) & (positions[:, :2] < lengths), axis=1)
    return held[np.flatnonzero(inside)]
