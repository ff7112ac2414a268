"""A finished training set, sample by sample, in any process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from numpy.typing import NDArray

from crewe.errors import ReadError
from crewe.training_sets.codecs import restored
from crewe.training_sets.folder import SetDescription, read_description
from crewe.training_sets.pieces import BLOCK, INDEX, read_piece, read_whole
from crewe.training_sets.sample import ArrayLayout, Fact, Sample
from crewe.training_sets.shards import read_chunk

if TYPE_CHECKING:
    import os

    import pandas as pd
    import pyarrow as pa
    import zarr


def open_training_set(path: str | os.PathLike[str]) -> TrainingSet:
    """Open a finished training set; nothing but its description is read.

    Raises ReadError when there is none or it is not finished.
    """
    path = Path(path)
    description = read_description(path)
    if not description.complete:
        raise ReadError(
            f"{path} is not finished: run 'crewe training-set make' again as it was begun "
            f"(-n {description.count} --seed {description.seed}), it goes on where it stopped"
        )
    return TrainingSet(path, description)


class TrainingSet(Sequence[Sample]):
    """The samples of a set by number; torch's DataLoader takes it as a map-style dataset.

    It holds no open file: it can be pickled, forked and read from threads. Reading raises
    ReadError for a damaged file and IndexError beyond the end.
    """

    def __init__(self, path: Path, description: SetDescription) -> None:
        self.path = path
        self.description = description

    def __len__(self) -> int:
        return self.description.count

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        """Return one sample with all its arrays, facts and tables, or a list of samples."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        number = self._number(index)
        arrays = {layout.name: self._read(layout, number) for layout in self.description.layout}
        tables = {name: self._columns(name, number) for name in self.description.tables}
        return Sample(arrays, self.facts(number), tables)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def array(self, name: str, index: int) -> NDArray[Any]:
        """Return one array of one sample, reading nothing else."""
        return self._read(self._layout(name), self._number(index))

    def only(self, *names: str) -> ArraySubset:
        """Return the set with the named arrays only: each sample is a dict that torch collates."""
        for name in names:
            self._layout(name)
        return ArraySubset(self, names)

    def facts(self, index: int) -> dict[str, Fact]:
        """Return what is known of a sample: its row of the manifest."""
        number = self._number(index)
        rows = self._manifest
        return {
            name: rows.column(name)[number].as_py()
            for name in rows.column_names
            if name not in (INDEX, BLOCK)
        }

    def table(self, name: str, index: int) -> pd.DataFrame:
        """Return a table of one sample."""
        return self._piece(name, self._number(index)).to_pandas(use_threads=False)

    def positions(self, index: int) -> pd.DataFrame:
        """Return the atoms of one sample: x, y in Å and what else the recipe notes."""
        return self.table("positions", index)

    @property
    def manifest(self) -> pd.DataFrame:
        """One row for each sample: index, block and every fact."""
        return self._manifest.to_pandas(use_threads=False)

    @cached_property
    def arrays(self) -> Mapping[str, zarr.Array[Any]]:
        """The arrays of the set as zarr opens them: (sample, y, x), lazy."""
        import zarr

        group = zarr.open_group(self.path, mode="r")
        names = [layout.name for layout in self.description.layout]
        return {name: group[name] for name in names}  # type: ignore[misc]

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "description": self.description}

    @cached_property
    def _manifest(self) -> pa.Table:
        import pyarrow as pa

        path = self.path / "manifest.parquet"
        try:
            rows = read_whole(path)
        except (OSError, pa.ArrowException) as error:
            raise ReadError(f"{path} cannot be read: {error}") from error
        if len(rows) != len(self):
            raise ReadError(f"{path} has {len(rows)} rows for {len(self)} samples: it is damaged")
        return rows

    def _number(self, index: int) -> int:
        number = index + len(self) if index < 0 else index
        if not 0 <= number < len(self):
            raise IndexError(f"sample {index} of a set of {len(self)}")
        return number

    def _layout(self, name: str) -> ArrayLayout:
        for layout in self.description.layout:
            if layout.name == name:
                return layout
        known = ", ".join(layout.name for layout in self.description.layout)
        raise ReadError(f"{self.path} has no array {name!r}: it has {known}")

    def _read(self, layout: ArrayLayout, number: int) -> NDArray[Any]:
        size = self.description.block_size
        path = self.path / self.description.array_file(layout, number // size)
        chunk = read_chunk(path, number % size, size)
        try:
            return restored(chunk, layout.shape, layout.dtype)
        except ValueError as error:
            raise ReadError(
                f"{path}: sample {number} is damaged; 'crewe training-set check --mend' repairs it"
            ) from error

    def _columns(self, table: str, number: int) -> dict[str, NDArray[Any]]:
        piece = self._piece(table, number)
        return {
            name: piece.column(name).to_numpy(zero_copy_only=False) for name in piece.column_names
        }

    def _piece(self, table: str, number: int) -> pa.Table:
        import pyarrow as pa

        if table not in self.description.tables:
            known = ", ".join(self.description.tables) or "none"
            raise ReadError(f"{self.path} has no table {table!r}; it has {known}")
        size = self.description.block_size
        path = self.path / self.description.table_file(table, number // size)
        try:
            return read_piece(path, number % size)
        except (OSError, pa.ArrowException) as error:
            raise ReadError(f"{path} cannot be read: {error}") from error


class ArraySubset:
    """Some arrays of each sample as a dict; torch's default collation turns it into tensors."""

    def __init__(self, training_set: TrainingSet, names: tuple[str, ...]) -> None:
        self.training_set = training_set
        self.names = names

    def __len__(self) -> int:
        return len(self.training_set)

    def __getitem__(self, index: int) -> dict[str, NDArray[Any]]:
        return {name: self.training_set.array(name, index) for name in self.names}
