import numpy as np
import pytest

from crewe.errors import ReadError, RecipeError
from crewe.training_sets.making import maker_of
from crewe.training_sets.recipe import load_recipe
from crewe.training_sets.store import open_training_set
from crewe.training_sets.stored_samples import StoredSamples
from crewe.workflows.training_set import TrainingSetPlan, make_training_set

COUNT = 5


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A small set of a shipped recipe, and the maker that made it."""
    path = tmp_path_factory.mktemp("sets") / "pairs.zarr"
    maker = load_recipe("hrstem", {"size_px": 24})
    make_training_set(TrainingSetPlan(maker, COUNT, path, 3))
    return path, maker


def test_the_first_round_gives_the_samples_as_they_are_stored(stored):
    path, _ = stored
    maker = StoredSamples(path=str(path))
    for index, wanted in enumerate(open_training_set(path)):
        found = maker.sample(9, index)
        assert found.facts == wanted.facts
        for name, array in wanted.arrays.items():
            np.testing.assert_array_equal(found.arrays[name], array)


def test_later_rounds_mirror_both_images_alike_and_never_turn_scan_lines(stored):
    path, _ = stored
    maker, kept = StoredSamples(path=str(path)), open_training_set(path)
    seen = set()
    for index in range(COUNT, 12 * COUNT):
        found, wanted = maker.sample(9, index), kept[index % COUNT]
        moves = [
            (y, x)
            for y in (1, -1)
            for x in (1, -1)
            if all(np.array_equal(found.arrays[n], a[::y, ::x]) for n, a in wanted.arrays.items())
        ]
        assert len(moves) == 1
        seen.add(moves[0])
    assert len(seen) == 4


def test_a_sample_depends_on_seed_and_number_alone(stored):
    maker, again = (StoredSamples(path=str(stored[0])) for _ in range(2))
    for name, array in maker.sample(4, 33).arrays.items():
        np.testing.assert_array_equal(array, again.sample(4, 33).arrays[name])


def test_its_text_makes_it_again_in_a_worker(stored):
    path, original = stored
    maker = maker_of(StoredSamples(path=str(path)).text)
    assert isinstance(maker, StoredSamples)
    assert maker.original.text == original.text
    assert (maker.name, maker.layout()) == (original.name, original.layout())
    assert maker.table_columns() == original.table_columns()


def test_what_is_no_set_is_refused(tmp_path):
    with pytest.raises(ReadError, match="none"):
        StoredSamples(path=str(tmp_path / "none.zarr")).layout()
    with pytest.raises(RecipeError, match="path"):
        maker_of("task: stored\n")
