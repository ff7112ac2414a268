"""Training sets for programs that read no zarr: TIFF, NumPy or HDF5 files with tables beside."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crewe.errors import PlanError
from crewe.io.atomic import atomic_path
from crewe.training_sets.catalogue import find_samples
from crewe.training_sets.export_hdf5 import LENGTHS, Progress, write_hdf5
from crewe.training_sets.pieces import INDEX, SAMPLE
from crewe.training_sets.sample import Sample

if TYPE_CHECKING:
    import pandas as pd

    from crewe.training_sets.store import TrainingSet

FORMATS = ("tif", "npz", "hdf5")
PIXEL_SIZE = "pixel_size_angstrom"


def export_training_set(
    training_set: TrainingSet,
    path: str | os.PathLike[str],
    form: str = "tif",
    query: str = "",
    *,
    overwrite: bool = False,
    progress: Progress = lambda fraction: None,
) -> int:
    """Write the samples that a query chooses, and return how many there were.

    'tif': a folder with a folder for each array, in it one file for each sample that ImageJ
    opens with its scale in nm; 'npz': a folder with one file for each sample, which holds its
    arrays, its facts as JSON (`facts`) and its tables (`positions_x`, …); both with
    manifest.csv and one CSV for each table, units in the column names. 'hdf5': one file with
    the arrays (sample, y, x), the groups `manifest` and one for each table. The numbers are
    those of the set and keep its sample numbers. Raises PlanError for a query that finds
    nothing and WriteError when the path exists or cannot be written.
    """
    if form not in FORMATS:
        raise PlanError(f"no export format {form!r}: choose {', '.join(FORMATS)}")
    rows = find_samples(training_set.manifest, query)
    if rows.empty:
        raise PlanError(f"no sample fits {query!r}: nothing to export")
    chosen = [int(index) for index in rows[INDEX]]
    with atomic_path(path, overwrite) as temporary:
        if form == "hdf5":
            write_hdf5(temporary, training_set, rows, chosen, progress)
        else:
            _write_folder(temporary, training_set, rows, chosen, form, progress)
    return len(chosen)


def _write_folder(
    folder: Path,
    training_set: TrainingSet,
    rows: pd.DataFrame,
    chosen: Sequence[int],
    form: str,
    progress: Progress,
) -> None:
    folder.mkdir()
    write = _write_tif if form == "tif" else _write_npz
    for done, index in enumerate(chosen, 1):
        write(folder, index, training_set[index])
        progress(done / len(chosen))
    rows.to_csv(folder / "manifest.csv", index=False, encoding="utf-8")
    for name in training_set.description.tables:
        _write_table_csv(folder / f"{name}.csv", training_set, name, chosen)


def _write_tif(folder: Path, index: int, sample: Sample) -> None:
    from crewe import io

    reference = next(iter(sample.arrays.values())).shape
    for name, array in sample.arrays.items():
        (folder / name).mkdir(exist_ok=True)
        image = _calibrated(array, pixel_size(sample, array, reference), name)
        io.write(folder / name / f"{name}_{index:06d}.tif", image)


def _calibrated(array: NDArray[Any], pixel: float | None, name: str) -> Any:
    from crewe.axes import Axis, calibrated_array, calibrated_image

    if pixel is None:
        return calibrated_array(array, [Axis("y"), Axis("x")], name=name)
    return calibrated_image(array, pixel, name=name)


def pixel_size(
    sample: Sample, array: NDArray[Any], reference: tuple[int, ...] | None = None
) -> float | None:
    """Return the pixel size of an array in Å, None where the sample does not tell.

    `pixel_size_angstrom` is that of the sample's first array; every array shows the same field
    of view.
    """
    own = sample.facts.get(PIXEL_SIZE)
    if not isinstance(own, float | int) or not own > 0:
        return None
    shape = reference or next(iter(sample.arrays.values())).shape
    return float(own) * shape[-1] / array.shape[-1]


def _write_npz(folder: Path, index: int, sample: Sample) -> None:
    tables = {
        f"{name}_{column}": _without_objects(values)
        for name, table in sample.tables.items()
        for column, values in table.items()
    }
    facts = np.asarray(json.dumps(sample.facts, ensure_ascii=False))
    file = folder / f"sample_{index:06d}.npz"
    stored: dict[str, Any] = {"facts": facts, **sample.arrays, **tables}
    np.savez_compressed(file, **stored)


def _without_objects(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(str) if values.dtype == object else values


def _write_table_csv(
    path: Path, training_set: TrainingSet, name: str, chosen: Sequence[int]
) -> None:
    """Write a table sample by sample, so that memory stays flat."""
    from crewe.io.tables import csv_name

    with path.open("w", encoding="utf-8", newline="") as stream:
        for number, index in enumerate(chosen):
            table = training_set.table(name, index)
            names = {column: csv_name(column, "Å") for column in LENGTHS if column in table}
            table.insert(0, SAMPLE, index)
            table.rename(columns=names).to_csv(stream, header=number == 0, index=False)
