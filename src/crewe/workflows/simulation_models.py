"""The three ways to an image of a specimen: linear, multislice, emulated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import CalibrationError
from crewe.simulation.convolution import Convolution
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.suitability import detector_reasons, suitability
from crewe.simulation.field import Field, images_within
from crewe.simulation.linear import reach_angstrom
from crewe.simulation.multislice_detectors import AnnularDetector
from crewe.simulation.multislice_settings import MultisliceSettings
from crewe.workflows.observer import Observer
from crewe.workflows.phonon_folder import PhononFolder, PhononTask
from crewe.workflows.phonon_tasks import carry_out
from crewe.workflows.simulate_plan import LINEAR, SimulationPlan
from crewe.workflows.simulation_specimen import Specimen

if TYPE_CHECKING:
    from ase import Atoms

Values = NDArray[Any]


@dataclass(frozen=True)
class Simulated:
    """Images (thickness, detector, y, x) in fractions of the beam."""

    values: Values
    errors: Values | None = None
    """Standard errors of the same shape."""
    rings: dict[str, AnnularDetector] = field(default_factory=dict)
    """The detector of each image, by name, as far as it is known."""
    depths_angstrom: tuple[float, ...] | None = None
    """Where there are images at several depths, the end of the slice after which each is taken."""
    facts: dict[str, Any] = field(default_factory=dict)
    """What was found on the way, as plain values."""


def linear_images(plan: SimulationPlan, specimen: Specimen, observer: Observer) -> Simulated:
    """Convolution images, scaled by each detector's cross-sections."""
    observer.stage_started(LINEAR)
    optics = plan.optics
    images = []
    for name, ring in plan.detectors.items():
        if optics is not None and ring.inner_mrad < optics.semi_angle_mrad:
            observer.warning(
                f"detector {name} sees the beam itself (from {ring.inner_mrad:g} mrad, the "
                f"semi-angle is {optics.semi_angle_mrad:g} mrad): its linear image is that of "
                "scattered electrons only; use multislice"
            )
        how = plan.convolution(ring)
        numbers, places = images_within(
            specimen.atoms, specimen.field, plan.pixel_angstrom, _probe_reach(how)
        )
        own = specimen.atoms.numbers
        images.append(how.image(numbers, places, specimen.field.shape, own))
    return Simulated(np.stack(images)[None], rings=plan.detectors)


def _probe_reach(how: Convolution) -> float:
    """How far outside the field atoms of a repeating specimen still show, in Å."""
    probe = how.probe_sigma_angstrom or how.optics
    # A convolution has one or the other.
    assert probe is not None
    return reach_angstrom(probe)


def multislice_images(
    plan: SimulationPlan, specimen: Specimen, folder: Path, observer: Observer, workers: int
) -> Simulated:
    """Mean over phonon configurations, each kept in a folder until all are there.

    Configuration c is displaced by the generator of the seeds (plan.seed, c), so that more of them
    add to those that are there.
    """
    from crewe.workflows.simulation_note import file_facts, simulation_versions

    # Settings that contradict each other are told before anything is simulated.
    depths = _depths(plan, specimen)
    _warn_of_few(plan, observer)
    kept = PhononFolder(folder)
    described = {**plan.settings(), **file_facts(plan)}
    # More configurations of the same simulation go on with what is there.
    for key in ("phonons", "errors", "device"):
        described.pop(key, None)
    kept.prepare(described, simulation_versions())
    make = partial(
        one_configuration,
        specimen.atoms,
        plan.optics,
        list(plan.detectors.values()),
        plan.pixel_angstrom,
        plan.multislice_settings(),
        plan.thicknesses_angstrom,
        specimen.field,
        specimen.repeats,
    )
    missing = [c for c in range(plan.phonons) if not kept.has(0, c)]
    tasks = [PhononTask(kept, 0, c, partial(make, (plan.seed, c))) for c in missing]
    carry_out(tasks, observer, workers, plan.phonons - len(missing))
    mean, error = kept.mean(0, list(range(plan.phonons)))
    return Simulated(mean, error if plan.errors else None, plan.detectors, depths)


def _warn_of_few(plan: SimulationPlan, observer: Observer) -> None:
    if plan.vibration_angstrom == 0:
        observer.warning(
            "atoms do not move: without thermal vibration columns are too bright in a ring at high "
            "angles; give --vibration (such as 0.08 Å) and --phonons (such as 12)"
        )
    elif plan.phonons == 1:
        observer.warning(
            "a single configuration of frozen phonons is noisy: average several with --phonons "
            "(such as 12)"
        )


