"""From an image file to a restored one: plan, files, provenance."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import yaml
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, ValidationError

from crewe import axes, io
from crewe.errors import ImageError, PlanError, WriteError
from crewe.io.atomic import atomic_path
from crewe.io.choose import squeeze
from crewe.networks.zoo import TILE_PX, card_of
from crewe.restoration.restoring import Restored, check_card, restore
from crewe.workflows.many import Finished
from crewe.workflows.network_facts import made_with
from crewe.workflows.observer import Observer, Silent
from crewe.workflows.output_folder import check_folder, make_folder, remove_files
from crewe.workflows.plan import is_network_file
from crewe.workflows.plan_part import PlanPart
from crewe.workflows.portable_path import portable_path

if TYPE_CHECKING:
    import xarray as xr

Format = Literal["tif", "hspy", "h5", "zarr", "npz", "npy"]


class RestorePlan(PlanPart):
    """From one image file to a restored image and its trust map."""

    image: Path
    """The image file."""
    output: Path = Path()
    """Folder that the results go to."""
    model: str = "hrstem"
    """Name of a shipped network or path of an ONNX file."""
    signal: NonNegativeInt | str | None = None
    """Which signal of a file that holds several; `crewe info` lists them."""
    frame: NonNegativeInt | Literal["mean", "all"] | None = None
    """Which frame of a stack, counted from 0, or 'mean'; nothing restores them all."""
    pixel_size_angstrom: PositiveFloat | None = None
    """Pixel size in Å; nothing takes the file's own."""
    trust: bool = True
    """Whether a trust map is made."""
    tile_px: PositiveInt = TILE_PX
    """Longest side of the tiles that the network takes."""
    threads: PositiveInt | None = None
    """CPU threads of the network; nothing takes all."""
    seed: int = 0
    """Seed of the noise that the trust map is probed with."""
    format: Format = Field(default="tif")
    """Suffix of the result files."""

    def path(self, kind: str, suffix: str | None = None) -> Path:
        """Return where a result of a kind, such as 'restored', is written."""
        return self.output / f"{self.image.stem}_{kind}.{suffix or self.format}"

    @property
    def note(self) -> Path:
        """Where plan, provenance and figures are written; the last of the files."""
        return self.path("restored", "yaml")

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that are written."""
        maps = (self.path("trust"),) if self.trust else ()
        return (self.path("restored"), *maps, self.path("restored", "png"), self.note)

    @property
    def known_files(self) -> tuple[Path, ...]:
        """All files that any plan of this image and folder writes, the note first."""
        kinds = [(kind, one) for kind in ("restored", "trust") for one in get_args(Format)]
        return (self.note, self.path("restored", "png"), *(self.path(*one) for one in kinds))

    def settings(self) -> dict[str, Any]:
        """Return what decides the numbers, as it is written in the note."""
        plain = self.model_dump(mode="json", exclude={"image", "output", "threads", "tile_px"})
        return {**plain, "image": self.image.name, "model": Path(self.model).name}


@dataclass(frozen=True)
class Restoration:
    """Result of a plan."""

    plan: RestorePlan
    measured: xr.DataArray
    restored: Restored
    summary: dict[str, Any]
    """The result in numbers; can be written as JSON."""


def restore_plan(settings: dict[str, Any]) -> RestorePlan:
    """Make a plan of settings. Raises PlanError that names every wrong one."""
    try:
        return RestorePlan.model_validate(settings)
    except ValidationError as error:
        said = [
            f"{'.'.join(str(step) for step in one['loc'][:1])} = {one['input']!r}: {one['msg']}"
            for one in error.errors()
        ]
        raise PlanError(
            f"the restoration cannot be run: {'; '.join(dict.fromkeys(said))}"
        ) from error


def run_restoration(
    plan: RestorePlan, observer: Observer | None = None, *, overwrite: bool = False
) -> Restoration:
    """Restore the image or stack of a plan's file and write the results.

    Writes `NAME_restored` and `NAME_trust` in the format of the plan, calibrated as the file is,
    a picture of both beside the measured image, and a note (YAML) with the plan, the network, the
    versions and the figures. Raises CreweError when the input cannot be used or the output not be
    written.
    """
    told = observer or Silent()
    told.started(plan.image.name)
    _check_output(plan, overwrite)
    check_card(card_of(plan.model))
    provenance = _provenance(plan)
    result = make_restoration(plan, told)
    told.stage_started("writing")
    _write(result, provenance, overwrite)
    told.finished(f"{_in_words(result.summary)}written to {plan.path('restored')}")
    return result


def make_restoration(plan: RestorePlan, observer: Observer | None = None) -> Restoration:
    """Restore the image or stack of a plan's file without writing it. Raises CreweError."""
    told = observer or Silent()
    told.stage_started("reading")
    measured = _measured(plan)
    restored = restore(
        measured,
        model=plan.model,
        trust=plan.trust,
        tile_px=plan.tile_px,
        threads=plan.threads,
        seed=plan.seed,
        observer=_stages(told),
    )
    for warning in restored.warnings:
        told.warning(warning)
    return Restoration(plan, measured, restored, _summary(measured, restored))


