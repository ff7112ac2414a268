"""Pairs of convolution and multislice images of nanoparticles, end to end from a plan."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError, ReadError, WriteError
from crewe.simulation.emulator.pairs import Pair, write_pairs
from crewe.simulation.field import Field
from crewe.specimens.cloud import AtomCloud
from crewe.specimens.nanoparticles import nanoparticle
from crewe.specimens.orientation import near_zone_axis, random_rotation
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.output_folder import check_folder
from crewe.workflows.pair_set_plan import PairSetPlan
from crewe.workflows.phonon_folder import PhononFolder, PhononTask
from crewe.workflows.phonon_tasks import carry_out
from crewe.workflows.simulation_note import simulation_versions

# Significant bits of a number that are kept, and the finest step in parts of the beam as a power
# of two. An emulator tells tiny differences of neighbouring pixels of the convolution image: with
# 11 bits of it the error of the 378-term fit was 3 % larger, with 14 it was not. The others hold
# phonon noise.
KEPT = {"linear": (14, -21), "multislice": (10, -17), "phonon_error": (5, -17)}
_NAME = re.compile(r"(\d+)_(\d+)\.npy")


def run_pair_set(
    plan: PairSetPlan,
    output: Path,
    observer: Observer | None = None,
    *,
    checkpoint: Path | None = None,
    take_over: Path | None = None,
    as_is: bool = False,
    workers: int = 0,
    device: str = "auto",
    overwrite: bool = False,
) -> dict[str, Any]:
    """Simulate what is missing of a pair set and write it; returns the set in numbers.

    Each phonon configuration of each particle is a file `PARTICLE_CONFIGURATION.npy` in the folder
    `checkpoint`, by default OUTPUT.part. They are made with the configurations outermost, so that
    at any time all particles have about as many; a run that was stopped goes on there, and `as_is`
    makes none and writes the set of those that are there. The folder stays: more configurations or
    particles add to it. `take_over` is a folder of such files made elsewhere from the same plan.
    `device` is where waves are computed, as in `MultisliceSettings`; it is no part of the plan.

    Raises PlanError for a folder of another plan, WriteError where nothing can be written, what a
    simulation raises, and ReadError where `as_is` finds a particle without a configuration.
    """
    told = observer or Silent()
    told.started(str(output))
    _check_output(output, overwrite)
    folder = PhononFolder(checkpoint or output.with_name(f"{output.name}.part"))
    versions = simulation_versions()
    begun = folder.prepare(plan.of_one_configuration(), versions)
    if begun != versions:
        told.warning("the first images were made with other versions of the libraries")
    if take_over is not None:
        told.message(f"{taken_over(plan, folder, take_over)} configurations taken over")
    if not as_is:
        _simulate(plan, folder, told, workers, device)
    told.stage_started("writing")
    pairs = [pair_of(plan, folder, n) for n in range(plan.particles.number)]
    about = describe(plan, folder, begun)
    write_pairs(output, pairs, about, overwrite)
    summary = _summary(plan, pairs, about, output)
    told.finished(
        f"{len(pairs)} pairs with {summary['fewest_configurations']} or more configurations, "
        f"{summary['megabytes']:.3g} MB, written to {output}"
    )
    return summary


def particle(plan: PairSetPlan, number: int) -> AtomCloud:
    """Particle `number` of a plan, drawn by the generator of the seeds (seed, number, 0)."""
    rng = np.random.default_rng([plan.seed, number, 0])
    axis = plan.particles.zone_axis(number)
    if axis is None:
        turn = random_rotation(rng)
    else:
        # Even over the solid angle: the square of the tilt is uniform.
        tilt = plan.particles.largest_tilt_deg * np.sqrt(rng.random())
        turn = near_zone_axis(np.eye(3), axis, tilt, rng)
    return nanoparticle(
        plan.particles.counts,
        rng,
        plan.particles.disorder(number),
        plan.particles.lattice_parameter_angstrom,
        rotation=turn,
    )


def field_of(plan: PairSetPlan, cloud: AtomCloud) -> Field:
    """Field that shows a particle's box with the plan's margin."""
    margin, pixel = plan.margin_angstrom, plan.pixel_size_angstrom
    rows, columns = (math.ceil((cloud.box[n] + 2 * margin) / pixel) + 1 for n in (1, 0))
    return Field((-margin, -margin), (rows, columns), False)


def one_image(
    plan: PairSetPlan,
    number: int,
    configuration: int,
    progress: Callable[[int, int], None],
    device: str = "auto",
) -> NDArray[np.float32]:
    """Multislice image (y, x) of one phonon configuration.

    Displaced by the generator of the seeds (seed, number, 1, configuration).
    """
    from crewe.simulation.multislice import annular_image

    cloud = particle(plan, number)
    image = annular_image(
        cloud,
        plan.optics,
        plan.detector,
        plan.pixel_size_angstrom,
        np.random.default_rng([plan.seed, number, 1, configuration]),
        settings=replace(plan.multislice.settings(), device=device),
        field=field_of(plan, cloud),
        progress=progress,
    )
    result: NDArray[np.float32] = image.values.astype(np.float32)
    return result


def pair_of(plan: PairSetPlan, folder: PhononFolder, number: int) -> Pair:
    """Convolution image, mean multislice image and its standard error of one particle.

    Numbers are rounded to the bits that mean something, so that the file is small. Raises ReadError
    where no configuration is there.
    """
    there = configurations_of(plan, folder, number)
    if not there:
        raise ReadError(
            f"{folder.path} holds no configuration of particle {number}: make one first"
        )
    mean, error = folder.mean(number, there)
    cloud = particle(plan, number)
    place = field_of(plan, cloud)
    if mean.shape != place.shape:
        raise ReadError(
            f"{folder.file(number, there[0])} has the shape {mean.shape}, the plan's image "
            f"{place.shape}: it belongs to another plan"
        )
    positions = cloud.positions - [*place.origin, 0.0]
    linear = plan.convolution.image(cloud.numbers, positions, place.shape)
    return Pair(
        f"{number:02d}",
        rounded(linear, "linear"),
        rounded(mean, "multislice"),
        cloud.numbers.astype(np.int64),
        positions,
        None if error is None else rounded(error, "phonon_error"),
    )


def rounded(values: Any, kind: str) -> NDArray[np.float32]:
    """Round an image of a kind in `KEPT` to the bits that mean something, as float32."""
    bits, finest = KEPT[kind]
    wide = np.asarray(values, dtype=np.float64)
    power = np.maximum(np.frexp(wide)[1] - bits, finest)
    return np.ldexp(np.round(np.ldexp(wide, -power)), power).astype(np.float32)


def configurations_of(plan: PairSetPlan, folder: PhononFolder, number: int) -> list[int]:
    """Configurations of a particle that are there, of those that the plan asks for."""
    return [c for c in range(plan.multislice.configurations) if folder.has(number, c)]


def taken_over(plan: PairSetPlan, folder: PhononFolder, other: Path) -> int:
    """Copy images of single configurations that were made elsewhere; returns how many.

    Only names `PARTICLE_CONFIGURATION.npy` of the plan are taken, and images of the plan's shape;
    what is there stays. Raises ReadError for a folder without any, or an image of another shape.
    """
    if not other.is_dir():
        raise ReadError(f"{other} is no folder of images to take over")
    count, source = 0, PhononFolder(other)
    shapes: dict[int, tuple[int, int]] = {}
    for path in sorted(other.glob("*.npy")):
        found = _NAME.fullmatch(path.name)
        if found is None:
            continue
        number, configuration = int(found[1]), int(found[2])
        asked = number < plan.particles.number
        asked &= configuration < plan.multislice.configurations
        if not asked or folder.has(number, configuration):
            continue
        if number not in shapes:
            shapes[number] = field_of(plan, particle(plan, number)).shape
        values = source.load(number, configuration)
        if values.shape != shapes[number]:
            raise ReadError(
                f"{path} has the shape {values.shape}, the plan's image {shapes[number]}: it "
                "belongs to another plan"
            )
        folder.store(number, configuration, values)
        count += 1
    if not count and not any(_NAME.fullmatch(path.name) for path in other.glob("*.npy")):
        raise ReadError(
            f"{other} holds no image named PARTICLE_CONFIGURATION.npy, such as 00_00.npy"
        )
    return count


def describe(plan: PairSetPlan, folder: PhononFolder, versions: dict[str, str]) -> dict[str, Any]:
    """Return what a pair set says of itself, as plain values."""
    numbers = range(plan.particles.number)
    return {
        "plan": plan.settings(),
        "convolution": plan.convolution.to_dict(),
        "versions": versions,
        "configurations": [len(configurations_of(plan, folder, n)) for n in numbers],
        "units": {"images": "fraction of beam", "positions": "Å from pixel (0, 0), (x, y, z)"},
        "rounding": {
            kind: f"{bits} significant bits, no finer than 2^{finest}"
            for kind, (bits, finest) in KEPT.items()
        },
    }


def _simulate(
    plan: PairSetPlan, folder: PhononFolder, told: Observer, workers: int, device: str
) -> None:
    jobs = [
        (configuration, number)
        for configuration in range(plan.multislice.configurations)
        for number in range(plan.particles.number)
    ]
    missing = [job for job in jobs if not folder.has(job[1], job[0])]
    tasks = [
        PhononTask(folder, n, c, partial(one_image, plan, n, c, device=device)) for c, n in missing
    ]
    carry_out(tasks, told, workers, len(jobs) - len(missing))


def _summary(
    plan: PairSetPlan, pairs: list[Pair], about: dict[str, Any], output: Path
) -> dict[str, Any]:
    errors = [pair.phonon_error for pair in pairs if pair.phonon_error is not None]
    squares = [float(np.mean(error.astype(np.float64) ** 2)) for error in errors]
    everything = np.concatenate([pair.multislice.ravel() for pair in pairs]).astype(np.float64)
    noise = float(np.mean(squares) / everything.var()) if len(errors) == len(pairs) else None
    return {
        "pairs": len(pairs),
        "configurations": about["configurations"],
        "fewest_configurations": min(about["configurations"]),
        "maximum": float(everything.max()),
        "phonon_share_of_variance": noise,
        "megabytes": round(output.stat().st_size / 1e6, 3),
    }


def _check_output(output: Path, overwrite: bool) -> None:
    if output.suffix.lower() != ".npz":
        raise PlanError(f"{output}: pairs are written as .npz")
    check_folder(output.parent)
    if not output.parent.is_dir():
        raise WriteError(f"cannot write {output}: its folder does not exist")
    if output.exists() and not overwrite:
        raise WriteError(f"{output} exists: choose another name or pass overwrite=True")
