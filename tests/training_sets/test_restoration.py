import numpy as np
import pytest

from crewe.degradation.compose import read_chain
from crewe.errors import RecipeError
from crewe.training_sets.recipe import load_recipe, recipe_from_text

MODALITIES = ["hrstem", "hrtem", "hrsem", "lrstem", "lrtem", "lrsem"]
NOISELESS = {"instrument": [], "post_processing": []}


@pytest.mark.parametrize("name", MODALITIES)
def test_pairs_share_one_scale(name):
    recipe = load_recipe(name, {"size_px": 96})
    ratios = []
    for index in range(12):
        sample = recipe.sample(1, index)
        degraded, ideal = sample.arrays["degraded"], sample.arrays["ideal"]
        assert [a.shape for a in (degraded, ideal)] == [layout.shape for layout in recipe.layout()]
        assert degraded.min() >= 0
        assert degraded.max() <= 65535
        assert np.array_equal(degraded, np.rint(degraded))
        assert np.isfinite(ideal).all()
        ratios.append(degraded.mean() / ideal.mean())
    assert np.median(ratios) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("name", MODALITIES)
def test_facts_have_the_same_keys_and_plain_values_in_every_sample(name):
    recipe = load_recipe(name, {"size_px": 48})
    facts = [recipe.sample(2, index).facts for index in range(15)]
    assert all(sorted(one) == sorted(facts[0]) for one in facts)
    assert {type(value) for one in facts for value in one.values()} <= {str, int, float, bool}


def test_a_sample_needs_none_of_those_before_it():
    recipe = load_recipe("lrstem", {"size_px": 48})
    alone = recipe.sample(5, 7)
    for index in range(7):
        recipe.sample(5, index)
    again = recipe_from_text(recipe.text).sample(5, 7)
    assert alone.facts == again.facts
    for name, array in alone.arrays.items():
        assert np.array_equal(array, again.arrays[name]), name


def test_the_text_spells_out_the_chain():
    recipe = load_recipe("hrtem")
    assert recipe_from_text(recipe.text).chain == read_chain("hrtem")
    assert "modulation_transfer" in recipe.text


def test_without_an_instrument_the_pair_is_one_image():
    recipe = load_recipe("hrstem", {"size_px": 64, "degradation": NOISELESS})
    sample = recipe.sample(3, 0)
    assert np.array_equal(sample.arrays["degraded"], sample.arrays["ideal"])
    assert recipe.layout()[0].dtype == "float32"
    assert load_recipe("hrstem").layout()[0].dtype == "uint16"
    assert sample.facts["effects"] == ""


def test_facts_name_the_electrons_and_the_effects():
    sample = load_recipe("hrstem", {"size_px": 48}).sample(4, 0)
    assert 0.5 <= sample.facts["electrons_per_pixel"] <= 750
    assert "photomultiplier" in sample.facts["effects"].split(",")
    field = sample.facts["pixel_size_angstrom"] * 48
    assert sample.facts["field_of_view_angstrom"] == pytest.approx(field)


def test_noise_falls_with_the_dose():
    def error(electrons):
        chain = {
            "instrument": [
                {"effect": "dose", "parameters": {"mean_electrons_per_pixel": electrons}},
                {"effect": "shot_noise"},
            ],
            "post_processing": [],
        }
        sample = load_recipe("hrstem", {"size_px": 64, "degradation": chain}).sample(6, 1)
        difference = sample.arrays["degraded"] - sample.arrays["ideal"]
        return np.square(difference).mean() / sample.arrays["ideal"].mean()

    # Poisson: the variance is the mean, whatever the mean.
    assert error(10) == pytest.approx(1, abs=0.06)
    assert error(1000) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"degradation": "hrstme"}, "hrstme"),
        ({"degradation": {"instrument": [{"effect": "rain"}]}}, "rain"),
        ({"pixel_size_angstrom": [0.9, 0.1]}, "empty"),
        ({"pixel_size_angstrom": -1}, "possible range"),
        ({"content": {"specimen": 0}}, "nothing could be drawn"),
        ({"specimen": {"kind": "gas"}}, "gas"),
        ({"specimen": {"wedge": {"probabilty": 1}}}, "did you mean probability"),
        ({"atoms": {"size_factor": [0.9, 0.4]}}, "empty"),
    ],
)
def test_impossible_recipes_are_refused(changes, said):
    with pytest.raises(RecipeError, match=said):
        load_recipe("hrstem", changes)


def test_atoms_that_cannot_fit_are_refused_with_the_sample():
    crowded = {"specimen": {"kind": "crystalline", "crystal": {
        "types": 16, "lattice_parameter_angstrom": 3.1, "space_group": 225,
        "smallest_distance_angstrom": [3.0, 7.0]}}}  # fmt: skip
    recipe = load_recipe("hrstem", {"size_px": 32, "content": {"specimen": 1}, **crowded})
    with pytest.raises(RecipeError, match=r"sample 0.*space group 225"):
        recipe.sample(0, 0)
