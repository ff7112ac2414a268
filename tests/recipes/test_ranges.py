from typing import Annotated

import numpy as np
import pytest

from crewe.errors import RecipeError
from crewe.recipes import Distribution, RecipePart, child_generator, distribution
from crewe.recipes.ranges import (
    Count,
    Length,
    Level,
    Number,
    Share,
    Vertices,
    draw_many,
    one_of,
    within,
)


class Part(RecipePart):
    number: Count = 3
    corners: Vertices = 4
    share: Share = [0, 1]
    length: Length = {"log_uniform": [0.1, 10]}
    level: Level = 0
    angle: Number = [-180, 180]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"number": -1}, "possible range"),
        ({"number": [1, 4]}, "write {integers"),
        ({"number": 2.5}, "whole"),
        ({"number": True}, "expected whole"),
        ({"number": {"integers": [1, 10**7]}}, "possible range"),
        ({"corners": {"integers": [2, 5]}}, "possible range"),
        ({"share": [0.5, 1.1]}, "possible range"),
        ({"share": {"choice": ["a", "b"]}}, "expected numbers"),
        ({"share": {"choice": ["a", 1]}}, "expected numbers"),
        ({"share": {"choice": [float("nan"), 1.0]}}, "expected numbers"),
        ({"share": {"choice": [[0.1], [0.2]]}}, "expected numbers"),
        ({"number": {"exponential": {"scale": 1, "range": [1, 5]}}}, "write {integers"),
        ({"number": {"log_uniform": [1, 5]}}, "write {integers"),
        ({"number": {"choice": [1, 2.0]}}, "expected whole"),
        ({"length": 0}, "possible range"),
        ({"length": {"normal": [2, 1]}}, "three standard deviations off the mean, leaves"),
        ({"length": 10**400}, "expected numbers"),
        ({"level": 1e10}, "possible range"),
        ({"angle": "left"}, "expected numbers"),
        ({"angle": {"choice": [1, "left"]}}, "expected numbers"),
        ({"angle": {"normal": [0, 1e9]}}, "possible range"),
        ({"angle": {"normal": [0, float("inf")]}}, "not a finite number"),
    ],
)
def test_ranges_without_sense_are_refused(settings, words):
    with pytest.raises(RecipeError, match=words):
        Part.read(settings)


@pytest.mark.parametrize("number", [0, 3, {"integers": [1, 4]}, {"choice": [2, 7]}])
def test_counts_in_every_form_are_taken_as_they_stand(number):
    count = Part.read({"number": number}).number
    assert count == distribution(number)
    assert all(isinstance(count.draw(child_generator(s)), int) for s in range(5))


@pytest.mark.parametrize("angle", [-30, [0, 1], {"normal": [5, 20]}, {"log_uniform": [1, 90]}])
def test_a_number_may_have_any_form(angle):
    assert Part.read({"angle": angle}).plain()["angle"] == angle


def test_a_normal_distribution_never_leaves_the_range_of_its_place():
    """Three standard deviations are possible; of 20000 numbers 27 would lie beyond on each side."""
    part, rng = Part.read({"share": {"normal": [0.5, 0.5 / 3]}}), child_generator(8)
    values = [part.draw("share", rng) for _ in range(20_000)]
    assert 0 <= min(values) < 0.05
    assert 0.95 < max(values) <= 1
    assert Part.read(part.plain()) == part


def test_many_draws_are_the_same_as_one_after_the_other():
    part = Part()
    for name in ("share", "length"):
        rng = np.random.default_rng(5)
        one_by_one = [part.draw(name, rng) for _ in range(20)]
        assert np.array_equal(draw_many(part, name, 20, np.random.default_rng(5)), one_by_one)
    assert draw_many(part, "length", 0, np.random.default_rng(5)).shape == (0,)


class Named(RecipePart):
    shape: Annotated[Distribution, one_of("rod", "cut")] = "rod"
    energy_kev: Annotated[Distribution, within(10, 300)] = [60, 300]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"shape": "blob"}, "none of rod, cut"),
        ({"shape": {"choice": ["rod", "blob"]}}, "blob"),
        ({"energy_kev": [5, 300]}, "possible range"),
        ({"energy_kev": {"choice": [100, 900]}}, "possible range"),
    ],
)
def test_names_and_ends_are_checked_when_the_recipe_is_read(settings, said):
    with pytest.raises(RecipeError, match=said):
        Named.read(settings)
    assert Named.read({"shape": {"choice": ["cut"]}}).draw("shape", child_generator(0)) == "cut"
