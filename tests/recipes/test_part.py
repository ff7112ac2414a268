import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from crewe.errors import PlanError, RecipeError
from crewe.recipes import Distribution, RecipePart, child_generator, parse_yaml, to_yaml


class Rod(RecipePart):
    probability: float = 0.5
    vertices: Distribution = {"integers": [3, 15]}


def test_fields_are_drawn_by_name():
    rng = child_generator(3)
    values = [Rod().draw("vertices", rng) for _ in range(500)]
    assert min(values) == 3
    assert max(values) == 15


def test_a_probability_is_how_often_something_happens():
    rng = child_generator(4)
    happened = int(np.sum([Rod(probability=0.3).chance("probability", rng) for _ in range(2000)]))
    assert stats.binomtest(happened, 2000, 0.3).pvalue > 1e-3


def test_a_part_cannot_be_changed_after_it_was_read():
    rod = Rod()
    with pytest.raises(ValidationError, match="frozen"):
        rod.probability = 1.0


def test_a_wrong_part_is_a_plan_error_too():
    with pytest.raises(RecipeError) as caught:
        Rod.read({"vertexes": 3})
    assert isinstance(caught.value, PlanError)


class Body(RecipePart):
    rods: tuple[Rod, ...] = (Rod(), Rod(vertices={"choice": [3, 4], "weights": [1, 2]}))
    size: tuple[float, float] = (1, 2)


def test_a_part_reads_back_from_its_yaml_with_every_default_spelled_out():
    text = to_yaml(Body())
    assert Body.read(*parse_yaml(text)) == Body()
    assert text.count("vertices") == 2


@pytest.mark.parametrize("word", [".inf", "-.inf", ".nan"])
def test_a_number_that_is_not_finite_is_refused_with_its_line(word):
    with pytest.raises(RecipeError, match=r"line 1: probability.*finite"):
        Rod.read(*parse_yaml(f"probability: {word}\n"))
