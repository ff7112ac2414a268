"""One specimen in the microscope, before anything is counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.simulation import projected_atoms as images
from crewe.training_sets.atom_map_columns import (
    ApparentColumns,
    apparent_columns,
    with_visibility,
)
from crewe.training_sets.atom_map_probe import Beam, draw_beam
from crewe.training_sets.atom_map_recipe import AtomMaps, Instrument
from crewe.training_sets.atom_map_specimen import DrawnSpecimen, draw_specimen

Image = NDArray[np.float32]
RIM_PX = 6
"""What a displaced beam finds beyond the field."""
FIELD = (slice(RIM_PX, -RIM_PX), slice(RIM_PX, -RIM_PX))
FINE_FIELD = (slice(2 * RIM_PX, -2 * RIM_PX), slice(2 * RIM_PX, -2 * RIM_PX))


@dataclass(frozen=True)
class Scene:
    """One specimen in the microscope, without noise."""

    pixel_size: float
    specimen: DrawnSpecimen
    beam: Beam
    atoms: images.ProjectedAtoms
    transfer: images.Transfer
    fwhm: float
    fine: Image
    """The image on half pixels, in units of Z^γ per pixel."""
    columns: ApparentColumns


def draw_scene(part: AtomMaps, rng: Generator) -> Scene:
    """Draw field, specimen and beam, and find the columns that the image shows."""
    field = part.draw("field_of_view_angstrom", rng)
    pixel = field / part.size_px
    specimen = draw_specimen(part, field, pixel, images.margin_angstrom(pixel, RIM_PX), rng)
    beam = draw_beam(part.instrument, rng)
    atoms = images.project(specimen.cloud, beam.exponent, part.size_px, pixel, RIM_PX)
    vibration = images.gaussian_transfer(atoms, part.body.draw("rms_displacement_angstrom", rng))
    transfer = images.probe_transfer(atoms, beam.optics) * vibration
    fwhm = images.full_width(transfer)
    columns = apparent_columns(
        specimen.cloud, beam.exponent, field, pixel, part.labels.resolved_fraction * fwhm
    )
    fine = images.fine_image(atoms, transfer)
    reach = max(part.labels.own_maximum_fraction * fwhm, pixel)
    columns = with_visibility(columns, fine, pixel, reach, part.labels.visible_fraction)
    return Scene(pixel, specimen, beam, atoms, transfer, fwhm, fine, columns)


def electrons_per_strength(scene: Scene, part: Instrument, rng: Generator) -> float:
    """Electrons on the detector for each unit of Z^γ, within the highest dose."""
    wanted = part.draw("electrons_per_column", rng) / mean_visible(scene.columns)
    return min(wanted, part.most_dose_e_per_angstrom2 / dose_per_scale(scene))


def dose_per_scale(scene: Scene) -> float:
    """Dose in e/Å² that sends one electron for each unit of Z^γ, by the heaviest element."""
    heaviest = int(scene.columns.heaviest.max())
    return float(heaviest**scene.beam.exponent / scene.beam.cross_section(heaviest))


def mean_visible(columns: ApparentColumns) -> float:
    """Return the mean strength of the columns that are visible."""
    return float(columns.strength[columns.visible].mean())
