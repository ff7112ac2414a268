import pytest

torch = pytest.importorskip("torch")

from crewe.errors import RecipeError  # noqa: E402
from crewe.networks import losses  # noqa: E402
from crewe.networks.loss_terms import TERMS, adversarial_terms, pixel_wise_terms  # noqa: E402
from crewe.networks.training_plan import LossWeights, load_plan  # noqa: E402


def images(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, 2, 1, 16, 16, generator=generator)


def test_every_weight_of_a_plan_has_its_term():
    assert {*TERMS, "adversarial"} == set(LossWeights.model_fields)


def test_terms_are_the_losses_and_those_of_weight_zero_are_left_out():
    restored, wanted = images(1)
    made = pixel_wise_terms(LossWeights(l1=2, mean=0.5), restored, wanted)
    assert set(made) == {"l1", "mean"}
    assert made["l1"] == losses.l1(restored, wanted)
    assert made["mean"] == losses.mean_difference(restored, wanted)


def test_the_shipped_plan_has_the_weights_of_the_paper():
    first, second, third = (stage.losses.plain() for stage in load_plan("hrstem").stages)
    assert {name for name, weight in first.items() if weight} == {"l1"}
    paper = {"l1": 2.0, "l2": 1.0, "whitening": 0.25, "fourier": 0.1, "mean": 1.0, "std": 0.5}
    assert {name: weight for name, weight in second.items() if weight} == paper
    with_adversary = paper | {"adversarial": 2e-5}
    assert {name: weight for name, weight in third.items() if weight} == with_adversary


def test_adversarial_terms_are_those_of_both_sides():
    real, made = images(2)
    generator, discriminator = adversarial_terms(real, made)
    assert generator == losses.adversarial(real, made)
    assert discriminator == losses.discrimination(real, made)


@pytest.mark.parametrize("weights", [{"l2": -1}, {"perceptual": 1}, {"l1": 0}])
def test_negative_unknown_or_missing_weights_are_refused(weights):
    with pytest.raises(RecipeError, match=r"l2|perceptual|nothing would be learned"):
        LossWeights.read(weights)
