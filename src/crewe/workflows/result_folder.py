"""A result's folder: whole or absent, never half, and never someone else's files."""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from crewe.errors import PlanError, WriteError
from crewe.workflows.plan import QuantifyPlan
from crewe.workflows.plan_analyses import ANALYSES
from crewe.workflows.plan_file import PLAN_NAME, load_plan
from crewe.workflows.provenance import provenance_of

FILES = {
    "columns.csv": "the columns, for any program",
    "columns.parquet": "the columns, with units and every digit",
    "model.tif": "the fitted model image",
    "residual.tif": "image minus model",
    "figure.png": "columns over the image, residual, scattering cross-sections",
    "report.html": "the report, which opens alone in any browser",
    "summary.json": "the result in numbers",
    PLAN_NAME: "settings, versions and checksums, for crewe rerun",
}

RESTORED_FILES = {
    "restored.tif": "the restored image, which was fitted",
    "trust.tif": "how far the measured image supports the restored one, 0 to 1",
}
"""Written besides when the image was restored."""

ANALYSIS_FILES = {
    "counting.png": "counts over the image, cross-sections, thickness curve",
    "displacements.png": "columns away from their places in the lattice",
    "strain.csv": "strain and rotation at each column",
    "strain.parquet": "the same, with units and every digit",
    "strain.png": "maps of strain and rotation",
    "shifts.csv": "shift of one site against those around it, such as polarisation",
    "shifts.parquet": "the same, with units and every digit",
    "shifts.png": "shifts as arrows",
    "tilts.csv": "tilt of each octahedron",
    "tilts.parquet": "the same, with units and every digit",
    "volume.xyz": "the model in three dimensions, with column and coordination of each atom",
    "volume.cif": "the same, for programs that read crystals",
    "volume.html": "the same to turn and look at, in any browser",
    "volume.png": "the same as a picture from three sides",
}
"""Written besides by analyses; their names begin with what they belong to."""

EVERY_FILE = frozenset({*FILES, *RESTORED_FILES, *ANALYSIS_FILES})


def files_of(plan: QuantifyPlan) -> dict[str, str]:
    """Return the files that a plan's result consists of, and what they are."""
    files = dict(FILES)
    if plan.restore is not None:
        files |= RESTORED_FILES
    strain = plan.strain
    written = {
        "counting": plan.count is not None,
        "displacements": plan.lattice is not None,
        "strain": strain is not None,
        "shifts": strain is not None and strain.shifts != (),
        "tilts": strain is not None and strain.tilts != (),
        "volume": plan.volume is not None,
    }
    kept = {name: text for name, text in ANALYSIS_FILES.items() if written[name.split(".")[0]]}
    return {**files, **kept}


@contextmanager
def new_folder(
    output: Path, overwrite: bool = False, files: Collection[str] = EVERY_FILE
) -> Iterator[Path]:
    """Lend a temporary folder that takes the final name only when all went well.

    What is replaced may hold no other files than those named. Raises WriteError when the
    folder cannot be made, or exists and may not be replaced.
    """
    check_output(output, overwrite, files)
    partial = output.with_name(f".{output.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(parents=True)
        yield partial
        _take_place(partial, output)
    except OSError as error:
        raise WriteError(
            f"{output} cannot be written: {error.strerror or error}. "
            "Choose another place with -o, or make room there"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_output(output: Path, overwrite: bool, files: Collection[str] = EVERY_FILE) -> None:
    """Raise WriteError when a result may not, or could not, be put there."""
    if output.exists():
        _check_replaceable(output, overwrite, files)
    parent = next(folder for folder in output.absolute().parents if folder.exists())
    if not parent.is_dir():
        raise WriteError(f"{output} cannot be made: {parent} is a file. Choose another -o")
    _check_writable(parent, output)


def is_finished(plan: QuantifyPlan) -> bool:
    """Whether the plan's output already holds this very result.

    True when the settings, the version of crewe and the checksums of the input
    files are the same; analyses that the plan does not ask for may be there besides.
    """
    if plan.output is None or not (plan.output / PLAN_NAME).is_file():
        return False
    try:
        stored = load_plan(plan.output / PLAN_NAME)
    except PlanError:
        return False
    besides = {name: None for name in ANALYSES if getattr(plan, name) is None}
    held = stored.model_copy(update=besides)
    if stored.provenance is None or held.settings() != plan.settings():
        return False
    if not all((plan.output / name).is_file() for name in files_of(plan)):
        return False
    now = provenance_of(plan)
    return (
        stored.provenance.image_sha256 == now.image_sha256
        and stored.provenance.detector_map_sha256 == now.detector_map_sha256
        and stored.provenance.networks == now.networks
        and stored.provenance.versions.get("crewe") == now.versions["crewe"]
    )


def _check_writable(parent: Path, output: Path) -> None:
    """Make and remove an empty folder, since permissions alone do not tell."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{output.name}.", dir=parent):
            pass
    except OSError as error:
        raise WriteError(
            f"{output} cannot be made in {parent}: {error.strerror or error}. Choose another -o"
        ) from error


def _check_replaceable(output: Path, overwrite: bool, files: Collection[str]) -> None:
    if not output.is_dir():
        raise WriteError(f"{output} is a file: choose another folder with -o")
    present = {entry.name for entry in output.iterdir()}
    foreign = sorted(present - set(files))
    if foreign:
        raise WriteError(
            f"{output} holds files that crewe did not write, such as {foreign[0]}: "
            "choose another folder with -o"
        )
    if present and not overwrite:
        raise WriteError(
            f"{output} holds the result of other settings, another image or another version: "
            "choose another folder with -o, or replace it with --overwrite"
        )


def _take_place(partial: Path, output: Path) -> None:
    if not output.exists():
        partial.rename(output)
        return
    previous = output.with_name(f".{output.name}.previous-{os.getpid()}")
    output.rename(previous)
    try:
        partial.rename(output)
    except BaseException:
        previous.rename(output)
        raise
    shutil.rmtree(previous)
