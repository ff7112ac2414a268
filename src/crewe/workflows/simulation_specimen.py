"""The specimen of a simulation: read, checked, turned, repeated, and the field that shows it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from crewe import io
from crewe.errors import PlanError, SpecimenError
from crewe.physics.scattering import HEAVIEST
from crewe.physics.small_matrices import product
from crewe.simulation.field import Field, choose_field
from crewe.specimens.orientation import along_zone_axis
from crewe.specimens.orthogonal_cell import has_right_angles, orthogonal_crystal
from crewe.workflows.simulate_plan import MULTISLICE, SimulationPlan

if TYPE_CHECKING:
    from ase import Atoms

Array = NDArray[np.float64]
DEFAULT_MARGIN_ANGSTROM = 2.0
# Vacuum above and below atoms that had no cell, or were turned out of it.
ABOVE_ANGSTROM = 1.0
# A probe and its tails must fit into a periodic cell beside those of its neighbours.
NARROWEST_BOX_ANGSTROM = 12.0
# Atoms nearer than this part of a covalent bond cannot be; the shortest triple bonds are at 0.77.
NEAREST_OF_BOND = 0.6
# Atoms nearer than this are one atom, written twice.
ONE_PLACE_ANGSTROM = 0.1
# Rounding in files of atoms.
OUTSIDE_ANGSTROM = 0.02


@dataclass(frozen=True)
class Specimen:
    """Atoms ready to be imaged, and what the image shows of them."""

    atoms: Atoms
    field: Field
    repeats: tuple[int, int]
    """How often the image repeats along x and y within the atoms' cell."""


def read_specimen(
    plan: SimulationPlan, pixel_size_angstrom: float, warn: Callable[[str], None]
) -> Specimen:
    """Read the plan's file of atoms and bring them into position.

    Raises ReadError for a file that is no specimen, SpecimenError for atoms that cannot be imaged
    and PlanError for turns that the specimen does not allow.
    """
    atoms = io.read_atoms(plan.specimen)
    check_specimen(atoms, plan.specimen.name, warn)
    if _half_filled(atoms):
        warn("sites with partial occupancy are taken as filled with their main element")
    if _repeats(atoms):
        return _crystal(plan, atoms, pixel_size_angstrom)
    return _particle(plan, atoms, pixel_size_angstrom)


def check_specimen(
    atoms: Atoms, name: str, warn: Callable[[str], None] = lambda said: None
) -> None:
    """Raise SpecimenError for atoms that cannot exist or are larger than their cell.

    Atoms that a file itself holds nearer than any bond, as coarse models of amorphous matter do,
    are told to `warn`.
    """
    if len(atoms) == 0:
        raise SpecimenError(f"{name}: the specimen holds no atoms: nothing to image")
    bad = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if len(bad):
        raise SpecimenError(
            f"{name}: atom {bad[0] + 1} of {len(atoms)} stands at {atoms.positions[bad[0]]}: "
            "positions must be finite numbers in Å"
        )
    if not np.isfinite(np.asarray(atoms.cell)).all():
        raise SpecimenError(f"{name}: the cell holds NaN or infinity")
    numbers = np.asarray(atoms.numbers)
    if numbers.min() < 1 or numbers.max() > HEAVIEST:
        raise SpecimenError(
            f"{name}: atomic numbers from {numbers.min()} to {numbers.max()}: scattering is known "
            f"for elements 1…{HEAVIEST}"
        )
    if _repeats(atoms):
        _check_wrapped(atoms, name)
    elif _has_cell(atoms):
        _check_inside(atoms, name)
    if not _half_filled(atoms):
        _check_distances(atoms, name, warn)


def _check_distances(atoms: Atoms, name: str, warn: Callable[[str], None]) -> None:
    """Two atoms cannot stand in one place, nor a particle reach into its own image."""
    around = atoms
    if _repeats(atoms):
        around = atoms.copy()
        around.wrap()
        around = around.repeat((2, 2, 2))
    share, distance, pair = _nearest(around)
    if share >= NEAREST_OF_BOND:
        return
    cell = f", of {_sizes(atoms.cell.lengths())}" if _has_cell(atoms) else ""
    said = (
        f"{name}: {pair} stand {distance:.2g} Å apart, which no bond allows: is the specimen "
        f"larger than its cell{cell}, are there atoms twice, or sites that exclude one another?"
    )
    by_repeating = _nearest(atoms)[0] >= NEAREST_OF_BOND
    if by_repeating or distance < ONE_PLACE_ANGSTROM:
        raise SpecimenError(said)
    warn(said)


def _nearest(atoms: Atoms) -> tuple[float, float, str]:
    """The two atoms that are nearest in parts of a bond: that part, their distance, elements."""
    from ase.data import covalent_radii

    if len(atoms) < 2:
        return math.inf, math.inf, ""
    distance, partner = cKDTree(atoms.positions).query(atoms.positions, k=2)
    radii = covalent_radii[atoms.numbers]
    share = distance[:, 1] / (radii + radii[partner[:, 1]])
    nearest = int(np.argmin(share))
    pair = [str(atoms.symbols[n]) for n in (nearest, int(partner[nearest, 1]))]
    return float(share[nearest]), float(distance[nearest, 1]), " and ".join(pair)


def _check_inside(atoms: Atoms, name: str) -> None:
    share = atoms.cell.scaled_positions(atoms.positions)
    beyond = np.maximum(np.maximum(-share, share - 1), 0) * atoms.cell.lengths()
    outside = int((beyond.max(axis=1) > OUTSIDE_ANGSTROM).sum())
    if outside:
        raise SpecimenError(
            f"{name}: {outside} of {len(atoms)} atoms stand outside the cell, by up to "
            f"{beyond.max():.3g} Å: the specimen spans {_sizes(np.ptp(atoms.positions, axis=0))}, "
            f"the cell {_sizes(atoms.cell.lengths())}; move it inside, enlarge the cell, or leave "
            "the cell out"
        )


