"""Labelled atomic images: a specimen as an instrument shows it, and ten answers about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.degradation.displacement import displace
from crewe.degradation.poisson import poisson_image
from crewe.degradation.scan import LineFrequency, line_frequency_displacement
from crewe.errors import RecipeError
from crewe.recipes import Lines, child_generator, to_yaml
from crewe.training_sets import atom_map_images as images
from crewe.training_sets.atom_map_columns import Columns, apparent_columns
from crewe.training_sets.atom_map_probe import Beam, draw_beam
from crewe.training_sets.atom_map_recipe import AtomMaps, Instrument, Labels
from crewe.training_sets.atom_map_specimen import (
    DrawnSpecimen,
    check_materials,
    draw_specimen,
)
from crewe.training_sets.background import background
from crewe.training_sets.masks import circular_mask, gaussian_mask
from crewe.training_sets.sample import ArrayLayout, Fact, Sample

Image = NDArray[np.float32]
Arrays = dict[str, NDArray[np.generic]]
TRIES = 20
MOST_COUNTS = 65535


@dataclass(frozen=True)
class AtomMapMaker:
    """Makes the samples of an atom-map recipe."""

    part: AtomMaps

    @classmethod
    def read(cls, settings: dict[str, Any], lines: Lines) -> AtomMapMaker:
        """Read the settings of a recipe. Raises RecipeError."""
        part = AtomMaps.read(settings, lines)
        check_materials(part, lines)
        return cls(part)

    @property
    def name(self) -> str:
        """Name of the recipe."""
        return self.part.name

    @property
    def text(self) -> str:
        """The recipe as YAML, every default spelled out."""
        return to_yaml(self.part)

    def layout(self) -> tuple[ArrayLayout, ...]:
        """Return the image and nine labels; the tenth label is the table of positions."""
        return tuple(
            ArrayLayout(name, (factor * self.part.size_px,) * 2, dtype, description)
            for name, factor, dtype, description in _ARRAYS
        )

    def table_columns(self) -> Mapping[str, Mapping[str, str]]:
        """Return the columns of the table of positions."""
        return {"positions": dict(_POSITIONS)}

    def sample(self, seed: int, index: int) -> Sample:
        """Make sample `index`; a specimen of which the field shows no column is drawn again.

        Raises RecipeError when nothing can be seen time after time.
        """
        for attempt in range(TRIES):
            made = _make(self.part, child_generator(seed, index, attempt))
            if made is not None:
                return made
        raise RecipeError(
            f"recipe {self.name}: no column in the field of view of sample {index} in {TRIES} "
            "tries: widen field_of_view_angstrom, or make particles larger"
        )


@dataclass(frozen=True)
class _Scene:
    """One specimen in the microscope, without noise."""

    pixel_size: float
    specimen: DrawnSpecimen
    beam: Beam
    atoms: images.ProjectedAtoms
    transfer: NDArray[np.generic]
    fwhm: float
    columns: Columns


def _make(part: AtomMaps, rng: Generator) -> Sample | None:
    scene = _scene(part, rng)
    if not scene.columns.visible.any():
        return None
    scale = part.instrument.draw("electrons_per_column", rng) / _mean_visible(scene.columns)
    arrays = _smooth_labels(scene, scale, part, rng)
    arrays |= _masks(scene, part.labels, part.size_px)
    jitter = _take(arrays, scene, part.instrument, rng)
    table = _positions(scene.columns, scale)
    return Sample(
        {name: arrays[name] for name, *_ in _ARRAYS},
        _facts(scene, scale, jitter, part.size_px),
        {"positions": table},
    )


def _scene(part: AtomMaps, rng: Generator) -> _Scene:
    field = part.draw("field_of_view_angstrom", rng)
    pixel = field / part.size_px
    specimen = draw_specimen(part, field, pixel, images.margin_angstrom(pixel), rng)
    beam = draw_beam(part.instrument, rng)
    atoms = images.project(specimen.cloud, beam.exponent, part.size_px, pixel)
    vibration = images.gaussian_transfer(atoms, part.body.draw("rms_displacement_angstrom", rng))
    transfer = images.probe_transfer(atoms, beam.optics) * vibration
    fwhm = images.full_width(atoms, transfer)
    columns = apparent_columns(
        specimen.cloud,
        beam.exponent,
        field,
        pixel,
        part.labels.resolved_fraction * fwhm,
        part.labels.visible_fraction,
    )
    return _Scene(pixel, specimen, beam, atoms, transfer, fwhm, columns)


def _mean_visible(columns: Columns) -> float:
    return float(columns.strength[columns.visible].mean())


def _smooth_labels(scene: _Scene, scale: float, part: AtomMaps, rng: Generator) -> Arrays:
    """Expected electrons per pixel, with and without background, and sharper or finer ones."""
    clean = scale * images.image(scene.atoms, scene.transfer)
    fine = scale * images.fine_image(scene.atoms, scene.transfer)
    below = np.zeros_like(fine)
    if part.chance("background_probability", rng):
        below += background(part.background, fine.shape, rng) * fine.max()
    # A Gaussian narrower than this would not be sampled: its integral would come and go.
    width = max(part.labels.super_resolution_width_angstrom, 0.6 * scene.pixel_size)
    sharp = images.gaussian_transfer(scene.atoms, width)
    return {
        "clean": clean,
        "no_noise": clean + _binned(below),
        "up_interpolation_2x": fine + below,
        "up_interpolation_2x_no_background": fine,
        "super_resolution": scale * images.image(scene.atoms, sharp),
    }


def _binned(fine: Image) -> Image:
    rows, columns = fine.shape
    return fine.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3), dtype=np.float32)


def _masks(scene: _Scene, labels: Labels, size: int) -> Arrays:
    marked = scene.columns.positions[scene.columns.visible]
    shape, pixel = (size, size), scene.pixel_size
    return {
        "circular_mask": circular_mask(marked, shape, pixel, scene.fwhm),
        "small_circular_mask": circular_mask(marked, shape, pixel, scene.fwhm / 2),
        "gaussian_mask": gaussian_mask(marked, shape, pixel, labels.gaussian_width_angstrom),
    }


def _take(arrays: Arrays, scene: _Scene, part: Instrument, rng: Generator) -> float:
    """Scan and count: add `image` and `no_background`, and return the jitter in Å.

    Electrons from the specimen and from the background are counted one by one, so that
    `no_background` holds the very electrons of `image` that the specimen scattered.
    """
    jitter = 0.0
    signal = np.asarray(arrays["clean"], np.float32)
    below = np.asarray(arrays["no_noise"], np.float32) - signal
    if part.chance("jitter_probability", rng):
        jitter = part.draw("jitter_px", rng) * scene.pixel_size
        hum = LineFrequency(
            pixel_size_angstrom=scene.pixel_size,
            sigma_angstrom=jitter,
            frequency_hz=part.draw("mains_hz", rng),
            line_time_ms=part.draw("line_time_ms", rng),
            start_phase_deg=rng.uniform(0, 360),
        )
        away = line_frequency_displacement(signal.shape, hum, rng)
        signal, below = displace(signal, away), displace(below, away)
    counted = poisson_image(np.maximum(signal, 0), rng)
    stray = poisson_image(np.maximum(below, 0), rng)
    arrays["no_background"] = np.minimum(counted, MOST_COUNTS).astype(np.uint16)
    arrays["image"] = np.minimum(counted + stray, MOST_COUNTS).astype(np.uint16)
    return jitter


def _positions(columns: Columns, scale: float) -> dict[str, NDArray[np.generic]]:
    return {
        "x": columns.positions[:, 1],
        "y": columns.positions[:, 0],
        "electrons": columns.strength * scale,
        "atoms": columns.atoms.astype(np.int32),
        "heaviest": columns.heaviest,
        "visible": columns.visible,
    }


def _facts(scene: _Scene, scale: float, jitter: float, size: int) -> dict[str, Fact]:
    beam, columns = scene.beam, scene.columns
    field = size * scene.pixel_size
    # Electrons per Z^γ over cross-section per Z^γ, for the heaviest element that is there.
    heaviest = int(columns.heaviest.max())
    dose = scale * heaviest**beam.exponent / beam.cross_section(heaviest)
    return {
        **scene.specimen.facts,
        "field_of_view_angstrom": field,
        "pixel_size_angstrom": scene.pixel_size,
        "dose_e_per_angstrom2": float(dose),
        "electrons_per_column": scale * _mean_visible(columns),
        "columns": int(columns.visible.sum()),
        "columns_hidden": int((~columns.visible).sum()),
        "atoms": int(columns.atoms.sum()),
        "probe_fwhm_angstrom": scene.fwhm,
        "jitter_angstrom": jitter,
        **beam.facts,
    }


_ELECTRONS = "electrons per pixel"
_ARRAYS = (
    ("image", 1, "uint16", "Counted electrons per pixel, with background, noise and scan noise."),
    ("circular_mask", 1, "uint8", "1 within half the probe's FWHM of a visible column."),
    ("small_circular_mask", 1, "uint8", "1 within a quarter of the probe's FWHM of a column."),
    ("gaussian_mask", 1, "float32", "Gaussian of height 1 at each visible column."),
    ("no_noise", 1, "float32", f"Expected {_ELECTRONS}, background included, unjittered."),
    ("no_background", 1, "uint16", "The electrons of the image that the specimen scattered."),
    ("clean", 1, "float32", f"Expected {_ELECTRONS} from the specimen, unjittered."),
    ("super_resolution", 1, "float32", f"Clean with a narrow Gaussian as probe; {_ELECTRONS}."),
    (
        "up_interpolation_2x",
        2,
        "float32",
        f"No noise on pixels half as wide; {_ELECTRONS} of the image.",
    ),
    (
        "up_interpolation_2x_no_background",
        2,
        "float32",
        f"Clean on pixels half as wide; {_ELECTRONS} of the image.",
    ),
)
_POSITIONS = {
    "x": "float64",
    "y": "float64",
    "electrons": "float64",
    "atoms": "int32",
    "heaviest": "uint8",
    "visible": "bool",
}
