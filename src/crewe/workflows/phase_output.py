"""The files of phase images: one per image, a picture of all, and a note that vouches for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from crewe import io
from crewe.errors import WriteError
from crewe.io.atomic import atomic_path
from crewe.sources import Counters, Known, Scan
from crewe.stem4d.detectors import Annulus
from crewe.workflows.output_folder import check_folder, make_folder, remove_files
from crewe.workflows.phase_plan import NOTE_NAME, PICTURE_NAME

if TYPE_CHECKING:
    import xarray as xr


def check_phase_output(output: Path, overwrite: bool) -> None:
    """Raise WriteError when images may not, or could not, be written in a folder."""
    check_folder(output)
    if (output / NOTE_NAME).exists() and not overwrite:
        raise WriteError(
            f"{output} holds the result of other settings, other data or another version: "
            "choose another folder with -o, or replace it with --overwrite"
        )


def write_phase_result(
    output: Path,
    images: Mapping[str, xr.DataArray],
    note: Mapping[str, Any],
    picture: bytes,
    *,
    suffix: str = "tif",
    overwrite: bool = False,
) -> None:
    """Write OUT/NAME.tif for each image, OUT/overview.png and, last, OUT/phase.yaml.

    Each file appears whole or not at all; the note names the files that it vouches for, and those
    of a note that is replaced are removed first. Raises WriteError.
    """
    check_phase_output(output, overwrite)
    make_folder(output)
    if overwrite:
        remove_files([output / NOTE_NAME, *_written_before(output)])
    noted = {**note, "files": [f"{name}.{suffix}" for name in images]}
    text = json.dumps(noted, ensure_ascii=False)
    for name, image in images.items():
        io.write(output / f"{name}.{suffix}", image.assign_attrs(phase=text), overwrite)
    with atomic_path(output / PICTURE_NAME, overwrite) as temporary:
        temporary.write_bytes(picture)
    with atomic_path(output / NOTE_NAME, overwrite) as temporary:
        said = yaml.safe_dump(noted, sort_keys=False, allow_unicode=True)
        temporary.write_text(said, encoding="utf-8")


def summary_of(
    images: Mapping[str, xr.DataArray],
    scan: Scan,
    calibration: Mapping[str, Any],
    known: Known,
    measured: float,
    counters: Counters,
) -> dict[str, Any]:
    """Return a result in numbers and words, as YAML and JSON know them."""
    return {
        "scan": scan_note(scan),
        "calibration": dict(calibration),
        "beam": asdict(known),
        "images": {name: str(image.attrs.get("units", "")) for name, image in images.items()},
        "measured_share": measured,
        "counters": counters_note(counters),
    }


def overview(
    images: Mapping[str, xr.DataArray],
    pattern: NDArray[np.float64],
    centre: tuple[float, float],
    radius_px: float | None,
    detectors: Mapping[str, Any],
    title: str,
) -> bytes:
    """Draw all images, and the mean pattern with the disk and rings of detectors on it, as PNG."""
    from crewe.plots.phase import phase_figure
    from crewe.plots.save import png_bytes

    rings = {
        name: (ring.inner_px, ring.outer_px)
        for name, ring in detectors.items()
        if isinstance(ring, Annulus)
    }
    figure = phase_figure(images, pattern, centre, radius_px, rings, title=title)
    return png_bytes(figure, 200)


def read_note(output: Path) -> dict[str, Any] | None:
    """Return the note of a folder; None where there is none, or none that can be read."""
    try:
        note = yaml.safe_load((output / NOTE_NAME).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    return note if isinstance(note, dict) else None


def noted_files(output: Path, note: Mapping[str, Any]) -> list[Path]:
    """Return the files that a note vouches for, those outside its folder excepted."""
    names = note.get("files")
    named = names if isinstance(names, list) else []
    return [output / name for name in named if isinstance(name, str) and Path(name).name == name]


def counters_note(counters: Counters) -> dict[str, Any]:
    """Return what came in and what became of it, as YAML and JSON know it."""
    plain = asdict(counters)
    return {**plain, "faults": dict(counters.faults)}


def scan_note(scan: Scan) -> dict[str, Any]:
    """Return how the probe was moved, as YAML and JSON know it."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(scan).items()
    }


def _written_before(output: Path) -> list[Path]:
    note = read_note(output)
    return [] if note is None else noted_files(output, note)
