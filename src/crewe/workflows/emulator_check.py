"""Whether an emulator may be asked about an image, a specimen or pairs, and how well it answers."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from crewe import axes, io
from crewe.errors import CalibrationError, ReadError
from crewe.physics.optics import Optics
from crewe.simulation.emulator.fit import known_pixels
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.pairs import Pair, PairSet, read_pairs
from crewe.simulation.emulator.registration import common_shift
from crewe.simulation.emulator.scores import Score
from crewe.simulation.emulator.suitability import (
    brightness_reasons,
    element_reasons,
    pixel_reasons,
    suitability,
    symbols,
)
from crewe.simulation.multislice_settings import AnnularDetector
from crewe.workflows.observer import Observer, Silent

SPECIMEN_SUFFIXES = (".cif", ".xyz", ".extxyz")
_PAIRED = re.compile(r"^linear(_\d+)?(\.npy|/.*)?$")
# Pairs registered like those of the training agree to a fraction of this.
SHIFT_TOLERANCE_PX = 0.1


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

    Pairs are scored as well: 1 − R², fractional r.m.s. error and the shares of pixels within one
    and two standard errors. Raises CreweError for a file that cannot be used.
    """
    told = observer or Silent()
    told.started(path.name)
    if not path.exists():
        raise ReadError(f"{path} does not exist: check the path")
    if path.suffix.lower() in SPECIMEN_SUFFIXES:
        report = suitability(emulator, io.read_atoms(path), optics, detector, pixel_size_angstrom)
        share = {"share_outside": report.share_outside}
        return Verdict(path.as_posix(), "specimen", report.inside, report.reasons, share)
    if holds_pairs(path):
        return _check_pairs(emulator, path, told)
    return _check_image(emulator, path, pixel_size_angstrom)


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


def _check_image(emulator: Emulator, path: Path, pixel_size_angstrom: float | None) -> Verdict:
    image = io.read_image(path)
    size = pixel_size_angstrom
    if size is None and axes.length_unit(image) == "Å":
        size = axes.sampling(image)[0]
    linear = np.ascontiguousarray(image.values, dtype=np.float32)
    report = emulator.check(linear)
    reasons = (
        *pixel_reasons(emulator, size),
        *brightness_reasons(emulator, linear),
        *report.reasons,
    )
    share = {"share_outside": report.share_outside}
    return Verdict(path.as_posix(), "image", not reasons, reasons, share)


def _check_pairs(emulator: Emulator, path: Path, observer: Observer) -> Verdict:
    pairs = read_pairs(path)
    tally = _Tally()
    reasons = list(_pair_set_reasons(emulator, pairs))
    observer.stage_started("comparing")
    for done, pair in enumerate(pairs):
        reasons += [f"pair {pair.name}: {reason}" for reason in _pair_reasons(emulator, pair)]
        tally.add(emulator, pair)
        observer.advanced("comparing", (done + 1) / len(pairs))
    return Verdict(path.as_posix(), "pairs", not reasons, tuple(reasons), tally.figures())


def _pair_set_reasons(emulator: Emulator, pairs: PairSet) -> Iterator[str]:
    """What speaks against the pairs as a whole: other pixels, another shift."""
    described = pairs.about.get("convolution")
    if isinstance(described, dict):
        yield from pixel_reasons(emulator, described.get("pixel_size_angstrom"))
    shift, trained = common_shift(pairs)[0], emulator.shift_px
    if emulator.plan.register and np.hypot(*np.subtract(shift, trained)) > SHIFT_TOLERANCE_PX:
        yield (
            f"its images are shifted by {_shift(shift)} px against each other, those of the "
            f"training by {_shift(trained)} px"
        )


def _pair_reasons(emulator: Emulator, pair: Pair) -> Iterator[str]:
    if pair.numbers is not None:
        yield from element_reasons(emulator, pair.numbers)
    yield from brightness_reasons(emulator, pair.linear)
    yield from emulator.check(pair.linear).reasons


class _Tally:
    """Errors over all pixels of all pairs."""

    def __init__(self) -> None:
        self.score = Score()
        self.images: list[dict[str, Any]] = []
        self.within = np.zeros(2)

    def add(self, emulator: Emulator, pair: Pair) -> None:
        """Compare a pair where features and registration leave its pixels valid."""
        known = known_pixels(emulator, pair)
        emulated, actual = emulator.predict(pair.linear)[known], pair.multislice[known]
        one = Score()
        one.add(emulated, actual)
        self.score.merge(one)
        self.images.append({"name": pair.name, "one_minus_r2": one.one_minus_r2})
        ratio = np.abs(emulated - actual) / emulator.standard_error(pair.linear)[known]
        self.within += [(ratio <= limit).sum() for limit in (1, 2)]

    def figures(self) -> dict[str, Any]:
        """All of it in numbers."""
        if self.score.pixels == 0:
            raise CalibrationError("no pixel of these pairs can be compared: the images are small")
        within = self.within / self.score.pixels
        return {
            "one_minus_r2": self.score.one_minus_r2,
            "fractional_rms": self.score.fractional_rms,
            "within_1_standard_error": float(within[0]),
            "within_2_standard_errors": float(within[1]),
            "pairs": len(self.images),
            "pixels": self.score.pixels,
            "images": self.images,
        }


def _shift(shift: tuple[float, float]) -> str:
    return f"({shift[0]:.2f}, {shift[1]:.2f})"