def restore_unless_finished(
    plan: RestorePlan, observer: Observer, *, overwrite: bool = False
) -> Finished:
    """Carry out a plan, or take the result that its output already holds."""
    stored = None if overwrite else _stored(plan)
    if stored is not None:
        observer.started(plan.image.name)
        observer.finished(f"skipped, {plan.path('restored')} already holds this result")
        return Finished(stored, skipped=True)
    return Finished(run_restoration(plan, observer, overwrite=overwrite).summary)


def _measured(plan: RestorePlan) -> xr.DataArray:
    image = squeeze(io.read(plan.image, plan.signal, plan.frame))
    coloured = image.ndim == 3 and image.shape[-1] in (3, 4)
    if coloured and (not {"y", "x"} <= set(image.dims) or axes.length_unit(image) == "px"):
        raise ImageError(f"an RGB image of shape {image.shape}: give the grey original")
    if plan.pixel_size_angstrom is not None and {"y", "x"} <= set(image.dims):
        return axes.with_sampling(image, plan.pixel_size_angstrom)
    return image


def _provenance(plan: RestorePlan) -> dict[str, Any]:
    return {"plan": plan.settings(), **made_with(plan.model, plan.image)}


def _paths(plan: RestorePlan) -> dict[str, str]:
    """Where image and network lie; no part of the provenance, for they may be moved."""
    paths = {"image": plan.image}
    if is_network_file(plan.model):
        paths["model"] = Path(plan.model)
    return {name: portable_path(path, plan.output) for name, path in paths.items()}


def _summary(measured: xr.DataArray, restored: Restored) -> dict[str, Any]:
    def known(value: float) -> float | None:
        return round(value, 4) if np.isfinite(value) else None

    return {
        "shape": list(measured.shape),
        "trusted_share": known(restored.trusted_share),
        "doubted_share": known(restored.doubted_share),
        "warnings": list(restored.warnings),
    }


def _in_words(summary: dict[str, Any]) -> str:
    if summary["trusted_share"] is None:
        return ""
    trusted, doubted = (100 * summary[f"{word}_share"] for word in ("trusted", "doubted"))
    return f"the data support {trusted:.0f} % of the area and contradict {doubted:.0f} %, "


def _write(result: Restoration, provenance: dict[str, Any], overwrite: bool) -> None:
    plan, restored = result.plan, result.restored
    note = {**provenance, "paths": _paths(plan), "result": result.summary}
    make_folder(plan.output)
    if overwrite:
        # The note first: until the new one is written, nothing vouches for these files.
        remove_files(path for path in plan.known_files if path not in plan.files[:-1])
    io.write(plan.path("restored"), _with_note(restored.image, note), overwrite)
    if restored.trust is not None:
        io.write(plan.path("trust"), _with_note(restored.trust, note), overwrite)
    with atomic_path(plan.path("restored", "png"), overwrite) as temporary:
        temporary.write_bytes(_picture(result))
    with atomic_path(plan.note, overwrite) as temporary:
        text = yaml.safe_dump(note, sort_keys=False, allow_unicode=True)
        temporary.write_text(text, encoding="utf-8")


def _with_note(image: xr.DataArray, note: dict[str, Any]) -> xr.DataArray:
    # As text, since formats differ in the nested values that they can hold.
    return image.assign_attrs(restoration=json.dumps(note, ensure_ascii=False))


def _picture(result: Restoration) -> bytes:
    """Before, after and trust; of a stack its first frame."""
    from crewe.plots.restoration import restoration_figure
    from crewe.plots.save import png_bytes

    def first(image: xr.DataArray) -> xr.DataArray:
        return image if image.ndim == 2 else image[0]

    restored = result.restored
    trust = None if restored.trust is None else first(restored.trust)
    title = f"{result.plan.image.name}, {restored.card.name}"
    measured = axes.with_pixel_coordinates(first(result.measured))
    figure = restoration_figure(
        measured,
        axes.with_pixel_coordinates(first(restored.image)),
        None if trust is None else axes.with_pixel_coordinates(trust),
        title=title,
    )
    return png_bytes(figure)


def _check_output(plan: RestorePlan, overwrite: bool) -> None:
    check_folder(plan.output)
    there = [path for path in plan.known_files if path.exists()]
    if there and not overwrite:
        raise WriteError(
            f"{there[0]} holds the result of other settings, another image or another version: "
            "choose another folder with -o, or replace it with --overwrite"
        )


def _stored(plan: RestorePlan) -> dict[str, Any] | None:
    """Return the summary of the very same result, where the output holds it already."""
    if not all(path.exists() for path in plan.files):
        return None
    try:
        note = yaml.safe_load(plan.note.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    now = _provenance(plan)
    if not isinstance(note, dict) or any(note.get(key) != now[key] for key in now):
        return None
    return dict(note["result"]) if isinstance(note.get("result"), dict) else None


def _stages(observer: Observer) -> Callable[[str, float], None]:
    """Let the restoration report, saying once when each stage starts."""
    begun: set[str] = set()

    def report(stage: str, fraction: float) -> None:
        if stage not in begun:
            begun.add(stage)
            observer.stage_started(stage)
        observer.advanced(stage, fraction)

    return report
