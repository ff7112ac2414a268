"""The typed request for fused element maps: which files, which method, what is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)

from crewe.errors import PlanError
from crewe.io.atomic import atomic_path
from crewe.workflows.plan import PlanPart
from crewe.workflows.plan_mistakes import mistakes
from crewe.workflows.portable_path import portable_path
from crewe.workflows.yaml_mapping import LARGEST_SETTINGS_BYTES, read_mapping

NOTE_NAME, PAGE_NAME = "fusion.yaml", "report.html"
Format = Literal["tif", "hspy", "h5", "zarr", "npz", "npy"]
Prior = Literal["auto", "composition", "columns", "spectra", "amounts"]
Likelihood = Literal["auto", "poisson", "least_squares"]


class FusePlan(PlanPart):
    """From a HAADF image and element maps to fused maps with standard errors."""

    haadf: Path
    """The file of the HAADF image, or of image and maps together."""
    maps: dict[str, Path] = Field(default_factory=dict)
    """File of the map of each element; nothing takes the maps, or spectra, of the HAADF's file."""
    elements: tuple[str, ...] = ()
    """Elements to take from a file that holds image and maps; nothing takes those that it names."""
    output: Path = Path()
    """Folder that the results go to."""
    signal: NonNegativeInt | str | None = None
    """Which signal of the HAADF's file is the image; `crewe info` lists them."""
    lines: dict[str, str] = Field(default_factory=dict)
    """X-ray line or edge of an element, such as La, where maps are made of spectra."""
    source: Literal["auto", "spectra", "maps"] = "auto"
    """What is taken of a file that holds both spectra and maps."""
    technique: Literal["edx", "eels"] | None = None
    """What spectra are; nothing asks the file."""
    prior: Prior = "auto"
    """What is smooth and what HAADF does, see `crewe.chemistry.fuse`."""
    strength: PositiveFloat | None = None
    """How much it is smoothed; nothing asks the counts."""
    gamma: float | None = Field(default=None, ge=1.0, le=2.5)
    """Exponent of the atomic number in HAADF; nothing asks the counts."""
    guide_smoothing_px: NonNegativeFloat | None = None
    """How much HAADF is smoothed before it guides, in pixels; nothing asks the counts."""
    likelihood: Likelihood = "auto"
    """Poisson for counts, least squares for anything else."""
    align: bool = True
    """Whether HAADF is shifted onto the maps where they do not lie on each other."""
    standard_error: Literal["repeats", "hessian", "none"] = "repeats"
    """Standard error maps from fits to noise drawn anew, from the curvature (eq. 4), or none."""
    repeats: int = Field(default=8, ge=3)
    """How often noise is drawn anew."""
    sensitivity: dict[str, PositiveFloat] = Field(default_factory=dict)
    """What one atom of each element adds to its map, up to a common factor, for atomic fractions;
    1 for those that are not named."""
    tile_px: PositiveInt = 1024
    """Images with a longer side are fused in tiles of up to this side."""
    overlap_px: NonNegativeInt = 128
    """Pixels that neighbouring tiles share."""
    seed: NonNegativeInt = 0
    """Seed of splitting counts and of the noise drawn anew."""
    format: Format = "tif"
    """Suffix of the maps."""

    @field_validator("maps", "elements", "sensitivity", "lines")
    @classmethod
    def _are_elements(cls, given: Any) -> Any:
        from crewe.chemistry.checks import element_symbol

        try:
            symbols = [element_symbol(name) for name in given]
        except PlanError as error:
            raise ValueError(str(error)) from error
        if len(set(symbols)) < len(symbols):
            raise ValueError("an element is named twice: name each once")
        if isinstance(given, dict):
            return dict(zip(symbols, given.values(), strict=True))
        return tuple(symbols)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.maps and (self.elements or self.lines):
            raise ValueError(
                "elements and lines choose what is taken of one file: leave them out where maps "
                "are given"
            )
        if self.overlap_px >= self.tile_px:
            raise ValueError(
                f"tiles of {self.tile_px} px cannot share {self.overlap_px} px (overlap_px): give "
                f"--tile {self.overlap_px + 1} at least, better {4 * self.overlap_px}"
            )
        elements = tuple(self.maps) or self.elements
        if elements and self.idle_sensitivity(elements):
            raise ValueError(self.idle_sensitivity(elements))
        return self

    def idle_sensitivity(self, elements: Sequence[str]) -> str:
        """Say which sensitivities are those of no map of these elements; empty where none is."""
        missing = [symbol for symbol in self.sensitivity if symbol not in elements]
        if not missing:
            return ""
        return (
            f"--sensitivity {', '.join(missing)}: there is no map of it, the maps are of "
            f"{', '.join(elements)}"
        )

    @property
    def inputs(self) -> dict[str, Path]:
        """All files that are read, by what they hold: 'haadf' and the elements."""
        return {"haadf": self.haadf, **self.maps}

    @property
    def note(self) -> Path:
        """Where plan, provenance and figures are written; the last of the files."""
        return self.output / NOTE_NAME

    def settings(self) -> dict[str, Any]:
        """Return what decides the numbers, as it is written in the note."""
        plain = self.model_dump(mode="json", exclude={"output"})
        named = {element: path.name for element, path in self.maps.items()}
        return {**plain, "haadf": self.haadf.name, "maps": named}


def fuse_plan(settings: Mapping[str, Any], origin: str = "") -> FusePlan:
    """Make a plan of settings. Raises PlanError that names every wrong one."""
    try:
        return FusePlan.model_validate(settings)
    except ValidationError as error:
        where = f"{origin}: " if origin else ""
        raise PlanError(f"{where}this cannot be fused: {mistakes(error, settings)}") from error


def read_fuse_settings(path: Path) -> dict[str, Any]:
    """Read the settings of a plan file, which may be part of a plan; paths are the file's own.

    Raises PlanError for a file that is missing, is no YAML or holds no keys.
    """
    expected = "those of a fusion, such as 'haadf' and 'maps'"
    settings = read_mapping(path, expected, LARGEST_SETTINGS_BYTES)
    return _with_paths(settings, lambda text: os.path.normpath(path.parent / text))


def load_fuse_plan(path: Path) -> FusePlan:
    """Read a plan from YAML. Raises PlanError for what is none."""
    return fuse_plan(read_fuse_settings(path), str(path))


def save_fuse_plan(plan: FusePlan, path: Path, overwrite: bool = False) -> None:
    """Write a plan as YAML, its paths relative to the file's folder. Raises WriteError."""
    settings = plan.model_dump(mode="json", exclude_none=True)
    portable = _with_paths(settings, lambda text: portable_path(Path(text), path.parent))
    with atomic_path(path, overwrite) as temporary:
        said = yaml.safe_dump(portable, sort_keys=False, allow_unicode=True)
        temporary.write_text(said, encoding="utf-8")


def _with_paths(settings: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    changed = dict(settings)
    for key in ("haadf", "output"):
        if isinstance(changed.get(key), str):
            changed[key] = change(changed[key])
    if isinstance(changed.get("maps"), dict):
        changed["maps"] = {
            element: change(file) if isinstance(file, str) else file
            for element, file in changed["maps"].items()
        }
    return changed
