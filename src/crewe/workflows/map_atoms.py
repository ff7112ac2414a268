"""From an image file to a network's atom map and the columns it marks."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from crewe import axes, io, plots
from crewe.atoms.by_network import (
    UNCERTAIN,
    AtomMap,
    bridged,
    columns_of,
    doubts,
    map_atoms,
    near_missing,
    opened,
)
from crewe.atoms.fit import fit_columns
from crewe.errors import CalibrationError, PlanError, WriteError
from crewe.io.atomic import atomic_path
from crewe.networks.zoo import card_of
from crewe.workflows.many import Finished
from crewe.workflows.network_facts import made_with
from crewe.workflows.observer import Observer, stages
from crewe.workflows.output_folder import check_folder, make_folder, remove_files
from crewe.workflows.plan_part import PlanPart
from crewe.workflows.provenance import sha256
from crewe.workflows.summary import units_of

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


class MapAtomsPlan(PlanPart):
    """From one image file to an atom map and a table of columns."""

    image: Path
    """The image file."""
    signal: NonNegativeInt | str | None = None
    """Which signal of a file that holds several; `crewe info` lists them."""
    frame: NonNegativeInt | Literal["mean"] | None = None
    """Which frame of a stack, counted from 0, or 'mean'."""
    sampling: PositiveFloat | None = None
    """Pixel size in Å; nothing takes the file's own."""
    model: str = "gaussian-mask"
    """Name of a shipped network of atom maps, or the path of an ONNX file."""
    threshold: float | None = None
    """Value of a mask above which a pixel belongs to a column; nothing takes half of Otsu's."""
    fit: bool = True
    """Whether the columns are fitted to the image; else they are where the map has them."""
    threads: PositiveInt | None = None
    """CPU threads of the network; nothing takes all."""
    output: Path = Path()
    """Folder of the files to write."""

    def settings(self) -> dict[str, Any]:
        """Return what decides the numbers, as it is written in the note."""
        plain = self.model_dump(mode="json", exclude={"image", "output", "threads"})
        return {**plain, "image": self.image.name, "model": Path(self.model).name}


@dataclass(frozen=True)
class MappedAtoms:
    """Result of mapping the atoms of an image."""

    plan: MapAtomsPlan
    image: "xr.DataArray"
    found: AtomMap
    columns: "pd.DataFrame | None"
    """Fitted, or as located; None for a network that marks no columns."""
    summary: dict[str, Any]
    """The result in numbers; can be written as JSON."""


def map_atoms_of(plan: MapAtomsPlan, observer: Observer) -> MappedAtoms:
    """Read the plan's image, run the network and locate what it marks.

    Raises CreweError when the image or the network cannot be used, NoColumnsError when a mask
    is empty. Pixels that are NaN hold no column; fitted columns near them are flagged `unmeasured`.
    """
    observer.stage_started("reading")
    network = opened(plan.model, plan.threads)
    image = _read(plan)
    found = map_atoms(image, network, observer=stages(observer))
    columns, warnings = None, list(found.warnings)
    if found.card.output == "mask":
        columns, said = _columns(plan, image, found, observer)
        warnings += said
    for warning in warnings:
        observer.warning(warning)
    summary = _summary(plan, image, found, columns, warnings)
    return MappedAtoms(plan, image, found, columns, summary)


def run_map_atoms(plan: MapAtomsPlan, observer: Observer, *, overwrite: bool = False) -> Finished:
    """Carry out a plan and write the map, the columns and a picture into its folder.

    The files are NAME_MODEL.tif, NAME_MODEL.png, where columns are marked NAME_columns.csv, and
    last the note NAME_MODEL.yaml with the plan, the network, the versions, the figures and the
    checksums of the others. Where they are this very result already, nothing is done. Raises
    CreweError, WriteError when another file is there.
    """
    observer.started(plan.image.name)
    stored = None if overwrite else _stored(plan)
    if stored is not None:
        observer.finished(f"skipped, {files_of(plan)['note']} says that this result is there")
        return Finished(stored, skipped=True)
    check_folder(plan.output)
    if not overwrite:
        _check_free(plan)
    facts = _facts(plan)
    result = map_atoms_of(plan, observer)
    observer.stage_started("writing")
    written = write_mapped(result, overwrite=overwrite)
    _write_note(result, facts, written, overwrite)
    observer.finished(_in_one_line(result))
    return Finished(result.summary)


def write_mapped(result: MappedAtoms, *, overwrite: bool = False) -> list[Path]:
    """Write map, picture and columns of a result and return their paths. Raises WriteError."""
    places = files_of(result.plan)
    make_folder(result.plan.output)
    if overwrite:
        # Until a new note is written, nothing vouches for these files.
        remove_files([places["note"]])
    io.write(places["map"], result.found.image, overwrite=overwrite)
    figure = plots.atom_map_figure(
        result.image,
        result.found.image,
        result.columns,
        map_title=result.found.card.name,
        title=result.plan.image.name,
    )
    with atomic_path(places["picture"], overwrite) as temporary:
        plots.save_png(figure, temporary)
    written = [places["map"], places["picture"]]
    if result.columns is not None:
        io.write_table(places["columns"], result.columns, overwrite=overwrite)
        written.append(places["columns"])
    return written