def _check_wrapped(atoms: Atoms, name: str) -> None:
    """A crystal may reach out of its cell, but not so that it runs into its own image."""
    share = atoms.cell.scaled_positions(atoms.positions)
    if len(atoms) < 2 or not (np.ptp(share, axis=0) > 1 + 1e-6).any():
        return
    before = cKDTree(atoms.positions).query(atoms.positions, k=2)[0][:, 1].min()
    wrapped = atoms.copy()
    wrapped.wrap()
    around = wrapped.repeat((2, 2, 2)).positions
    after = cKDTree(around).query(around, k=2)[0][:, 1].min()
    if after < 0.9 * before:
        raise SpecimenError(
            f"{name}: the specimen spans {_sizes(np.ptp(atoms.positions, axis=0))} and is larger "
            f"than its cell, {_sizes(atoms.cell.lengths())}, which repeats: atoms come within "
            f"{after:.2g} Å of those of the next cell; enlarge the cell or leave it out"
        )


def _crystal(plan: SimulationPlan, atoms: Atoms, pixel_size: float) -> Specimen:
    tilted = any(plan.tilt_deg)
    if plan.kind == MULTISLICE:
        if tilted:
            raise PlanError(
                "a crystal that is tilted off its axis does not repeat across the beam, so "
                "multislice cannot take its cell: cut a particle out of it (crewe.specimens.cut), "
                "or use the model linear"
            )
        if plan.zone_axis is not None or not has_right_angles(atoms):
            atoms = orthogonal_crystal(atoms, plan.zone_axis)
    elif plan.zone_axis is not None:
        atoms = _turned_crystal(atoms, plan.zone_axis)
    atoms = atoms.repeat(plan.repeat)
    atoms.wrap()
    if tilted:
        turn = tilt_rotation(*plan.tilt_deg)
        atoms.set_cell(np.asarray(atoms.cell) @ turn.T, scale_atoms=True)
    field = choose_field(atoms, pixel_size, plan.shape, 0.0, True)
    if plan.kind != MULTISLICE:
        return Specimen(atoms, field, (1, 1))
    narrowest = max(NARROWEST_BOX_ANGSTROM, (plan.window_angstrom or 0.0) + 1.0)
    more_x, more_y = (math.ceil(narrowest / float(atoms.cell[n, n]) - 1e-9) for n in (0, 1))
    repeats = (plan.repeat[0] * more_x, plan.repeat[1] * more_y)
    return Specimen(atoms.repeat((more_x, more_y, 1)), field, repeats)


def _turned_crystal(atoms: Atoms, zone_axis: tuple[int, int, int]) -> Atoms:
    """The crystal along a zone axis, in a box where there is one, else in its own cell."""
    try:
        return orthogonal_crystal(atoms, zone_axis)
    except SpecimenError:
        turned = atoms.copy()
        turn = along_zone_axis(np.asarray(atoms.cell), zone_axis)
        turned.set_cell(np.asarray(atoms.cell) @ turn.T, scale_atoms=True)
        return turned


def _particle(plan: SimulationPlan, atoms: Atoms, pixel_size: float) -> Specimen:
    if plan.zone_axis is not None:
        raise PlanError(
            f"{plan.specimen.name} is no crystal that repeats, so it has no zone axis "
            f"{list(plan.zone_axis)}: turn it by --tilt instead"
        )
    if plan.repeat != (1, 1, 1):
        raise PlanError(
            f"{plan.specimen.name} does not repeat (its cell is not periodic): leave --repeat out"
        )
    tilted = any(plan.tilt_deg)
    if tilted:
        turn = tilt_rotation(*plan.tilt_deg)
        middle = 0.5 * (atoms.positions.min(axis=0) + atoms.positions.max(axis=0))
        atoms.positions = (atoms.positions - middle) @ turn.T + middle
    if tilted or plan.margin_angstrom is not None or not _has_cell(atoms):
        atoms.set_cell(None)
    margin = DEFAULT_MARGIN_ANGSTROM if plan.margin_angstrom is None else plan.margin_angstrom
    field = choose_field(atoms, pixel_size, plan.shape, margin, False)
    if not _has_cell(atoms):
        low, high = atoms.positions[:, 2].min(), atoms.positions[:, 2].max()
        atoms.positions[:, 2] += ABOVE_ANGSTROM - low
        atoms.set_cell([0.0, 0.0, high - low + 2 * ABOVE_ANGSTROM])
    return Specimen(atoms, field, (1, 1))


def tilt_rotation(about_x_deg: float, about_y_deg: float) -> Array:
    """Return the rotation (3, 3) about x, followed by that about y, both right-handed."""
    (a, b) = np.radians([about_x_deg, about_y_deg])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    return product(about_y, about_x)


def _has_cell(atoms: Atoms) -> bool:
    return bool(abs(np.linalg.det(np.asarray(atoms.cell))) > 1e-6)


def _repeats(atoms: Atoms) -> bool:
    return bool(atoms.pbc[:2].all() and _has_cell(atoms))


def _half_filled(atoms: Atoms) -> bool:
    known: Any = atoms.info.get("occupancy")
    if not isinstance(known, dict):
        return False
    return any(len(site) > 1 or min(site.values()) < 0.999 for site in known.values())


def _sizes(lengths: Any) -> str:
    return " × ".join(f"{length:.4g}" for length in lengths) + " Å"
