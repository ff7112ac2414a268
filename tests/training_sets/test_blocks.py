import dataclasses

import pytest
from blob_sets import SEED, blobs

from crewe.errors import WriteError
from crewe.training_sets.blocks import (
    BlockTask,
    clear_leftovers,
    file_damage,
    is_whole,
    make_block,
    missing_blocks,
    read_record,
    stored_bytes,
)
from crewe.training_sets.folder import describe, prepare


@pytest.fixture
def task(tmp_path):
    description = describe(blobs.BlobMaker(), SEED, 40, {"numpy": "2"})
    prepare(tmp_path / "set.zarr", description)
    return BlockTask(tmp_path / "set.zarr", description, 1, blobs.recall)


def test_a_block_is_whole_only_with_its_record_and_all_of_every_file(task):
    assert missing_blocks(task.path, task.description) == [0, 1]
    record = make_block(task)
    assert (record.start, record.stop) == (32, 40)
    assert record.versions == {"numpy": "2"}
    assert read_record(task.path, task.description, 1) == record
    assert missing_blocks(task.path, task.description) == [0]
    assert stored_bytes(task.path, task.description) == sum(f.bytes for f in record.files.values())
    for name, stored in record.files.items():
        content = (task.path / name).read_bytes()
        assert file_damage(task.path, name, stored) is None
        (task.path / name).write_bytes(content[:-1])
        assert not is_whole(task.path, task.description, 1)
        (task.path / name).write_bytes(content)
    assert is_whole(task.path, task.description, 1)


def test_a_record_of_fewer_samples_does_not_count_when_a_set_grows(task):
    make_block(task)
    larger = dataclasses.replace(task.description, count=60)
    assert missing_blocks(task.path, larger) == [0, 1]


def test_a_failing_block_leaves_nothing_not_even_its_old_record(task):
    make_block(task)
    blocked = task.path / "tables" / "positions" / "000001.parquet"
    blocked.unlink()
    blocked.mkdir()
    with pytest.raises(WriteError, match=r"cannot write .*000001\.parquet"):
        make_block(task)
    assert not list((task.path / "blocks").iterdir())
    assert not list(task.path.glob("*/c/1/*/*"))
    blocked.rmdir()
    make_block(task)
    assert is_whole(task.path, task.description, 1)


def test_leftovers_of_a_killed_program_are_cleared(task):
    make_block(task)
    leftover = task.path / "blocks" / ".0123456789ab.part.json"
    leftover.write_text("half")
    clear_leftovers(task.path)
    assert not leftover.exists()
    assert is_whole(task.path, task.description, 1)
