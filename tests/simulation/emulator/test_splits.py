import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.errors import CalibrationError
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.splits import (
    Chosen,
    image_splits,
    leave_out_splits,
    make_splits,
    pixel_splits,
)


def generator(seed=0):
    return np.random.default_rng(seed)


def pairs(count, side=20):
    image = generator(1).random((side, side + 3)).astype(np.float32)
    return [Pair(f"{n:02}", image + n, image) for n in range(count)]


@settings(deadline=None)
@given(st.integers(2, 30), st.integers(2, 6), st.integers(1, 3), st.integers(0, 99))
def test_each_image_is_tested_once_per_repeat_by_what_never_saw_it(count, folds, repeats, seed):
    if count < folds:
        with pytest.raises(CalibrationError, match="folds of images"):
            image_splits(count, folds, repeats, generator(seed))
        return
    splits = image_splits(count, folds, repeats, generator(seed))
    for split in splits:
        assert set(split.training) | set(split.validation) == set(range(count))
        assert not set(split.training) & set(split.validation)
    for repeat in range(repeats):
        mine = [split for split in splits if split.repeat == repeat]
        assert sorted(index for split in mine for index in split.validation) == list(range(count))
        sizes = [len(split.validation) for split in mine]
        assert max(sizes) - min(sizes) <= 1


def test_repeats_differ_and_a_seed_repeats_them():
    first, again = (image_splits(20, 2, 2, generator(5)) for _ in range(2))
    assert [split.validation for split in first] == [split.validation for split in again]
    assert first[0].validation not in (first[2].validation, first[3].validation)


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 4), st.integers(1, 9), st.integers(16, 40), st.integers(16, 40))
def test_each_pixel_is_tested_once_and_blocks_stay_whole(folds, block, rows, columns):
    splits = pixel_splits([(rows, columns)] * 2, folds, 1, generator(), block)
    tested = np.stack([split.tested(1, (rows, columns)) for split in splits])
    assert (tested.sum(axis=0) == 1).all()
    owner = tested.argmax(axis=0)
    for y in range(0, rows, block):
        for x in range(0, columns, block):
            assert np.ptp(owner[y : y + block, x : x + block]) == 0
    first = splits[0].learnt
    assert (first[0] != first[1]).any()


def test_folds_of_pixels_are_of_one_size():
    splits = pixel_splits([(21, 30)], 3, 1, generator(), 1)
    assert [int(split.tested(0, (21, 30)).sum()) for split in splits] == [210, 210, 210]


def test_whole_images_are_tested_wholly():
    split = make_splits(pairs(4), "image", 2, 1, generator())[0]
    assert split.learnt is None
    assert split.tested(split.validation[0], (5, 6)).all()


def test_blocks_are_seven_pixels_wide_as_in_the_paper():
    mask = make_splits(pairs(2, side=28), "block", 2, 1, generator())[0].learnt[0]
    assert all(np.ptp(mask[y : y + 7, :7].astype(int)) == 0 for y in range(0, 28, 7))
    edges = np.flatnonzero(np.diff(mask.astype(int), axis=0).any(axis=1))
    assert set(edges + 1) <= {7, 14, 21}


def test_leaving_out_keeps_the_wanted_number():
    splits = leave_out_splits(20, 3, 5, generator())
    assert len(splits) == 5
    assert all((len(split.training), len(split.validation)) == (3, 17) for split in splits)
    assert len({split.training for split in splits}) > 1
    assert [split.repeat for split in splits] == list(range(5))


@pytest.mark.parametrize("training", [0, 20, -1])
def test_both_sides_need_an_image(training):
    with pytest.raises(CalibrationError, match="1 to 19"):
        leave_out_splits(20, training, 1, generator())


@pytest.mark.parametrize(
    ("kind", "folds", "repeats", "words"),
    [("row", 2, 1, "image, block, pixel"), ("image", 1, 1, "2 folds"), ("image", 2, 0, "repeat")],
)
def test_folds_that_cannot_be_made_are_refused(kind, folds, repeats, words):
    with pytest.raises(CalibrationError, match=words):
        make_splits(pairs(4), kind, folds, repeats, generator())


def test_chosen_pairs_are_a_sequence():
    every = pairs(5)
    some = Chosen(every, (3, 1))
    assert [pair.name for pair in some] == ["03", "01"]
    assert [pair.name for pair in some[1:]] == ["01"]
    assert len(some) == 2
    with pytest.raises(IndexError):
        some[2]
