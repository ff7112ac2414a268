"""What lies where in the folder of a training set, and what the set says about itself.

- `SET.zarr/zarr.json`: what the set is: recipe, seed, size, versions;
- `SET.zarr/ARRAY/c/BLOCK/0/0`: one shard of an array for each block of samples;
- `SET.zarr/tables/NAME/BLOCK.parquet`: one piece of each table; pandas reads the folder as one;
- `SET.zarr/blocks/BLOCK.json`: written last: the block is whole, and the checksums of its files;
- `SET.zarr/manifest.parquet`: one row for each sample, merged when all blocks are there.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from crewe.errors import PlanError, ReadError, WriteError
from crewe.io.atomic import atomic_path
from crewe.training_sets.codecs import FLOOR, RELATIVE_PRECISION, zarr_codec
from crewe.training_sets.sample import ArrayLayout, SampleMaker

FORMAT, FORMAT_VERSION = "crewe training set", 1
SAMPLES_PER_BLOCK = 32
MANIFEST = "manifest"
RECORDS = "blocks/[0-9]*.json"
PRECISION = f"float32 to {RELATIVE_PRECISION:g} of itself or {FLOOR:g} of the array's largest value"


@dataclass(frozen=True)
class SetDescription:
    """All that decides the numbers in a training set, and how they are cut into blocks."""

    name: str
    recipe: str
    """The text of the recipe."""
    seed: int
    count: int
    """Samples that the set holds when it is complete."""
    layout: tuple[ArrayLayout, ...]
    tables: dict[str, dict[str, str]]
    """Types of the columns of each table."""
    block_size: int = SAMPLES_PER_BLOCK
    complete: bool = False
    versions: dict[str, str] = field(default_factory=dict)
    """Of the libraries that made it."""

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return -(-self.count // self.block_size)

    def span(self, block: int) -> tuple[int, int]:
        """Return the first sample of a block and the one after its last."""
        start = block * self.block_size
        return start, min(start + self.block_size, self.count)

    def array_file(self, layout: ArrayLayout, block: int) -> str:
        """Return the shard of an array, relative to the set."""
        return "/".join([layout.name, "c", str(block), *("0" for _ in layout.shape)])

    def table_file(self, table: str, block: int) -> str:
        """Return the piece of a table, relative to the set."""
        return f"tables/{table}/{block:06d}.parquet"


def describe(
    maker: SampleMaker, seed: int, count: int, versions: Mapping[str, str] | None = None
) -> SetDescription:
    """Return the description of the set that a recipe, a seed and a size decide."""
    tables = {name: dict(columns) for name, columns in maker.table_columns().items()}
    return SetDescription(
        maker.name, maker.text, seed, count, maker.layout(), tables, versions=dict(versions or {})
    )


def record_file(block: int) -> str:
    """Return the record of a block, relative to the set."""
    return f"blocks/{block:06d}.json"


def read_description(path: Path) -> SetDescription:
    """Return what a training set says about itself. Raises ReadError."""
    try:
        attributes = json.loads((path / "zarr.json").read_text("utf-8"))["attributes"]
    except FileNotFoundError as error:
        what = "is no training set" if path.exists() else "does not exist"
        raise ReadError(f"{path} {what}: give a folder that 'training-set make' wrote") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReadError(f"{path} is no training set or its zarr.json is damaged") from error
    if attributes.get("format") != FORMAT:
        raise ReadError(f"{path} is a zarr folder but no training set of crewe")
    if attributes.get("format_version") != FORMAT_VERSION:
        said = attributes.get("format_version")
        raise ReadError(f"{path} has format {said}, not {FORMAT_VERSION}: use a newer crewe")
    return _description(path, attributes)


def _description(path: Path, attributes: dict[str, Any]) -> SetDescription:
    known = set(SetDescription.__dataclass_fields__)
    try:
        fields = {key: value for key, value in attributes.items() if key in known}
        layout = tuple(
            ArrayLayout(**{**entry, "shape": tuple(entry["shape"])}) for entry in fields["layout"]
        )
        return SetDescription(**{**fields, "layout": layout})
    except (KeyError, TypeError) as error:
        raise ReadError(f"{path}: its zarr.json is damaged ({error})") from error


def prepare(path: Path, wanted: SetDescription) -> SetDescription:
    """Create the folder of a set, or go on with one that the same recipe and seed began.

    A set may grow; one that was begun and has no block yet is replaced, whatever its recipe.
    Returns the description to go on with: its versions are those that the set was begun with,
    while the record of each block has its own. Raises PlanError when the folder holds another
    set, a larger one or something else, and WriteError when it cannot be written.
    """
    if path.exists() and not path.is_dir():
        raise PlanError(f"{path} is a file and no training set: choose another name")
    if not (path / "zarr.json").exists():
        if path.exists() and any(path.iterdir()):
            raise PlanError(f"{path} holds something else: choose another name")
        write_metadata(path, wanted)
        return wanted
    there = read_description(path)
    if not there.complete and not any(path.glob(RECORDS)):
        _clear(path, there)
        write_metadata(path, wanted)
        return wanted
    _check_same(path, there, wanted)
    going_on = replace(wanted, versions=there.versions)
    if not there.complete or there.count != wanted.count:
        write_metadata(path, going_on)
    return going_on


def _clear(path: Path, there: SetDescription) -> None:
    """Remove what blocks that never became whole left in the folder of a set."""
    left = {"tables", "blocks", *(layout.name for layout in there.layout)}
    try:
        for folder in path.iterdir():
            if folder.name in left and folder.is_dir():
                shutil.rmtree(folder)
    except OSError as error:
        raise WriteError(f"cannot clear {path}: {error.strerror or error}") from error


def _check_same(path: Path, there: SetDescription, wanted: SetDescription) -> None:
    if there.recipe != wanted.recipe:
        raise PlanError(f"{path} was begun with another recipe ({there.name}): choose another name")
    if there.seed != wanted.seed:
        raise PlanError(
            f"{path} was begun with seed {there.seed}: give --seed {there.seed} or another name"
        )
    if there.count > wanted.count:
        raise PlanError(
            f"{path} holds {there.count} samples and cannot shrink to {wanted.count}: "
            f"give -n {there.count} or more"
        )
    if (there.layout, there.tables, there.block_size) != (
        wanted.layout,
        wanted.tables,
        wanted.block_size,
    ):
        raise PlanError(f"{path} was begun by another version of crewe: choose another name")


def write_metadata(path: Path, description: SetDescription) -> None:
    """Write zarr's description of the group and of each array; the samples stay as they are.

    Raises WriteError.
    """
    try:
        path.mkdir(exist_ok=True)
        for name, text in _metadata(description).items():
            (path / name).parent.mkdir(exist_ok=True)
            with atomic_path(path / name, overwrite=True) as temporary:
                temporary.write_bytes(text)
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror or error}") from error


def _metadata(description: SetDescription) -> dict[str, bytes]:
    """Return zarr's files of an empty set: those of the arrays, then that of the group."""
    import zarr

    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        group = zarr.open_group(place, mode="w", zarr_format=3)
        group.update_attributes(
            {"format": FORMAT, "format_version": FORMAT_VERSION, "precision": PRECISION}
            | asdict(description)
        )
        for layout in description.layout:
            _create_array(group, layout, description)
        # Zarr warns that other programs may overlook it, and they may: nothing depends on it,
        # but it spares a look into every folder and keeps quiet about our own files.
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(group.store)
        names = [*(f"{layout.name}/zarr.json" for layout in description.layout), "zarr.json"]
        return {name: (Path(place) / name).read_bytes() for name in names}


def _create_array(group: Any, layout: ArrayLayout, description: SetDescription) -> None:
    group.create_array(
        layout.name,
        shape=(description.count, *layout.shape),
        dtype=np.dtype(layout.dtype),
        chunks=(1, *layout.shape),
        shards=(description.block_size, *layout.shape),
        compressors=[zarr_codec(layout.dtype)],
        fill_value=0,
        dimension_names=("sample", *_dimensions(layout, description.layout[0])),
        attributes={"description": layout.description},
    )


def _dimensions(layout: ArrayLayout, first: ArrayLayout) -> list[str]:
    """Name y and x; those of another length get it in their name, as xarray wants it."""
    names = ["y", "x"] if len(layout.shape) == 2 else [f"axis{i}" for i in range(len(layout.shape))]
    sizes = dict(zip(names, first.shape, strict=False))
    return [
        name if sizes.get(name) == size else f"{name}_{size}"
        for name, size in zip(names, layout.shape, strict=True)
    ]


def completed(description: SetDescription) -> SetDescription:
    """Return the description of a set whose last block is there."""
    return replace(description, complete=True)
