import dataclasses

import numpy as np
import pytest
from blob_sets import SEED, assert_same_sample, blobs

from crewe.errors import PlanError, RecipeError, SpecimenError
from crewe.training_sets.codecs import rounded
from crewe.training_sets.making import make_sample, recalled

MAKER = blobs.BlobMaker()


@dataclasses.dataclass(frozen=True)
class Altered:
    """The blobs with something changed in every sample."""

    arrays: dict = dataclasses.field(default_factory=dict)
    tables: dict = dataclasses.field(default_factory=dict)
    facts: dict = dataclasses.field(default_factory=dict)
    name = "altered"
    layout = MAKER.layout
    table_columns = MAKER.table_columns

    def sample(self, seed, index):
        made = MAKER.sample(seed, index)
        arrays = {**made.arrays, **self.arrays}
        return dataclasses.replace(
            made,
            arrays={name: array for name, array in arrays.items() if array is not None},
            tables={**made.tables, **self.tables},
            facts={**made.facts, **self.facts},
        )


def clean_with(value):
    array = np.full((24, 24), 20, np.float32)
    array[3, 4] = value
    return {"clean": array}


ONE, TWO = np.zeros(1), np.zeros(2)


@pytest.mark.parametrize(
    ("maker", "said"),
    [
        (Altered(clean_with(np.nan)), "'clean' holds NaN or infinity"),
        (Altered(clean_with(-np.inf)), "'clean' holds NaN or infinity"),
        (Altered({"clean": None}), "lacks the array 'clean' of its layout"),
        (Altered({"clean": np.zeros((24, 24))}), "'clean' is float64 of shape .*says float32"),
        (Altered({"mask": np.zeros((24, 23), np.uint8)}), r"uint8 of shape \(24, 23\), its layout"),
        (Altered({"more": ONE}), r"arrays that its layout lacks: \['more'\]"),
        (Altered(tables={"positions": None}), "table 'positions' has none, not"),
        (Altered(tables={"positions": {"x": ONE}}), r"has \['x'\], not \['element', 'x', 'y'\]"),
        (Altered(tables={"positions": {"x": ONE, "y": TWO, "element": ONE}}), "differ in length"),
    ],
)
def test_a_sample_that_does_not_keep_to_its_layout_is_refused(maker, said):
    with pytest.raises(RecipeError, match=f"^altered: sample 4 of seed {SEED}.*{said}"):
        make_sample(maker, SEED, 4)


def test_float32_is_rounded_as_stored_and_nothing_else():
    made, drawn = make_sample(MAKER, SEED, 4), MAKER.sample(SEED, 4)
    for name in ("clean", "fine"):
        np.testing.assert_array_equal(made.arrays[name], rounded(drawn.arrays[name]))
        assert not np.array_equal(made.arrays[name], drawn.arrays[name])
    for name in ("image", "mask"):
        np.testing.assert_array_equal(made.arrays[name], drawn.arrays[name])
    np.testing.assert_array_equal(made.tables["positions"]["x"], drawn.tables["positions"]["x"])


def test_facts_become_plain_numbers():
    facts = {"a": np.float32(0.5), "b": np.int64(3), "c": np.bool_(True), "d": "text"}
    made = make_sample(Altered(facts=facts), SEED, 4).facts
    assert [type(made[key]) for key in "abcd"] == [float, int, bool, str]
    assert [made[key] for key in "abcd"] == [0.5, 3, True, "text"]


def test_errors_keep_their_class_and_name_the_sample_once():
    with pytest.raises(SpecimenError, match=r"^sample 7 of seed 5: no such crystal"):
        make_sample(blobs.BlobMaker("fails: 7"), 5, 7)

    class Saying(Altered):
        def sample(self, seed, index):
            raise RecipeError(f"recipe altered: nothing in sample {index}")

    with pytest.raises(RecipeError, match=r"^seed 5: recipe altered: nothing in sample 7$"):
        make_sample(Saying(), 5, 7)


def test_a_sample_too_large_for_the_memory_says_what_to_do():
    with pytest.raises(PlanError, match=r"sample 7 of seed 5 needs more memory.*smaller"):
        make_sample(blobs.BlobMaker("hoards: 7"), 5, 7)


def test_a_maker_is_read_once():
    read = []

    def recall(text):
        read.append(text)
        return blobs.BlobMaker(text)

    for _ in range(3):
        assert_same_sample(
            make_sample(recalled(recall, "size: 24"), SEED, 2), make_sample(MAKER, SEED, 2)
        )
    assert read == ["size: 24"]
