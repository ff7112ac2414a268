"""Whether a training set is what it says: whole, undamaged, and what its recipe makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crewe.errors import CreweError, ReadError
from crewe.training_sets.blocks import discard_block, file_damage, is_whole, read_record
from crewe.training_sets.folder import SetDescription, read_description
from crewe.training_sets.making import Recall, make_sample, maker_of, recalled
from crewe.training_sets.pieces import INDEX, joined_manifest
from crewe.training_sets.sample import Sample
from crewe.training_sets.store import TrainingSet


@dataclass(frozen=True)
class Damage:
    """One thing that is wrong with a set."""

    what: str
    """The file or sample and what is wrong with it."""
    block: int | None = None
    """The block to make again; None when no block is to blame."""


@dataclass(frozen=True)
class CheckReport:
    """What a check of a training set found."""

    path: Path
    count: int
    """Samples that the set should hold."""
    checked_files: int
    remade: tuple[int, ...]
    """Samples that were made again and compared bit for bit."""
    damage: tuple[Damage, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.damage

    @property
    def blocks_to_mend(self) -> tuple[int, ...]:
        """The blocks that have to be made again."""
        return tuple(sorted({d.block for d in self.damage if d.block is not None}))


def check_training_set(
    path: Path, remake: int = 3, *, seed: int = 0, recall: Recall = maker_of
) -> CheckReport:
    """Check every file's SHA-256, the metadata, the manifest, and some samples bit for bit.

    `remake` samples, drawn with `seed`, are made again from the recipe and compared; another
    processor or other versions of the libraries may change their last bits, damage does not
    look like that. Reading two samples of every block finds wrong shapes, types and NaN. Raises
    ReadError only when there is no training set at all.
    """
    description = read_description(path)
    damage = [] if description.complete else [_unfinished(path, description)]
    files, in_blocks = _check_blocks(path, description)
    damage += in_blocks
    reader = TrainingSet(path, description)
    damage += _check_metadata(reader)
    unlisted = _check_manifest(reader) if description.complete else []
    damage += unlisted
    broken = {found.block for found in in_blocks}
    whole = [block for block in range(description.blocks) if block not in broken]
    damage += [found for block in whole for found in _check_values(reader, block)]
    rng = np.random.default_rng(seed)
    candidates = [index for block in whole for index in range(*description.span(block))]
    count = min(remake, len(candidates))
    chosen = sorted(int(index) for index in rng.choice(candidates, count, replace=False))
    for index in chosen:
        listed = description.complete and not unlisted
        damage += _check_again(reader, index, recall, listed)
    return CheckReport(path, description.count, files, tuple(chosen), tuple(damage))


def prepare_mending(report: CheckReport) -> None:
    """Discard the records of damaged blocks and reopen the set, so that making it mends it.

    Raises WriteError.
    """
    from dataclasses import replace

    from crewe.training_sets.folder import write_metadata

    for block in report.blocks_to_mend:
        discard_block(report.path, block)
    write_metadata(report.path, replace(read_description(report.path), complete=False))


def _unfinished(path: Path, description: SetDescription) -> Damage:
    missing = sum(not is_whole(path, description, block) for block in range(description.blocks))
    return Damage(f"not finished: {missing} of {description.blocks} blocks are missing")


def _check_blocks(path: Path, description: SetDescription) -> tuple[int, list[Damage]]:
    """Compare every file of every block with its checksum."""
    files, damage = 0, []
    for block in range(description.blocks):
        record = read_record(path, description, block)
        if record is None:
            damage.append(Damage(f"block {block} has no valid record", block))
            continue
        for name, stored in record.files.items():
            files += 1
            wrong = file_damage(path, name, stored)
            if wrong is not None:
                damage.append(Damage(f"{name} {wrong}", block))
    return files, damage


def _check_metadata(reader: TrainingSet) -> list[Damage]:
    """Open each array as zarr sees it and compare shape and type."""
    damage = []
    for layout in reader.description.layout:
        expected = ((len(reader), *layout.shape), np.dtype(layout.dtype))
        try:
            stored = reader.arrays[layout.name]
        except Exception as error:  # zarr raises many kinds for damaged metadata
            damage.append(Damage(f"{layout.name}/zarr.json cannot be used: {error}"))
            continue
        if (stored.shape, stored.dtype) != expected:
            found = f"{stored.dtype} of shape {stored.shape}"
            damage.append(Damage(f"{layout.name}/zarr.json says {found}, not {expected}"))
    return damage


def _check_manifest(reader: TrainingSet) -> list[Damage]:
    """Compare the merged manifest with the pieces of the blocks, whose checksums are known."""
    import pyarrow as pa

    try:
        stored = reader.manifest
        pieces = joined_manifest(reader.path, reader.description).to_pandas()
    except ReadError as error:
        return [Damage(str(error))]
    except (OSError, pa.ArrowException):
        return []  # The block with the damaged piece is named already.
    if stored.equals(pieces) and np.array_equal(stored[INDEX], np.arange(len(reader))):
        return []
    return [Damage("manifest.parquet is not what the blocks say")]


def _check_values(reader: TrainingSet, block: int) -> list[Damage]:
    """Read the first and the last sample of a block."""
    start, stop = reader.description.span(block)
    for index in (start, stop - 1):
        for layout in reader.description.layout:
            try:
                array = reader.array(layout.name, index)
            except ReadError as error:
                return [Damage(str(error), block)]
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                return [Damage(f"sample {index}: {layout.name} holds NaN", block)]
    return []


def _check_again(reader: TrainingSet, index: int, recall: Recall, listed: bool) -> list[Damage]:
    """Make a sample again and compare it; its facts too where there is a manifest."""
    description = reader.description
    block = index // description.block_size
    try:
        again = make_sample(recalled(recall, description.recipe), description.seed, index)
        stored = Sample(
            {layout.name: reader.array(layout.name, index) for layout in description.layout},
            reader.facts(index) if listed else again.facts,
            {name: _columns(reader, name, index) for name in description.tables},
        )
    except CreweError as error:
        return [Damage(f"sample {index} cannot be made again: {error}", block)]
    unlike = [f"array {key}" for key in again.arrays if _differ(again.arrays, stored.arrays, key)]
    unlike += [f"fact {key}" for key in again.facts if _differ(again.facts, stored.facts, key)]
    unlike += [
        f"table {name}, column {key}"
        for name, table in again.tables.items()
        for key in table
        if _differ(table, stored.tables[name], key)
    ]
    if not unlike:
        return []
    said = f"sample {index} is not what the recipe makes now: {', '.join(unlike)}"
    return [Damage(f"{said} (made with {_versions(description)})", block)]


def _columns(reader: TrainingSet, table: str, index: int) -> dict[str, Any]:
    return {str(name): values.to_numpy() for name, values in reader.table(table, index).items()}


def _differ(made: Any, stored: Any, key: str) -> bool:
    first, second = np.asarray(made[key]), np.asarray(stored.get(key))
    if first.dtype.kind == "f" and second.dtype.kind == "f":
        return not np.array_equal(first, second, equal_nan=True)
    return not np.array_equal(first, second)


def _versions(description: SetDescription) -> str:
    return ", ".join(f"{name} {version}" for name, version in description.versions.items())
