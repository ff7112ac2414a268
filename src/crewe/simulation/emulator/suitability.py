"""Whether a specimen, lens and detector are like those that an emulator learned from.

An emulator answers any question. What it was not taught it answers wrongly and without hesitation:
another element, a thicker specimen, another lens, another detector, other pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CalibrationError, SpecimenError
from crewe.physics.optics import Optics
from crewe.simulation.emulator.domain import DomainReport
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.field import choose_field, images_within
from crewe.simulation.linear import reach_angstrom
from crewe.simulation.multislice_settings import AnnularDetector

if TYPE_CHECKING:
    from ase import Atoms

# Numbers of lenses and detectors that differ by less are the same, written down twice.
SAME = 1e-3
# A specimen may be so much thicker, or its brightest column so much brighter, than any in training.
TOLERATED_EXCESS = 1.1
ELEMENTS, THICKNESS, BRIGHTEST = "elements", "thickness_angstrom", "largest_linear"


@dataclass(frozen=True)
class Suitability(DomainReport):
    """What a comparison with the training found, and what it had to leave out."""

    remarks: tuple[str, ...] = ()
    """What could not be compared, in words; nothing that speaks against the specimen."""


def training_facts(pairs: Iterable[Pair]) -> dict[str, Any]:
    """What a specimen is compared with: elements, thickness in Å, brightest convolution pixel.

    Elements and thickness only where the atoms of every pair are known.
    """
    brightest, thickest, elements, known = 0.0, 0.0, set[int](), True
    for pair in pairs:
        brightest = max(brightest, float(pair.linear.max()))
        if pair.numbers is None or pair.positions is None:
            known = False
            continue
        elements |= {int(z) for z in pair.numbers}
        thickest = max(thickest, float(np.ptp(pair.positions[:, 2])))
    facts: dict[str, Any] = {BRIGHTEST: brightest}
    return {**facts, ELEMENTS: sorted(elements), THICKNESS: thickest} if known else facts


def suitability(
    emulator: Emulator,
    atoms: Atoms,
    optics: Optics | None = None,
    detector: AnnularDetector | None = None,
    pixel_size_angstrom: float | None = None,
) -> Suitability:
    """Whether an emulator may be asked for the image of a specimen, seen along z.

    Compares elements, thickness and brightest column with those of the training specimens, and the
    surroundings of the pixels of its convolution image with those seen in training; lens, detector
    and pixel size (Å) where they are given. Elements, a lens or a detector that the emulator does
    not know of its training speak against it; a thickness that it does not know, as of pairs
    without atoms, is a remark. Raises SpecimenError for a specimen without atoms or with NaN
    positions, CalibrationError where the emulator does not know how its convolution images were
    made.
    """
    _check_atoms(atoms)
    reasons = [
        *optics_reasons(emulator, optics),
        *detector_reasons(emulator, detector),
        *pixel_reasons(emulator, pixel_size_angstrom),
        *element_reasons(emulator, atoms.numbers),
        *thickness_reasons(emulator, atoms.positions),
    ]
    linear, border = _convolution_image(emulator, atoms)
    report = _without_border(emulator, emulator.check(linear), border)
    reasons += [*brightness_reasons(emulator, linear), *report.reasons]
    return Suitability(
        not reasons,
        tuple(reasons),
        report.share_outside,
        report.outside,
        tuple(thickness_remarks(emulator)),
    )


def _convolution_image(emulator: Emulator, atoms: Atoms) -> tuple[NDArray[np.float32], int]:
    """Convolution image (y, x) of a specimen, and how many pixels lie around its field.

    A crystal that repeats goes on around it as far as features look: it has no edge.
    """
    how = emulator.convolution
    if how is None:
        raise CalibrationError(
            "this emulator does not know how its convolution images were made, so it takes images "
            "and no atoms; fit it again with a description of them"
        )
    pixel = how.pixel_size_angstrom
    field = choose_field(atoms, pixel, None, 2.0, None)
    border = emulator.feature_set.reach_px if field.periodic else 0
    probe = how.probe_sigma_angstrom or how.optics
    # A convolution has one or the other.
    assert probe is not None
    reach = border * pixel + reach_angstrom(probe)
    numbers, positions = images_within(atoms, field, pixel, reach)
    offset = [border * pixel, border * pixel, 0.0]
    shape = (field.shape[0] + 2 * border, field.shape[1] + 2 * border)
    return how.image(numbers, positions + offset, shape, atoms.numbers), border


def _without_border(emulator: Emulator, report: DomainReport, border: int) -> DomainReport:
    """The report on the pixels within the border alone."""
    if border == 0 or report.outside is None:
        return report
    return emulator.domain.report(report.outside[border:-border, border:-border])


def optics_reasons(emulator: Emulator, optics: Optics | None) -> list[str]:
    """What speaks against a lens: each number in which it differs from the training's."""
    if optics is None:
        return []
    known = None if emulator.convolution is None else emulator.convolution.optics
    if known is None:
        return ["it does not say for which lens it was made"]
    given, trained = asdict(optics), asdict(known)
    return [
        f"{field.name} is {given[field.name]:g}, it was made for {trained[field.name]:g}"
        for field in fields(Optics)
        if not same(given[field.name], trained[field.name])
    ]


