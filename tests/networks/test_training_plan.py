import textwrap
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.errors import RecipeError
from crewe.networks.training_plan import (
    SHELF,
    LossWeights,
    Stage,
    TrainingPlan,
    load_plan,
    maker_of_plan,
)
from crewe.recipes import to_yaml
from crewe.training_sets.recipe import load_recipe
from crewe.training_sets.stored_samples import StoredSamples
from crewe.workflows.training_set import TrainingSetPlan, make_training_set


def written(tmp_path, text):
    path = tmp_path / "plan.yaml"
    path.write_text(textwrap.dedent(text))
    return path


def stage(**settings):
    losses = LossWeights(l1=1.0)
    return Stage(**{"losses": losses, "learning_rate": 1e-3, "steps": 10, **settings})


def test_the_defaults_are_those_of_the_paper():
    plan = TrainingPlan.read({"name": "mine", "recipe": {"name": "hrstem"}})
    shipped = load_plan("hrstem")
    assert plan.stages == shipped.stages
    assert (plan.batch_size, plan.gradient_clip) == (4, 1.0)
    assert (plan.betas, plan.epsilon) == ((0.5, 0.999), 1e-7)
    assert plan.steps == 7 * 2_500_000 // 4
    assert [one.adversarial for one in plan.stages] == [False, False, True]


@pytest.mark.parametrize("name", SHELF.names())
def test_shipped_plans_fit_their_recipes_and_survive_a_round_trip(name, tmp_path):
    plan = load_plan(name)
    assert plan.name == name
    assert maker_of_plan(plan).name == plan.recipe.name
    assert load_plan(written(tmp_path, to_yaml(plan))) == plan


def test_mistakes_are_told_with_their_lines(tmp_path):
    text = """\
        name: mine
        recipe: {name: hrstem}
        stages:
          - losses: {l1: 1, l3: 2}
            learning_rate: 0.1
            steps: 0
        batchsize: 4
        """
    with pytest.raises(RecipeError) as caught:
        load_plan(written(tmp_path, text))
    said = str(caught.value)
    assert "plan.yaml, line 4: unknown key stages.0.losses.l3" in said
    assert "plan.yaml, line 6: stages.0.steps" in said
    assert "plan.yaml, line 7: unknown key batchsize (did you mean batch_size?)" in said
    with pytest.raises(RecipeError, match="did you mean hrstem-small"):
        load_plan("hrstem-smal")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"betas": [0.5, 1.0]}, "betas"),
        ({"validation": {"seed": 0}}, "that of the validation set"),
        ({"stages": []}, "at least 1"),
        ({"stages": [{"losses": {}, "learning_rate": 0.1, "steps": 1}]}, "nothing would be"),
        (
            {"stages": [{"losses": {"l1": 1, "adversarial": 1}, "learning_rate": 1, "steps": 1}]},
            "adversarial is false",
        ),
    ],
)
def test_contradictions_are_refused(changes, said):
    with pytest.raises(RecipeError, match=said):
        TrainingPlan.read({"name": "mine", "recipe": {"name": "hrstem"}, **changes})


def test_a_plan_on_another_takes_what_it_does_not_say(tmp_path):
    path = written(tmp_path, "based_on: hrstem-small\nname: mine\nbatch_size: 2\n")
    plan, base = load_plan(path), load_plan("hrstem-small")
    assert plan == base.model_copy(update={"name": "mine", "batch_size": 2})


def test_a_recipe_file_is_looked_for_beside_the_plan(tmp_path, monkeypatch):
    (tmp_path / "tiny.yaml").write_text("based_on: hrstem\nname: tiny\nsize_px: 32\n")
    path = written(tmp_path, "name: mine\nrecipe: {name: tiny.yaml, changes: {size_px: 48}}\n")
    monkeypatch.chdir(tmp_path.parent)
    maker = maker_of_plan(load_plan(path))
    assert (maker.name, maker.layout()[0].shape) == ("tiny", (48, 48))


@pytest.mark.parametrize(
    ("network", "recipe", "said"),
    [
        ({"kind": "cgrdn"}, "atom-maps", "'degraded', which recipe atom-maps has not"),
        ({"kind": "unet", "target": "up_interpolation_2x"}, "atom-maps", "as many pixels"),
        ({"kind": "cgrdn", "target": "idael"}, "hrstem", "give one of ideal"),
    ],
)
def test_a_network_needs_samples_that_fit_it(network, recipe, said):
    settings = {"name": "mine", "recipe": {"name": recipe}, "network": network}
    with pytest.raises(RecipeError, match=said):
        maker_of_plan(TrainingPlan.read(settings))


def test_rates_grow_to_the_full_one_and_are_halved():
    one = stage(warm_up_steps=4, halve_every_steps=6, steps=20)
    assert [one.rate_factor(step) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert [one.rate_factor(step) for step in (5, 6, 11, 12, 18)] == [1, 0.5, 0.5, 0.25, 0.125]
    assert stage().rate_factor(0) == 1.0


@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=4), step=st.integers(0, 40))
def test_every_step_has_its_place_in_the_stages(lengths, step):
    stages = [{"losses": {"l1": 1}, "learning_rate": 0.1, "steps": length} for length in lengths]
    plan = TrainingPlan.read({"name": "a", "recipe": {"name": "hrstem"}, "stages": stages})
    number, within = plan.place(step)
    assert sum(lengths[:number]) + within == step
    assert within < lengths[number] or number == len(lengths) - 1


def test_a_rate_falls_along_half_a_cosine_after_its_warm_up():
    one = stage(warm_up_steps=10, cosine=True, steps=110)
    factors = [one.rate_factor(step) for step in range(110)]
    assert factors[9] == factors[10] == 1.0
    assert factors[60] == pytest.approx(0.5)
    assert factors[35] - 0.5 == pytest.approx(0.5 - factors[85])
    assert all(later < before for before, later in pairwise(factors[10:]))
    assert 0 < factors[-1] < 1e-3
    assert one.rate_factor(500) == 0.0


def test_a_stored_set_of_another_recipe_is_refused(tmp_path):
    path = tmp_path / "pairs.zarr"
    make_training_set(TrainingSetPlan(load_recipe("hrstem", {"size_px": 24}), 2, path, 3))
    settings = {"name": "mine", "recipe": {"name": "hrstem", "stored": str(path)}}
    with pytest.raises(RecipeError, match="made by another recipe"):
        maker_of_plan(TrainingPlan.read(settings))
    settings["recipe"]["changes"] = {"size_px": 24}
    assert isinstance(maker_of_plan(TrainingPlan.read(settings)), StoredSamples)


@pytest.mark.parametrize("name", SHELF.names())
def test_every_shipped_plan_finds_its_samples(name):
    plan = load_plan(name)
    assert plan.name == name
    assert maker_of_plan(plan).name == plan.recipe.name
