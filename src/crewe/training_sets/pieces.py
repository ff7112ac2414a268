"""The tables of one block as Parquet, and the manifest of a whole set."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.errors import RecipeError, WriteError
from crewe.io.atomic import atomic_path
from crewe.training_sets.folder import MANIFEST, SetDescription
from crewe.training_sets.sample import Fact

if TYPE_CHECKING:
    import pyarrow as pa

INDEX, BLOCK, SAMPLE = "index", "block", "sample"


def manifest_piece(facts: Sequence[Mapping[str, Fact]], start: int, block: int) -> bytes:
    """Return the rows of a block of the manifest. Raises RecipeError when their keys differ."""
    import pyarrow as pa

    keys = list(facts[0])
    for number, row in enumerate(facts):
        if set(row) != set(keys):
            odd = sorted(set(row) ^ set(keys))
            raise RecipeError(f"sample {start + number} and sample {start} differ in facts: {odd}")
    columns: dict[str, Any] = {
        INDEX: pa.array(range(start, start + len(facts)), pa.int64()),
        BLOCK: pa.array([block] * len(facts), pa.int64()),
    }
    for key in keys:
        columns[key] = _fact_column(key, [row[key] for row in facts])
    return _parquet([pa.table(columns)])


def _fact_column(key: str, values: list[Fact]) -> Any:
    import pyarrow as pa

    kinds = {type(value) for value in values}
    if kinds == {int, float}:
        return pa.array([float(value) for value in values], pa.float64())
    types = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    if len(kinds) != 1 or not kinds <= set(types):
        names = sorted(kind.__name__ for kind in kinds)
        raise RecipeError(f"fact {key!r} is of type {', '.join(names)}: give one type")
    return pa.array(values, types[kinds.pop()])


def table_piece(
    tables: Sequence[Mapping[str, np.ndarray]], columns: Mapping[str, str], start: int
) -> bytes:
    """Return a block of a table: one row group for each sample, which its first column numbers."""
    import pyarrow as pa

    groups = []
    for number, table in enumerate(tables):
        rows = len(next(iter(table.values()), ()))
        arrays = {SAMPLE: pa.array(np.full(rows, start + number), pa.int64())}
        for name, kind in columns.items():
            arrays[name] = pa.array(table[name], _arrow_type(kind))
        groups.append(pa.table(arrays))
    return _parquet(groups)


def _arrow_type(kind: str) -> Any:
    import pyarrow as pa

    return pa.string() if kind == "str" else pa.from_numpy_dtype(np.dtype(kind))


def _parquet(groups: Sequence[pa.Table]) -> bytes:
    import pyarrow.parquet as pq

    stream = io.BytesIO()
    with pq.ParquetWriter(stream, groups[0].schema, compression="zstd") as writer:
        for group in groups:
            writer.write_table(group, row_group_size=max(1, len(group)))
    return stream.getvalue()


def read_piece(path: Path, sample: int) -> pa.Table:
    """Return the rows of one sample, the number of which counts within its block."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        # One thread: a loader's forked processes have none of their parent's threads.
        return file.read_row_group(sample, use_threads=False).drop_columns([SAMPLE])


def read_whole(path: Path) -> pa.Table:
    """Return all rows of a Parquet file."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return file.read(use_threads=False).combine_chunks()


def merge_manifest(path: Path, description: SetDescription) -> None:
    """Join the pieces of the manifest of a set of which every block is whole.

    Raises WriteError.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        whole = joined_manifest(path, description)
    except (OSError, pa.ArrowException) as error:
        raise WriteError(f"cannot join the manifest of {path}: {error}") from error
    with atomic_path(path / "manifest.parquet", overwrite=True) as temporary:
        pq.write_table(whole, temporary)


def joined_manifest(path: Path, description: SetDescription) -> pa.Table:
    """Return the rows of every block's piece of the manifest, in order."""
    import pyarrow as pa

    files = [path / description.table_file(MANIFEST, block) for block in range(description.blocks)]
    return pa.concat_tables([read_whole(file) for file in files], promote_options="permissive")
