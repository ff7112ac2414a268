"""Whether a training set is what it says: whole, undamaged, and what its recipe makes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crewe.errors import ReadError
from crewe.training_sets.blocks import discard_block, file_damage, read_record
from crewe.training_sets.folder import SetDescription, read_description
from crewe.training_sets.making import Recall, maker_of
from crewe.training_sets.pieces import INDEX, joined_manifest
from crewe.training_sets.reproduction import NotReproduced, compare_again
from crewe.training_sets.store import TrainingSet

NAMED_BLOCKS = 10


@dataclass(frozen=True)
class Damage:
    """One thing that is wrong with a set."""

    what: str
    """The file or sample and what is wrong with it."""
    blocks: tuple[int, ...] = ()
    """The blocks to make again; none where that would not help."""


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
    not_reproduced: tuple[NotReproduced, ...] = ()
    """No damage: another processor or other versions of the libraries change last bits."""

    @property
    def sound(self) -> bool:
        """Whether the set holds what was written."""
        return not self.damage

    @property
    def blocks_to_mend(self) -> tuple[int, ...]:
        """The blocks that have to be made again."""
        return tuple(sorted({block for damage in self.damage for block in damage.blocks}))


def check_training_set(
    path: Path, remake: int = 3, *, seed: int = 0, recall: Recall = maker_of
) -> CheckReport:
    """Check every file's SHA-256, the metadata, the manifest, and some samples bit for bit.

    `remake` samples, drawn with `seed` from the blocks whose checksums hold, are made again from
    the recipe and compared. Those that differ are `not_reproduced`, which is no damage: their
    bytes are the ones that were written. Reading two samples of every block finds wrong shapes,
    types and NaN. Raises ReadError only when there is no training set at all.
    """
    description = read_description(path)
    files, damage = _check_blocks(path, description)
    reader = TrainingSet(path, description)
    broken = {block for found in damage for block in found.blocks}
    whole = [block for block in range(description.blocks) if block not in broken]
    damage += _check_metadata(reader)
    unlisted = _check_manifest(reader) if description.complete else []
    damage += unlisted
    damage += [found for block in whole for found in _check_values(reader, block)]
    chosen = _drawn(description, whole, remake, seed)
    listed = description.complete and not unlisted
    unlike: list[NotReproduced] = []
    for index in chosen:
        try:
            unlike += compare_again(reader, index, recall, listed)
        except ReadError as error:
            damage.append(Damage(f"sample {index}: {error}"))
    return CheckReport(path, description.count, files, chosen, tuple(damage), tuple(unlike))


def _drawn(
    description: SetDescription, blocks: list[int], count: int, seed: int
) -> tuple[int, ...]:
    """Draw samples of some blocks."""
    candidates = [index for block in blocks for index in range(*description.span(block))]
    rng = np.random.default_rng(seed)
    drawn = rng.choice(candidates, min(count, len(candidates)), replace=False)
    return tuple(sorted(int(index) for index in drawn))


def prepare_mending(report: CheckReport) -> None:
    """Discard the records of damaged blocks and reopen the set, so that making it mends it.

    Raises WriteError.
    """
    from dataclasses import replace

    from crewe.training_sets.folder import write_metadata

    for block in report.blocks_to_mend:
        discard_block(report.path, block)
    write_metadata(report.path, replace(read_description(report.path), complete=False))


def _check_blocks(path: Path, description: SetDescription) -> tuple[int, list[Damage]]:
    """Compare every file of every block with its checksum."""
    files, damage, unrecorded = 0, [], []
    for block in range(description.blocks):
        record = read_record(path, description, block)
        if record is None:
            unrecorded.append(block)
            continue
        for name, stored in record.files.items():
            files += 1
            wrong = file_damage(path, name, stored)
            if wrong is not None:
                damage.append(Damage(f"block {block}: {name} {wrong}", (block,)))
    return files, [*_unrecorded(description, unrecorded), *damage]


def _unrecorded(description: SetDescription, blocks: list[int]) -> list[Damage]:
    """Say in one line which blocks are not there, and whether they ever were."""
    if not description.complete:
        missing = f"{len(blocks)} of {description.blocks} blocks are missing"
        joined = missing if blocks else "all blocks are there, the manifest is not joined yet"
        return [Damage(f"not finished: {joined}", tuple(blocks))]
    if not blocks:
        return []
    if len(blocks) == 1:
        return [Damage(f"block {blocks[0]} has no valid record", tuple(blocks))]
    some = ", ".join(map(str, blocks[:NAMED_BLOCKS])) + ", …" * (len(blocks) > NAMED_BLOCKS)
    return [Damage(f"{len(blocks)} blocks have no valid record: {some}", tuple(blocks))]


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
    """Read the first and the last sample of a block whose checksums hold.

    What is wrong in it was written so; it is not mended, since it would come out so again.
    """
    start, stop = reader.description.span(block)
    for index in (start, stop - 1):
        for layout in reader.description.layout:
            try:
                array = reader.array(layout.name, index)
            except ReadError as error:
                return [Damage(f"block {block}: {error}")]
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                return [Damage(f"block {block}: sample {index}: {layout.name} holds NaN")]
    return []
