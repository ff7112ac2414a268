"""Labelled atomic images: a specimen as an instrument shows it, and ten answers about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from crewe.errors import RecipeError
from crewe.recipes import Lines, child_generator, to_yaml
from crewe.simulation import projected_atoms as images
from crewe.training_sets.atom_map_columns import ApparentColumns
from crewe.training_sets.atom_map_layout import ARRAYS, POSITIONS, layout
from crewe.training_sets.atom_map_recipe import AtomMaps, Labels
from crewe.training_sets.atom_map_scan import take
from crewe.training_sets.atom_map_scene import (
    FIELD,
    FINE_FIELD,
    RIM_PX,
    Scene,
    dose_per_scale,
    draw_scene,
    electrons_per_strength,
    mean_visible,
)
from crewe.training_sets.atom_map_specimen import check_materials
from crewe.training_sets.background import background
from crewe.training_sets.masks import circular_mask, gaussian_mask
from crewe.training_sets.sample import ArrayLayout, Fact, Sample

Image = NDArray[np.float32]
Arrays = dict[str, NDArray[np.generic]]
TRIES = 20


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
        return layout(self.part.size_px)

    def table_columns(self) -> Mapping[str, Mapping[str, str]]:
        """Return the columns of the table of positions."""
        return {"positions": dict(POSITIONS)}

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


def _make(part: AtomMaps, rng: Generator) -> Sample | None:
    scene = draw_scene(part, rng)
    if not scene.columns.visible.any():
        return None
    scale = electrons_per_strength(scene, part.instrument, rng)
    expected = _expected(scene, scale, part, rng)
    arrays: Arrays = {name: array for name, array in expected.items() if array.ndim == 2}
    arrays |= _masks(scene, part.labels, part.size_px)
    wide = expected["signal_with_rim"], expected["below_with_rim"]
    counted, shaken = take(*wide, scene.pixel_size, part.instrument, rng)
    arrays |= counted
    return Sample(
        {name: arrays[name] for name, *_ in ARRAYS},
        {**_facts(scene, scale, part.size_px), **shaken},
        {"positions": _positions(scene.columns, scale)},
    )


def _expected(scene: Scene, scale: float, part: AtomMaps, rng: Generator) -> dict[str, Image]:
    """Expected electrons per pixel: with and without background, sharper, finer, with a rim."""
    fine = np.float32(scale) * scene.fine
    wide = np.float32(scale) * images.image(scene.atoms, scene.transfer, RIM_PX)
    size = part.size_px + 2 * RIM_PX
    below = np.full((2 * size, 2 * size), part.instrument.draw("dark_electrons", rng), np.float32)
    if part.chance("background_probability", rng):
        below += background(part.background, below.shape, rng) * fine.max()
    # A Gaussian narrower than this would not be sampled: its integral would come and go.
    width = max(part.labels.super_resolution_width_angstrom, 0.6 * scene.pixel_size)
    sharp = images.gaussian_transfer(scene.atoms, width)
    clean, below_wide = wide[FIELD], _binned(below)
    return {
        "clean": clean,
        "no_noise": clean + below_wide[FIELD],
        "up_interpolation_2x": fine + below[FINE_FIELD],
        "up_interpolation_2x_no_background": fine,
        "super_resolution": np.float32(scale) * images.image(scene.atoms, sharp),
        "signal_with_rim": wide,
        "below_with_rim": below_wide,
    }


def _binned(fine: Image) -> Image:
    rows, columns = fine.shape
    return fine.reshape(rows // 2, 2, columns // 2, 2).mean(axis=(1, 3), dtype=np.float32)


def _masks(scene: Scene, labels: Labels, size: int) -> Arrays:
    marked = scene.columns.positions[scene.columns.visible]
    shape, pixel = (size, size), scene.pixel_size
    return {
        "circular_mask": circular_mask(marked, shape, pixel, scene.fwhm),
        "small_circular_mask": circular_mask(marked, shape, pixel, scene.fwhm / 2),
        "gaussian_mask": gaussian_mask(marked, shape, pixel, labels.gaussian_width_angstrom),
    }


def _positions(columns: ApparentColumns, scale: float) -> dict[str, NDArray[np.generic]]:
    return {
        "x": columns.positions[:, 1],
        "y": columns.positions[:, 0],
        "electrons": columns.strength * scale,
        "atoms": columns.atoms.astype(np.int32),
        "heaviest": columns.heaviest,
        "visible": columns.visible,
    }


def _facts(scene: Scene, scale: float, size: int) -> dict[str, Fact]:
    columns = scene.columns
    return {
        **scene.specimen.facts,
        "field_of_view_angstrom": size * scene.pixel_size,
        "pixel_size_angstrom": scene.pixel_size,
        "dose_e_per_angstrom2": scale * dose_per_scale(scene),
        "electrons_per_column": scale * mean_visible(columns),
        "columns": int(columns.visible.sum()),
        "columns_hidden": int((~columns.visible).sum()),
        "atoms": int(columns.atoms.sum()),
        "probe_fwhm_angstrom": scene.fwhm,
        **scene.beam.facts,
    }
