import dataclasses
import importlib.metadata
import json
import platform

import numpy as np
from blob_sets import SEED, blobs

from crewe.training_sets.folder import read_description
from crewe.training_sets.making import make_sample
from crewe.training_sets.reproduction import compare_again, differences
from crewe.training_sets.store import TrainingSet


def reader_of(path, **changes):
    return TrainingSet(path, dataclasses.replace(read_description(path), **changes))


def test_what_the_recipe_makes_again_is_the_same(made_set):
    for index in (0, 3, 40, 69):
        assert compare_again(reader_of(made_set), index, blobs.recall) == []


def test_every_kind_of_difference_is_named_and_nothing_else():
    made = make_sample(blobs.BlobMaker(), SEED, 4)
    assert differences(made, make_sample(blobs.BlobMaker(), SEED, 4)) == []
    clean = made.arrays["clean"].copy()
    clean[0, :12] = np.nextafter(clean[0, :12], np.float32(np.inf))
    other = dataclasses.replace(
        made,
        arrays={**made.arrays, "clean": clean},
        facts={**made.facts, "layers": 99, "older": 1},
        tables={"positions": {**made.tables["positions"], "x": made.tables["positions"]["x"] + 1}},
    )
    assert differences(made, other) == [
        f"array clean in {12 / 576:.2g} of its values",
        "fact layers",
        "fact older",
        "table positions, column x",
    ]


def test_facts_that_are_not_numbers_equal_themselves():
    made = make_sample(blobs.BlobMaker(), SEED, 4)
    unknown = dataclasses.replace(made, facts={**made.facts, "tilt": float("nan")})
    assert differences(unknown, unknown) == []


def test_the_versions_are_those_of_the_block_and_of_this_place(copied_set):
    file = copied_set / "blocks" / "000001.json"
    record = json.loads(file.read_text())
    record["versions"] = {"python": "2.7", "numpy": "1.0", "no-such-library": "3"}
    file.write_text(json.dumps(record))
    (found,) = compare_again(reader_of(copied_set, seed=SEED + 1), 40, blobs.recall)
    assert (found.sample, found.block) == (40, 1)
    assert found.made_with == record["versions"]
    assert found.installed == {
        "python": platform.python_version(),
        "numpy": importlib.metadata.version("numpy"),
        "no-such-library": "none",
    }


def test_a_sample_that_cannot_be_made_any_more_says_why(made_set):
    (found,) = compare_again(reader_of(made_set, recipe="fails: 5"), 5, blobs.recall)
    said = f"it cannot be made: sample 5 of seed {SEED}: no such crystal: give another"
    assert found.unlike == (said,)


def test_another_layout_is_a_difference(made_set):
    (found,) = compare_again(reader_of(made_set, recipe="size: 20"), 5, blobs.recall)
    assert "array clean in 1 of its values" in found.unlike
