"""Whether an emulator may be asked about an image, a specimen or pairs, and how well it answers."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from crewe import axes, io
from crewe.errors import ReadError
from crewe.physics.optics import Optics
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.suitability import (
    brightness_reasons,
    detector_reasons,
    optics_reasons,
    pixel_reasons,
    suitability,
    symbols,
)
from crewe.simulation.multislice_settings import AnnularDetector
from crewe.workflows.emulator_check_pairs import PairsCheck
from crewe.workflows.emulator_fit_probe import probe_was_fitted
from crewe.workflows.observer import Observer, Silent

SPECIMEN_SUFFIXES = (".cif", ".xyz", ".extxyz")
_PAIRED = re.compile(r"^linear(_\d+)?(\.npy|/.*)?$")


@dataclass(frozen=True)
class Verdict:
    """What was found of one input."""

    name: str
    """Its file."""
    kind: Literal["image", "specimen", "pairs"]
    inside: bool
    """Whether nothing speaks against asking the emulator about it."""
    reasons: tuple[str, ...]
    """What speaks against it."""
    figures: dict[str, Any] = field(default_factory=dict)
    """Numbers that can be written as JSON."""
    remarks: tuple[str, ...] = ()
    """What could not be compared or was done differently; speaks for nothing."""


def check_input(
    emulator: Emulator,
    path: Path,
    *,
    optics: Optics | None = None,
    detector: AnnularDetector | None = None,
    pixel_size_angstrom: float | None = None,
    observer: Observer | None = None,
) -> Verdict:
    """Compare a convolution image, a specimen (.cif, .xyz) or pairs (npz, zarr) with the training.

    Lens, detector and pixel size that are given are compared whatever the input is, and beside them
    those that pairs describe. Pairs are scored as well: 1 − R², fractional r.m.s. error and the
    shares of pixels within one and two standard errors. Raises CreweError for a file that cannot be
    used.
    """
    told = observer or Silent()
    told.started(path.name)
    if not path.exists():
        raise ReadError(f"{path} does not exist: check the path")
    if path.suffix.lower() in SPECIMEN_SUFFIXES:
        report = suitability(emulator, io.read_atoms(path), optics, detector, pixel_size_angstrom)
        share = {"share_outside": report.share_outside}
        said = report.reasons, share, report.remarks
        return Verdict(path.as_posix(), "specimen", report.inside, *said)
    given = [
        *optics_reasons(emulator, optics),
        *detector_reasons(emulator, detector),
        *pixel_reasons(emulator, pixel_size_angstrom),
    ]
    if holds_pairs(path):
        return _check_pairs(emulator, path, given, told)
    return _check_image(emulator, path, given, pixel_size_angstrom)


def described(emulator: Emulator, path: Path) -> dict[str, Any]:
    """Everything an emulator knows of itself, as plain values for JSON."""
    about, how = emulator.about, emulator.convolution
    validation = about.get("cross_validation") or {}
    figures = ("one_minus_r2", "fractional_rms", "kind", "folds", "repeats", "coverage")
    return {
        "emulator": path.as_posix(),
        "bytes": path.stat().st_size,
        "plan": emulator.plan.to_dict(),
        "terms": emulator.plan.terms().count,
        "features": list(emulator.feature_set.names),
        "convolution": None if how is None else how.to_dict(),
        "elements": [symbols([z]) for z in about.get("elements") or ()],
        "thickness_angstrom": about.get("thickness_angstrom"),
        "shift_px": list(emulator.shift_px),
        "pairs": len(about.get("pairs", ())),
        "pixels": about.get("pixels"),
        **{name: validation.get(name) for name in figures},
        "phonon_floor": validation.get("phonon_floor"),
        "share_limit": emulator.domain.share_limit,
        "source": (about.get("settings") or {}).get("pairs"),
        "versions": about.get("versions"),
    }


def holds_pairs(path: Path) -> bool:
    """Whether a file or folder holds arrays named as those of pairs are."""
    if path.is_dir():
        return any(_PAIRED.match(entry.name) for entry in path.iterdir())
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(_PAIRED.match(name) for name in archive.namelist())


def _check_image(
    emulator: Emulator, path: Path, given: list[str], pixel_size_angstrom: float | None
) -> Verdict:
    image = io.read_image(path)
    reasons, remarks = list(given), []
    if pixel_size_angstrom is None and axes.length_unit(image) == "Å":
        if emulator.convolution is None:
            remarks.append("pixel size is not compared: it does not say for which it was made")
        else:
            reasons += pixel_reasons(emulator, axes.sampling(image)[0])
    if probe_was_fitted(emulator):
        remarks.append(
            "its exponent and probe were fitted: the image must be made with these, see "
            "'crewe emulator check EMULATOR'"
        )
    linear = np.ascontiguousarray(image.values, dtype=np.float32)
    report = emulator.check(linear)
    reasons += [*brightness_reasons(emulator, linear), *report.reasons]
    share = {"share_outside": report.share_outside}
    return Verdict(path.as_posix(), "image", not reasons, tuple(reasons), share, tuple(remarks))


def _check_pairs(emulator: Emulator, path: Path, given: list[str], observer: Observer) -> Verdict:
    found = PairsCheck(emulator, path)
    found.score(observer)
    # A lens may be both given and described.
    reasons = tuple(dict.fromkeys([*given, *found.reasons]))
    remarks = tuple(found.remarks)
    return Verdict(path.as_posix(), "pairs", not reasons, reasons, found.figures, remarks)