def files_of(plan: MapAtomsPlan) -> dict[str, Path]:
    """Return where the files of a plan go, whether or not it comes to write them."""
    name, model = plan.image.stem, Path(plan.model).stem
    return {
        "map": plan.output / f"{name}_{model}.tif",
        "picture": plan.output / f"{name}_{model}.png",
        "columns": plan.output / f"{name}_columns.csv",
        "note": plan.output / f"{name}_{model}.yaml",
    }


def _facts(plan: MapAtomsPlan) -> dict[str, Any]:
    return {"plan": plan.settings(), **made_with(plan.model, plan.image)}


def _write_note(
    result: MappedAtoms, facts: dict[str, Any], written: list[Path], overwrite: bool
) -> None:
    # Networks share NAME_columns.csv, so only its checksum tells whose it is.
    files = {path.name: sha256(path) for path in written}
    note = {**facts, "files": files, "result": result.summary}
    with atomic_path(files_of(result.plan)["note"], overwrite) as temporary:
        text = yaml.safe_dump(note, sort_keys=False, allow_unicode=True)
        temporary.write_text(text, encoding="utf-8")


def _stored(plan: MapAtomsPlan) -> dict[str, Any] | None:
    """Return the summary of the very same result, where the output holds it already."""
    try:
        note = yaml.safe_load(files_of(plan)["note"].read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    now = _facts(plan)
    if not isinstance(note, dict) or any(note.get(key) != now[key] for key in now):
        return None
    files, result = note.get("files"), note.get("result")
    if not isinstance(files, dict) or not isinstance(result, dict):
        return None
    kinds = ["map", "picture"] + ["columns"] * (card_of(plan.model).output == "mask")
    places = [files_of(plan)[kind] for kind in kinds]
    whole = all(path.is_file() and files.get(path.name) == sha256(path) for path in places)
    return result if whole else None


def _check_free(plan: MapAtomsPlan) -> None:
    taken = [path for path in files_of(plan).values() if path.exists()]
    if taken:
        raise WriteError(
            f"{taken[0]} is there already, of other settings, another image or another version: "
            "replace it with --overwrite, or choose another folder with -o"
        )


def _read(plan: MapAtomsPlan) -> "xr.DataArray":
    image = io.read_image(plan.image, signal=plan.signal, frame=plan.frame, sampling=plan.sampling)
    bridged(image)
    if plan.sampling is None and axes.length_unit(image) == "px":
        raise CalibrationError(
            f"{plan.image.name} does not say how large a pixel is, and a network needs to know: "
            "give the pixel size in Å, as in --sampling 0.12"
        )
    return image


def _columns(
    plan: MapAtomsPlan, image: "xr.DataArray", found: AtomMap, observer: Observer
) -> "tuple[pd.DataFrame, list[str]]":
    """Table of the columns, its units in attrs, and what the fit warns of."""
    located = columns_of(image, found, threshold=plan.threshold)
    columns, warnings = located, doubts(located)
    if plan.fit:
        fit = fit_columns(bridged(image), located, observer=stages(observer))
        columns = fit.columns.assign(certainty=located["certainty"])
        columns = _flagged(columns, near_missing(image, columns))
        warnings += fit.summary["warnings"]
    units = units_of(axes.length_unit(image), str(image.attrs.get("units") or "a.u."))
    columns.attrs["units"] = {name: unit for name, unit in units.items() if name in columns}
    return columns, warnings


def _flagged(columns: "pd.DataFrame", near: NDArray[np.bool_]) -> "pd.DataFrame":
    """Add a flag to columns that were fitted to pixels nobody measured."""
    flags = columns["flag"].to_numpy(object)
    said = np.where(flags == "", "unmeasured", flags + ",unmeasured")
    return columns.assign(flag=np.where(near, said, flags))


def _summary(
    plan: MapAtomsPlan,
    image: "xr.DataArray",
    found: AtomMap,
    columns: "pd.DataFrame | None",
    warnings: list[str],
) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "image": plan.image.name,
        "model": found.card.name,
        "model_sha256": found.card.sha256,
        "shape": list(image.shape),
        "sampling": [float(step) for step in axes.sampling(image)],
        "sampling_seen": [float(step) for step in axes.sampling(found.seen)],
        "warnings": warnings,
        "files": [
            path.as_posix()
            for kind, path in files_of(plan).items()
            if kind != "columns" or columns is not None
        ],
    }
    if columns is not None:
        certainty = columns["certainty"].to_numpy(float)
        numbers["columns"] = len(columns)
        numbers["certainty_median"] = float(np.median(certainty))
        numbers["uncertain"] = int((certainty < UNCERTAIN).sum())
        if "flag" in columns:
            numbers["flagged"] = int((columns["flag"] != "").sum())
    return numbers


def _in_one_line(result: MappedAtoms) -> str:
    where = files_of(result.plan)
    if result.columns is None:
        return f"written to {where['map']}"
    flagged = result.summary.get("flagged", 0)
    said = f", {flagged} flagged" if flagged else ""
    return f"{len(result.columns)} columns{said}, written to {where['columns']}"


def check_names(plans: list[MapAtomsPlan]) -> None:
    """Raise PlanError when two plans would write the same file."""
    seen: dict[Path, Path] = {}
    for plan in plans:
        place = files_of(plan)["map"].absolute()
        if place in seen and seen[place] != plan.image:
            raise PlanError(
                f"{seen[place]} and {plan.image} would both be written to {place.name}: map them "
                "one by one, each with its own -o"
            )
        seen[place] = plan.image
