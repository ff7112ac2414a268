"""The unit of work: a block of samples, made in one go and whole or not there.

Its files go to their final names at once; the record, renamed into place after
everything else has reached the disk, is what makes them count. A block without its record
is made again, whatever lies there.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from crewe.errors import WriteError
from crewe.io.atomic import atomic_path
from crewe.training_sets.codecs import compressed
from crewe.training_sets.folder import MANIFEST, SetDescription, record_file
from crewe.training_sets.making import Recall, make_sample, maker_of, recalled
from crewe.training_sets.pieces import manifest_piece, table_piece
from crewe.training_sets.sample import SampleMaker
from crewe.training_sets.shards import shard

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class BlockTask:
    """One block to make: a small value that any worker process can carry out."""

    path: Path
    description: SetDescription
    block: int
    recall: Recall = maker_of


@dataclass(frozen=True)
class StoredFile:
    """A file of a block as it was written."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class BlockRecord:
    """Says that a block is whole."""

    start: int
    stop: int
    files: dict[str, StoredFile]
    versions: dict[str, str] = field(default_factory=dict)
    """Of the libraries that made it."""


def make_block(task: BlockTask) -> BlockRecord:
    """Make the samples of a block and write its files, the record last.

    Needs memory for one sample and for the block's compressed bytes. Raises WriteError when
    the disk refuses; the files of this block are then removed.
    """
    description, root = task.description, task.path
    maker = recalled(task.recall, description.recipe)
    begun = [record_file(task.block)]
    files: dict[str, StoredFile] = {}
    try:
        (root / begun[0]).unlink(missing_ok=True)
        for name, content in _contents(maker, description, task.block):
            begun.append(name)
            files[name] = StoredFile(len(content), hashlib.sha256(content).hexdigest())
            _write(root / name, content)
        for name in files:
            _bring_to_disk(root / name)
        made = BlockRecord(*description.span(task.block), files, description.versions)
        _write_record(root / begun[0], made)
    except BaseException as error:
        _remove(root, begun)
        if isinstance(error, OSError):
            raise _write_error(error, root) from error
        raise
    return made


def _write_record(path: Path, record: BlockRecord) -> None:
    path.parent.mkdir(exist_ok=True)
    with atomic_path(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(asdict(record), indent=1), "utf-8")


def _contents(
    maker: SampleMaker, description: SetDescription, block: int
) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each file of a block."""
    start, stop = description.span(block)
    chunks: dict[str, list[bytes]] = {layout.name: [] for layout in description.layout}
    tables: dict[str, list[Any]] = {name: [] for name in description.tables}
    facts = []
    for index in range(start, stop):
        sample = make_sample(maker, description.seed, index)
        for name, array in sample.arrays.items():
            chunks[name].append(compressed(array))
        for name, table in sample.tables.items():
            tables[name].append(table)
        facts.append(sample.facts)
    for layout in description.layout:
        # Each list is let go as its file is written.
        packed = shard(chunks.pop(layout.name), description.block_size)
        yield description.array_file(layout, block), packed
    for name, columns in description.tables.items():
        piece = table_piece(tables[name], columns, start)
        yield description.table_file(name, block), piece
    yield description.table_file(MANIFEST, block), manifest_piece(facts, start, block)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(content)


def _bring_to_disk(path: Path) -> None:
    """Wait for the disk, so that after a power cut no record stands for bytes that are lost."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _remove(root: Path, names: list[str]) -> None:
    for name in names:
        try:
            (root / name).unlink(missing_ok=True)
        except OSError:  # The disk that refused to write may refuse this too.
            continue


def _write_error(error: OSError, root: Path) -> WriteError:
    if error.errno in FULL_DISK:
        return WriteError(f"the disk is full: no room for another block in {root}")
    if error.errno == errno.EFBIG:
        return WriteError(f"a file of a block in {root} is larger than the system allows")
    return WriteError(f"cannot write {error.filename or root}: {error.strerror or error}")


def read_record(path: Path, description: SetDescription, block: int) -> BlockRecord | None:
    """Return the record of a block, None when there is none that fits the set."""
    try:
        read = json.loads((path / record_file(block)).read_text("utf-8"))
        files = {name: StoredFile(**file) for name, file in read["files"].items()}
        record = BlockRecord(read["start"], read["stop"], files, read["versions"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    expected = {description.array_file(layout, block) for layout in description.layout}
    expected |= {description.table_file(name, block) for name in (*description.tables, MANIFEST)}
    fits = (record.start, record.stop) == description.span(block) and set(files) == expected
    return record if fits else None


def is_whole(path: Path, description: SetDescription, block: int) -> bool:
    """Return whether a block has its record and each of its files the recorded length."""
    record = read_record(path, description, block)
    if record is None:
        return False
    try:
        return all(
            (path / name).stat().st_size == file.bytes for name, file in record.files.items()
        )
    except OSError:
        return False


def missing_blocks(path: Path, description: SetDescription) -> list[int]:
    """Return the blocks that have still to be made."""
    return [block for block in range(description.blocks) if not is_whole(path, description, block)]


def stored_bytes(path: Path, description: SetDescription) -> int:
    """Return the size of all blocks that have their record."""
    records = (read_record(path, description, block) for block in range(description.blocks))
    return sum(file.bytes for record in records if record for file in record.files.values())


def file_damage(path: Path, name: str, stored: StoredFile) -> str | None:
    """Return what is wrong with a file of a block, None when its checksum is right."""
    try:
        with (path / name).open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if found == stored.sha256 else "is not what was written (its SHA-256 differs)"


def discard_block(path: Path, block: int) -> None:
    """Remove the record of a block, so that it is made again. Raises WriteError."""
    try:
        (path / record_file(block)).unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"cannot mend block {block} of {path}: {error.strerror}") from error


def clear_leftovers(path: Path) -> None:
    """Remove what a record left behind whose writer was killed while it was written.

    Raises WriteError.
    """
    try:
        for folder in (path, path / "blocks"):
            for leftover in folder.glob(".*.part*"):
                leftover.unlink(missing_ok=True)
    except OSError as error:
        raise _write_error(error, path) from error
