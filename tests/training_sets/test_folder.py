import dataclasses
import json

import pytest
import zarr
from blob_sets import SEED, blobs

from crewe.errors import PlanError, ReadError, WriteError
from crewe.training_sets.folder import completed, describe, prepare, read_description

VERSIONS = {"numpy": "2.0"}


def described(text="size: 24", seed=SEED, count=70, versions=VERSIONS):
    return describe(blobs.BlobMaker(text), seed, count, versions)


@pytest.fixture
def begun(tmp_path):
    """A set whose first block has its record."""
    path = tmp_path / "set.zarr"
    prepare(path, described())
    (path / "blocks").mkdir()
    (path / "blocks" / "000000.json").write_text("{}")
    return path


def test_blocks_cover_every_sample_once():
    for count in (1, 31, 32, 33, 70):
        description = described(count=count)
        spans = [description.span(block) for block in range(description.blocks)]
        assert [i for span in spans for i in range(*span)] == list(range(count))


def test_what_is_written_is_read_and_zarr_sees_it(tmp_path):
    assert prepare(tmp_path / "set.zarr", described()) == described()
    assert read_description(tmp_path / "set.zarr") == described()
    group = zarr.open_group(tmp_path / "set.zarr", mode="r")
    assert group["fine"].shape == (70, 48, 48)
    assert group["fine"].metadata.dimension_names == ("sample", "y_48", "x_48")
    assert group["clean"].metadata.dimension_names == ("sample", "y", "x")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (described("size: 25"), "another recipe.*choose another name"),
        (described(seed=6), "begun with seed 5: give --seed 5"),
        (described(count=69), "cannot shrink to 69: give -n 70 or more"),
        (dataclasses.replace(described(), block_size=16), "another version of crewe"),
        (dataclasses.replace(described(), tables={}), "another version of crewe"),
    ],
)
def test_another_set_is_refused_and_the_first_one_stays(begun, wanted, said):
    with pytest.raises(PlanError, match=said):
        prepare(begun, wanted)
    assert read_description(begun) == described()


def test_what_is_no_set_is_refused_and_stays(tmp_path):
    (tmp_path / "file.zarr").write_text("mine")
    with pytest.raises(PlanError, match="is a file and no training set"):
        prepare(tmp_path / "file.zarr", described())
    (tmp_path / "folder.zarr").mkdir()
    (tmp_path / "folder.zarr" / "thesis.txt").write_text("mine")
    with pytest.raises(PlanError, match="holds something else"):
        prepare(tmp_path / "folder.zarr", described())
    zarr.create_group(tmp_path / "other.zarr")
    with pytest.raises(ReadError, match="no training set of crewe"):
        prepare(tmp_path / "other.zarr", described())
    with pytest.raises(WriteError, match="cannot write"):
        prepare(tmp_path / "nowhere" / "set.zarr", described())
    assert (tmp_path / "file.zarr").read_text() == "mine"


def test_a_set_that_goes_on_or_grows_keeps_its_first_versions(begun):
    now = {"numpy": "2.1"}
    for count in (70, 90):
        going_on = prepare(begun, described(count=count, versions=now))
        assert (going_on.count, going_on.versions) == (count, VERSIONS)
        assert read_description(begun) == going_on


def test_a_set_without_a_block_is_replaced_by_that_of_the_corrected_recipe(begun):
    (begun / "blocks" / "000000.json").unlink()
    (begun / "clean" / "c" / "0").mkdir(parents=True)
    (begun / "notes.txt").write_text("mine")
    corrected = described("size: 20", seed=6, count=3)
    assert prepare(begun, corrected) == corrected
    assert not (begun / "clean" / "c").exists()
    assert (begun / "notes.txt").read_text() == "mine"
    assert zarr.open_group(begun, mode="r")["clean"].shape == (3, 20, 20)


def test_a_complete_set_that_lost_its_records_is_never_replaced(tmp_path):
    path = tmp_path / "set.zarr"
    prepare(path, completed(described()))
    with pytest.raises(PlanError, match="another recipe"):
        prepare(path, described("size: 20"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": "other"}, "no training set of crewe"),
        ({"format_version": 99}, "has format 99, not 1: use a newer crewe"),
        ({"layout": None}, "damaged"),
        ({"layout": [{"name": "image"}]}, "damaged"),
    ],
)
def test_a_description_that_cannot_be_used_is_told(begun, change, said):
    stored = json.loads((begun / "zarr.json").read_text())
    stored["attributes"] |= change
    (begun / "zarr.json").write_text(json.dumps(stored))
    with pytest.raises(ReadError, match=said):
        read_description(begun)