def detector_reasons(emulator: Emulator, detector: AnnularDetector | None) -> list[str]:
    """What speaks against a detector: other angles than the training's."""
    if detector is None:
        return []
    known = None if emulator.convolution is None else emulator.convolution.detector
    if known is None:
        return ["it does not say for which detector it was made"]
    given, trained = asdict(detector), asdict(known)
    if all(same(given[name], trained[name]) for name in given):
        return []
    return [f"the detector is {_ring(detector)}, it was made for {_ring(known)}"]


def pixel_reasons(emulator: Emulator, pixel_size_angstrom: float | None) -> list[str]:
    """What speaks against pixels of a size in Å."""
    if pixel_size_angstrom is None:
        return []
    if emulator.convolution is None:
        return ["it does not say for which pixel size it was made"]
    trained = emulator.convolution.pixel_size_angstrom
    if same(pixel_size_angstrom, trained):
        return []
    return [f"pixels are {pixel_size_angstrom:.4g} Å, it was made for {trained:.4g} Å"]


def brightness_reasons(emulator: Emulator, linear: NDArray[np.float32]) -> list[str]:
    """What speaks against a convolution image (y, x): a column brighter than any in training."""
    seen = emulator.about.get(BRIGHTEST)
    found = float(linear.max())
    if seen is None or found <= TOLERATED_EXCESS * float(seen):
        return []
    return [
        f"its brightest column is {found / float(seen):.2f} times as bright in the convolution "
        "image as any in training: more or heavier atoms in a row"
    ]


def element_reasons(emulator: Emulator, numbers: Any) -> list[str]:
    """What speaks against atoms of these atomic numbers: elements that training did not hold."""
    seen = emulator.about.get(ELEMENTS) or []
    if not seen:
        return ["it does not say which elements it learned from: fit it again with --element"]
    new = sorted({int(z) for z in numbers} - {int(z) for z in seen})
    if not new:
        return []
    words = "is no element" if len(new) == 1 else "are no elements"
    return [f"{symbols(new)} {words} of its training, which held {symbols(seen)}"]


def thickness_reasons(emulator: Emulator, positions: Any) -> list[str]:
    """What speaks against atoms at positions (n, 3) in Å: a thickness beyond that of training."""
    seen = emulator.about.get(THICKNESS)
    thickness = float(np.ptp(np.asarray(positions)[:, 2]))
    if seen is None or thickness <= TOLERATED_EXCESS * float(seen):
        return []
    return [f"it is {thickness:.3g} Å thick, the thickest in training {float(seen):.3g} Å"]


def thickness_remarks(emulator: Emulator) -> list[str]:
    """What cannot be compared of the thickness: training pairs without atoms tell none."""
    if emulator.about.get(THICKNESS) is not None:
        return []
    return ["thickness is not compared: it does not say how thick its training specimens were"]


def symbols(numbers: Iterable[int]) -> str:
    """Chemical symbols of atomic numbers, as in 'Mo, Pt'."""
    from ase.data import chemical_symbols

    return ", ".join(chemical_symbols[int(z)] for z in numbers)


def _check_atoms(atoms: Atoms) -> None:
    if len(atoms) == 0:
        raise SpecimenError("the specimen holds no atoms: nothing to image")
    if not np.isfinite(atoms.positions).all():
        raise SpecimenError("positions of the specimen are NaN or infinite")


def same(one: float, other: float) -> bool:
    """Whether two numbers are one, written down twice."""
    return math.isclose(one, other, rel_tol=SAME, abs_tol=1e-9)


def _ring(detector: AnnularDetector) -> str:
    return f"{detector.inner_mrad:g}–{detector.outer_mrad:g} mrad"
