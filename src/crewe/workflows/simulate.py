"""From a file of atoms to a simulated image, with what it takes to make it again."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe import io
from crewe.axes import Axis, calibrated_array
from crewe.errors import CalibrationError, PlanError, ReadError, WriteError
from crewe.io.atomic import atomic_path
from crewe.io.write import ARRAY_SUFFIXES
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.output_folder import check_folder
from crewe.workflows.phonon_folder import PhononFolder
from crewe.workflows.simulate_plan import EMULATOR, LINEAR, MULTISLICE, SimulationPlan
from crewe.workflows.simulation_models import (
    Simulated,
    emulated_images,
    linear_images,
    multislice_images,
)
from crewe.workflows.simulation_note import simulation_note
from crewe.workflows.simulation_specimen import Specimen, read_specimen

if TYPE_CHECKING:
    import xarray as xr

    from crewe.simulation.emulator.model import Emulator

UNITS = "fraction of beam"


@dataclass(frozen=True)
class Simulation:
    """Result of a plan."""

    plan: SimulationPlan
    image: xr.DataArray
    """Image (y, x), or (thickness, detector, y, x) without what there is one of."""
    errors: xr.DataArray | None
    """Standard errors, if the plan asks for them."""
    summary: dict[str, Any]
    """The result in numbers; can be written as JSON."""


def run_simulation(
    plan: SimulationPlan,
    observer: Observer | None = None,
    *,
    overwrite: bool = False,
    checkpoint: Path | None = None,
    workers: int = 0,
    picture: Path | None = None,
) -> Simulation:
    """Simulate the image of a plan's specimen and write it.

    The image is in fractions of the beam, calibrated in Å, and carries plan, versions, checksums
    and figures as JSON in its attribute `simulation`. Phonon configurations of a multislice run
    are kept in the folder `checkpoint`, by default OUTPUT.part, which is removed at the end unless
    it holds more than this run's: an interrupted run goes on there. `workers` are processes that
    share the configurations.

    Raises CreweError when the specimen cannot be imaged, the emulator does not suit it, or the
    output cannot be written; PlanError for a checkpoint of a model that keeps none.
    """
    told = observer or Silent()
    told.started(plan.specimen.name)
    if checkpoint is not None and plan.kind != MULTISLICE:
        raise PlanError(f"model {plan.kind} keeps no configurations: leave the checkpoint out")
    _check_output(plan, overwrite, picture)
    result = simulate(plan, told, checkpoint or _part(plan), workers)
    told.stage_started("writing")
    note = json.dumps(simulation_note(plan, result.summary), ensure_ascii=False)
    _write_picture(result, picture, overwrite)
    if result.errors is not None:
        io.write(plan.error_path, result.errors.assign_attrs(simulation=note), overwrite)
    io.write(plan.output, result.image.assign_attrs(simulation=note), overwrite)
    if checkpoint is None and plan.kind == MULTISLICE:
        _remove_part(plan, told)
    told.finished(f"{in_words(result.summary)}, written to {plan.output}")
    return result


def simulate(
    plan: SimulationPlan,
    observer: Observer | None = None,
    checkpoint: Path | None = None,
    workers: int = 0,
) -> Simulation:
    """Simulate the image of a plan's specimen without writing it. Raises CreweError."""
    told = observer or Silent()
    told.stage_started("reading")
    began = time.monotonic()
    emulator = _emulator(plan) if plan.kind == EMULATOR else None
    pixel = _pixel(plan, emulator)
    specimen = read_specimen(plan, pixel, told.warning)
    if emulator is not None:
        found = emulated_images(plan, emulator, specimen, told)
    elif plan.kind == LINEAR:
        found = linear_images(plan, specimen, told)
    else:
        found = multislice_images(plan, specimen, checkpoint or _part(plan), told, workers)
    attrs = _facts(plan, specimen, found)
    summary = _summary(plan, specimen, found, pixel, time.monotonic() - began)
    image = _calibrated(found.values, pixel, f"{plan.kind} image", attrs)
    errors = None
    if found.errors is not None:
        errors = _calibrated(found.errors, pixel, "standard error", attrs)
    return Simulation(plan, image, errors, summary)


def in_words(summary: dict[str, Any]) -> str:
    """Return a summary in one line."""
    size = " × ".join(str(length) for length in summary["shape"])
    return (
        f"{size} pixels of {summary['pixel_size_angstrom']:g} Å, mean {summary['mean']:.4g}, "
        f"maximum {summary['maximum']:.4g} ({summary['units']}), {summary['seconds']:.3g} s"
    )