def _depths(plan: SimulationPlan, specimen: Specimen) -> tuple[float, ...] | None:
    """Depths in Å at which there are images: those asked for, taken to the nearest slice."""
    from crewe.simulation.multislice_run import prepare

    assert plan.optics is not None
    run = prepare(
        specimen.atoms,
        plan.optics,
        list(plan.detectors.values()),
        plan.pixel_angstrom,
        plan.multislice_settings(),
        plan.thicknesses_angstrom,
        specimen.field,
        specimen.repeats,
    )
    if plan.thicknesses_angstrom is None:
        return None
    return tuple(round((plane + 1) * run.slab.slice_angstrom, 6) for plane in run.planes)


def one_configuration(
    atoms: Atoms,
    optics: Any,
    detectors: list[AnnularDetector],
    pixel_size_angstrom: float,
    settings: MultisliceSettings,
    thicknesses_angstrom: tuple[float, ...] | None,
    place: Field,
    repeats: tuple[int, int],
    seeds: tuple[int, ...],
    progress: Callable[[int, int], None],
) -> NDArray[np.float32]:
    """Images (thickness, detector, y, x) of one phonon configuration."""
    from crewe.simulation.multislice import annular_series

    series = annular_series(
        atoms,
        optics,
        detectors,
        pixel_size_angstrom,
        np.random.default_rng(seeds),
        settings=settings,
        thicknesses_angstrom=thicknesses_angstrom,
        field=place,
        repeats=repeats,
        progress=progress,
    )
    result: NDArray[np.float32] = series.values.astype(np.float32)
    return result


def emulated_images(
    plan: SimulationPlan, emulator: Emulator, specimen: Specimen, observer: Observer
) -> Simulated:
    """Emulated image, if the emulator may be asked for it.

    Raises CalibrationError that says what speaks against it, unless the plan forces an answer.
    """
    observer.stage_started("emulator")
    ring = matching_ring(plan, emulator)
    rings = own_ring(plan, emulator)
    dropped = [name for name in plan.detectors if name not in rings]
    if len(plan.detectors) > 1 and dropped:
        observer.warning(
            f"an emulator makes the image of one detector: {', '.join(dropped)} left out"
        )
    report = suitability(emulator, specimen.atoms, plan.optics, ring, plan.pixel_size_angstrom)
    facts: dict[str, Any] = {
        "inside_domain": report.inside,
        "reasons": list(report.reasons),
        "share_outside": round(report.share_outside, 6),
    }
    if not report.inside:
        said = "; ".join(report.reasons)
        if not plan.force:
            raise CalibrationError(
                f"{plan.model} cannot be trusted with {plan.specimen.name}: {said}. Use the model "
                "multislice, fit an emulator to such specimens, or add --force for its answer"
            )
        observer.warning(f"answers against its training: {said}")
    for remark in report.remarks:
        observer.warning(remark)
    how = emulator.convolution
    if how is None:
        raise CalibrationError(f"{plan.model} does not know how its convolution images were made")
    border = emulator.feature_set.reach_px
    reach = border * how.pixel_size_angstrom + _probe_reach(how)
    numbers, places = images_within(specimen.atoms, specimen.field, how.pixel_size_angstrom, reach)
    shape = specimen.field.shape
    own = specimen.atoms.numbers
    values = emulator.image_of(numbers, places, shape, own)
    if not plan.errors:
        return Simulated(values[None, None], None, rings, facts=facts)
    offset = [border * how.pixel_size_angstrom] * 2 + [0.0]
    wide_shape = (shape[0] + 2 * border, shape[1] + 2 * border)
    wide = how.image(numbers, places + offset, wide_shape, own)
    # The shift is that between training images; atoms stand where they are.
    errors = replace(emulator, shift_px=(0.0, 0.0)).standard_error(wide)
    inner = slice(border, border + shape[0]), slice(border, border + shape[1])
    return Simulated(values[None, None], errors[inner][None, None], rings, facts=facts)


def own_ring(plan: SimulationPlan, emulator: Emulator) -> dict[str, AnnularDetector]:
    """The detector that an emulator was made for, as the plan calls it, or 'emulator'."""
    known = None if emulator.convolution is None else emulator.convolution.detector
    if known is None:
        return {}
    called = [name for name, ring in plan.detectors.items() if not detector_reasons(emulator, ring)]
    return {next(iter(called), "emulator"): known}


def matching_ring(plan: SimulationPlan, emulator: Emulator) -> AnnularDetector | None:
    """The plan's detector that the emulator was made for, else its first, if there is one."""
    rings = list(plan.detectors.values())
    fitting = [ring for ring in rings if not detector_reasons(emulator, ring)]
    return next(iter([*fitting, *rings]), None)
