from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import pytest

from crewe.networks.batches import batches, example_of, validation_examples
from crewe.networks.training_plan import TrainingPlan, maker_of_plan


def plan_of(**settings):
    base = {"name": "mine", "recipe": {"name": "hrstem", "changes": {"size_px": 24}}}
    return TrainingPlan.read({**base, "batch_size": 3, "seed": 4, **settings})


@pytest.fixture(scope="module")
def maker():
    return maker_of_plan(plan_of())


@pytest.fixture(scope="module")
def first(maker):
    return list(islice(batches(plan_of(), maker), 5))


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_batch_holds_its_samples_on_the_scale_of_the_input(maker, first):
    given, wanted = first[2]
    assert given.shape == wanted.shape == (3, 1, 24, 24)
    assert given.dtype == wanted.dtype == np.float32
    example = example_of(maker.sample(4, 7), plan_of())
    np.testing.assert_array_equal(given[1, 0], example.given)
    ideal = maker.sample(4, 7).arrays["ideal"]
    tolerance = 1e-3 * np.ptp(ideal)
    np.testing.assert_allclose(example.scale.undo(wanted[1, 0]), ideal, atol=tolerance)
    assert not same(first[0], first[1])


def test_a_batch_is_the_same_wherever_the_run_begins_and_whoever_makes_it(maker, first):
    assert same(next(batches(plan_of(), maker, start=3)), first[3])
    with ThreadPoolExecutor(3) as executor:
        made = batches(plan_of(), maker, 1, executor)
        for k in (1, 2, 3, 4):
            assert same(next(made), first[k])
        made.close()


def test_validation_examples_are_others_than_those_of_training(maker, first):
    examples = validation_examples(plan_of(validation={"count": 3, "seed": 9}), maker)
    assert len(examples) == 3
    again = example_of(maker.sample(9, 1), plan_of())
    np.testing.assert_array_equal(examples[1].given, again.given)
    assert not np.array_equal(examples[0].given, first[0][0][0, 0])
    assert examples[1].pixel_size_angstrom == maker.sample(9, 1).facts["pixel_size_angstrom"]


def test_masks_stay_between_zero_and_one_and_images_are_scaled():
    recipe = {"name": "atom-maps", "changes": {"size_px": 48}}
    plans = [
        plan_of(recipe=recipe, network={"kind": "unet", "target": target})
        for target in ("circular_mask", "clean")
    ]
    sample = maker_of_plan(plans[0]).sample(0, 0)
    mask, clean = (example_of(sample, plan) for plan in plans)
    np.testing.assert_array_equal(mask.wanted, sample.arrays["circular_mask"])
    scale = mask.scale
    expected = (sample.arrays["clean"] - scale.mean) / scale.spread
    np.testing.assert_allclose(clean.wanted, expected, rtol=1e-4, atol=1e-4)