def _emulator(plan: SimulationPlan) -> Emulator:
    from crewe.simulation.emulator.store import load_emulator

    if not Path(plan.model).exists():
        raise ReadError(
            f"no model {plan.model}: give linear, multislice or the file of a fitted emulator"
        )
    return load_emulator(plan.model)


def _pixel(plan: SimulationPlan, emulator: Emulator | None) -> float:
    if emulator is None:
        return plan.pixel_angstrom
    if emulator.convolution is None:
        raise CalibrationError(
            f"{plan.model} does not know how its convolution images were made, so it takes no "
            "atoms: fit it again with a description of them"
        )
    return emulator.convolution.pixel_size_angstrom


def _calibrated(values: Any, pixel: float, name: str, attrs: dict[str, Any]) -> xr.DataArray:
    axes = [Axis("thickness", unit="1"), Axis("detector", unit="1")]
    axes += [Axis("y", pixel, 0, "Å"), Axis("x", pixel, 0, "Å")]
    single = [n for n in (0, 1) if values.shape[n] == 1]
    kept = [axis for n, axis in enumerate(axes) if n not in single]
    stored = np.squeeze(values, tuple(single)).astype(np.float32)
    return calibrated_array(stored, kept, name, attrs)


def _facts(plan: SimulationPlan, specimen: Specimen, found: Simulated) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "units": UNITS,
        "model": plan.kind,
        "origin_angstrom": [float(value) for value in specimen.field.origin],
    }
    if found.rings:
        rings = {name: [ring.inner_mrad, ring.outer_mrad] for name, ring in found.rings.items()}
        facts["detectors_mrad"] = json.dumps(rings)
    if found.depths_angstrom is not None:
        facts["thicknesses_angstrom"] = list(found.depths_angstrom)
    return facts | ({"domain": json.dumps(found.facts)} if found.facts else {})


def _summary(
    plan: SimulationPlan, specimen: Specimen, found: Simulated, pixel: float, seconds: float
) -> dict[str, Any]:
    return {
        "model": plan.kind,
        "atoms": len(specimen.atoms),
        "shape": [size for n, size in enumerate(found.values.shape) if n > 1 or size > 1],
        "pixel_size_angstrom": pixel,
        "mean": float(found.values.mean()),
        "maximum": float(found.values.max()),
        "units": UNITS,
        "seconds": round(seconds, 3),
        **found.facts,
    }


def _write_picture(result: Simulation, picture: Path | None, overwrite: bool) -> None:
    if picture is None:
        return
    from crewe.plots.save import png_bytes
    from crewe.plots.simulation import simulation_figure

    plan = result.plan
    names = list(json.loads(result.image.attrs.get("detectors_mrad", "{}"))) or [""]
    title = f"{plan.specimen.name}, {Path(plan.model).name}"
    figure = simulation_figure(result.image, result.errors, names=names, title=title)
    with atomic_path(picture, overwrite) as temporary:
        temporary.write_bytes(png_bytes(figure))


def _part(plan: SimulationPlan) -> Path:
    return plan.output.with_name(f"{plan.output.name}.part")


def _remove_part(plan: SimulationPlan, told: Observer) -> None:
    """Remove the plan's own configurations; a folder with anything else in it stays whole."""
    part = _part(plan)
    if not PhononFolder(part).remove(0, plan.phonons):
        told.message(f"{part} holds more than this simulation made, and stays")


def _check_output(plan: SimulationPlan, overwrite: bool, picture: Path | None) -> None:
    if plan.output.suffix.lower() not in ARRAY_SUFFIXES:
        raise WriteError(
            f"{plan.output}: no format {plan.output.suffix!r} for an image: use "
            f"{', '.join(ARRAY_SUFFIXES)}"
        )
    if picture is not None and picture.suffix.lower() != ".png":
        raise WriteError(f"{picture}: a picture is a .png")
    written = [plan.output, *([plan.error_path] if plan.errors else []), *filter(None, [picture])]
    for path in written:
        check_folder(path.parent)
        if path.exists() and not overwrite:
            raise WriteError(f"{path} exists: choose another name or pass overwrite=True")
        if not path.parent.is_dir():
            raise WriteError(f"cannot write {path}: its folder does not exist")
