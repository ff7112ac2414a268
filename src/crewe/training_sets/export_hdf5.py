"""Samples of a training set in one HDF5 file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.training_sets.pieces import SAMPLE

if TYPE_CHECKING:
    import pandas as pd

    from crewe.training_sets.store import TrainingSet

LENGTHS = ("x", "y", "z")
"""Columns of a table that are lengths in Å though their names do not say so."""

Progress = Callable[[float], None]


class _Disk(io.FileIO):
    """A file that keeps the first refusal of the disk to itself until it is asked.

    HDF5 that cannot write while it closes prints hundreds of tracebacks and may end the process.
    """

    refusal: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of it, or nothing from the first refusal on."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        try:
            while rest and self.refusal is None:
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.refusal = error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Change the length, unless the disk has refused before."""
        try:
            return super().truncate(size) if self.refusal is None else size or 0
        except OSError as error:
            self.refusal = error
            return size or 0

    def complain(self) -> None:
        """Raise the refusal of the disk if there was one."""
        if self.refusal is not None:
            raise self.refusal


@contextmanager
def _opened(path: Path) -> Iterator[_Disk]:
    with _Disk(path, "w+") as disk:
        try:
            yield disk
        finally:
            # After a refusal HDF5 may read back what is not there: the refusal is the reason.
            disk.complain()


def write_hdf5(
    path: Path,
    training_set: TrainingSet,
    rows: pd.DataFrame,
    chosen: Sequence[int],
    progress: Progress,
) -> None:
    """Write chosen samples, their rows of the manifest and their tables into one new file.

    Raises OSError when the disk refuses.
    """
    import h5py

    description = training_set.description
    with _opened(path) as disk, h5py.File(disk, "w") as file:
        file.attrs.update(recipe=description.recipe, seed=description.seed, name=description.name)
        for layout in description.layout:
            dataset = file.create_dataset(
                layout.name,
                (len(chosen), *layout.shape),
                layout.dtype,
                chunks=(1, *layout.shape),
                compression="gzip",
                compression_opts=1,
                shuffle=True,
            )
            dataset.attrs["description"] = layout.description
        for done, index in enumerate(chosen):
            for layout in description.layout:
                file[layout.name][done] = training_set.array(layout.name, index)
            disk.complain()
            progress((done + 1) / len(chosen))
        _write_columns(file.create_group("manifest"), rows)
        for name in description.tables:
            _write_columns(file.create_group(name), _joined(training_set, name, chosen))


def _joined(training_set: TrainingSet, name: str, chosen: Sequence[int]) -> pd.DataFrame:
    import pandas as pd

    tables = [training_set.table(name, index) for index in chosen]
    for index, table in zip(chosen, tables, strict=True):
        table.insert(0, SAMPLE, index)
    return pd.concat(tables, ignore_index=True)


def _write_columns(group: Any, table: pd.DataFrame) -> None:
    import h5py

    for name, values in table.items():
        if values.dtype.kind in "biuf":
            group[str(name)] = values.to_numpy()
        else:
            text = values.astype(str).to_list()
            group.create_dataset(str(name), data=text, dtype=h5py.string_dtype("utf-8"))
        if name in LENGTHS:
            group[str(name)].attrs["units"] = "Å"
