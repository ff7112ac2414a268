import dataclasses
import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from blob_sets import COUNT, blobs

from crewe.errors import ReadError
from crewe.training_sets.blocks import StoredFile
from crewe.training_sets.check import check_training_set
from crewe.training_sets.codecs import compressed
from crewe.training_sets.folder import read_description, write_metadata
from crewe.training_sets.shards import shard as shard_of
from crewe.workflows.training_set import mend_training_set

SHARD = "clean/c/1/0/0"


def check(path, **how):
    return check_training_set(path, recall=blobs.recall, **how)


def bytes_of(path):
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file()
    }


def test_a_sound_set(made_set):
    report = check(made_set, remake=5)
    assert report.sound
    assert report.damage == ()
    assert (report.count, report.checked_files, len(report.remade)) == (COUNT, 3 * 6, 5)


def flip_a_byte(path):
    shard = path / SHARD
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)


def cut_short(path):
    shard = path / SHARD
    shard.write_bytes(shard.read_bytes()[:-7])


def lose_a_file(path):
    (path / "tables/positions/000001.parquet").unlink()


def lose_a_record(path):
    (path / "blocks/000001.json").unlink()


def garble_a_record(path):
    (path / "blocks/000001.json").write_text('{"start": 32}')


def garble_array_metadata(path):
    (path / "clean/zarr.json").write_text("{}")
    attributes = json.loads((path / "zarr.json").read_text())
    attributes["consolidated_metadata"]["metadata"].pop("clean")
    (path / "zarr.json").write_text(json.dumps(attributes))


def lose_the_manifest(path):
    (path / "manifest.parquet").unlink()


def alter_the_manifest(path):
    rows = pd.read_parquet(path / "manifest.parquet")
    rows.loc[3, "material"] = "gold"
    rows.to_parquet(path / "manifest.parquet")


@pytest.mark.parametrize(
    ("damage", "named", "blocks"),
    [
        (flip_a_byte, f"{SHARD} is not what was written", (1,)),
        (cut_short, f"{SHARD} is not what was written", (1,)),
        (lose_a_file, "positions/000001.parquet cannot be read", (1,)),
        (lose_a_record, "block 1 has no valid record", (1,)),
        (garble_a_record, "block 1 has no valid record", (1,)),
        (garble_array_metadata, "clean/zarr.json", ()),
        (lose_the_manifest, "manifest.parquet", ()),
        (alter_the_manifest, "manifest.parquet is not what the blocks say", ()),
    ],
)
def test_damage_is_found_named_and_mended_to_the_same_bytes(
    made_set, copied_set, damage, named, blocks
):
    damage(copied_set)
    report = check(copied_set)
    assert not report.sound
    assert named in " ".join(fault.what for fault in report.damage)
    assert report.blocks_to_mend == blocks
    mend_training_set(report, recall=blobs.recall)
    assert bytes_of(copied_set) == bytes_of(made_set)
    assert check(copied_set).sound


def write_with_checksum(path, content):
    """Write a shard that its record confirms, as another version of a library would make it."""
    (path / SHARD).write_bytes(content)
    record_path = path / "blocks/000001.json"
    record = json.loads(record_path.read_text())
    stored = StoredFile(len(content), hashlib.sha256(content).hexdigest())
    record["files"][SHARD] = dataclasses.asdict(stored)
    record_path.write_text(json.dumps(record))


def test_a_sample_that_the_recipe_does_not_make_is_no_damage(copied_set):
    write_with_checksum(copied_set, (copied_set / "clean/c/0/0/0").read_bytes())
    assert check(copied_set, remake=0).sound
    report = check(copied_set, remake=COUNT)
    assert report.sound
    assert report.blocks_to_mend == ()
    assert [unlike.sample for unlike in report.not_reproduced] == list(range(32, 64))
    (what,) = report.not_reproduced[0].unlike
    assert what.startswith("array clean in 0.")


def test_what_was_written_wrong_is_told_and_not_mended(copied_set):
    shard = copied_set / SHARD
    layout = read_description(copied_set).layout[2]
    chunks = [compressed(np.full(layout.shape, np.nan, np.float32))] * 32
    write_with_checksum(copied_set, shard_of(chunks, 32))
    report = check(copied_set, remake=0)
    assert [found.what for found in report.damage] == ["block 1: sample 32: clean holds NaN"]
    mend_training_set(report, recall=blobs.recall)
    assert shard.read_bytes() == shard_of(chunks, 32)


def test_lost_records_are_one_fault(copied_set):
    shutil.rmtree(copied_set / "blocks")
    report = check(copied_set)
    assert [found.what for found in report.damage] == ["3 blocks have no valid record: 0, 1, 2"]
    assert report.blocks_to_mend == (0, 1, 2)
    assert report.remade == ()


def test_an_unfinished_set_is_told(copied_set):
    description = dataclasses.replace(read_description(copied_set), count=200, complete=False)
    write_metadata(copied_set, description)
    report = check(copied_set)
    assert report.damage[0].what == "not finished: 5 of 7 blocks are missing"
    assert report.damage[0].blocks == (2, 3, 4, 5, 6)
    # The arrays are larger than the pieces of the manifest, and that is all.
    assert not [fault for fault in report.damage[1:] if fault.blocks]


def test_what_is_no_set_cannot_be_checked(tmp_path):
    with pytest.raises(ReadError, match="does not exist"):
        check(tmp_path / "none.zarr")
