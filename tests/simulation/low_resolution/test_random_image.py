import numpy as np
import pytest

from crewe.errors import RecipeError
from crewe.recipes import parse_yaml
from crewe.simulation.contrast import ContrastRecipe, apply_contrast
from crewe.simulation.low_resolution import LowResolution, low_resolution_image
from crewe.simulation.low_resolution.random_image import KINDS, Probabilities, draw_kinds

NONE = dict.fromkeys(KINDS, 0.0)


def test_kinds_are_independent_given_that_there_is_one():
    rng = np.random.default_rng(0)
    probabilities = Probabilities(bands=0.6, boxes=0.1)
    sets = [draw_kinds(probabilities, rng) for _ in range(3000)]
    some = 1 - np.prod([1 - getattr(probabilities, kind) for kind in KINDS])
    assert min(map(len, sets)) == 1
    for kind in KINDS:
        expected = getattr(probabilities, kind) / some
        share = np.mean([kind in chosen for chosen in sets])
        assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 3000)


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_alone(kind):
    part = LowResolution(probabilities=NONE | {kind: 0.01}, weight=0.7)
    for seed in range(5):
        image, facts = low_resolution_image(part, (50, 70), np.random.default_rng(seed))
        assert facts["kinds"] == [kind]
        assert set(facts) == {"kinds", "weights", kind}
        assert image.shape == (50, 70)
        assert image.dtype == np.float32
        assert image.min() >= 0
        assert image.max() == pytest.approx(0.7, rel=1e-5) or not image.any()


def test_kinds_are_laid_over_each_other_linearly():
    part = LowResolution(probabilities=NONE | {"grains": 1.0, "soft_particles": 1.0}, weight=0.5)
    image, facts = low_resolution_image(part, (60, 60), np.random.default_rng(3))
    rng = np.random.default_rng(3)
    assert facts["kinds"] == ["soft_particles", "grains"]
    expected = 0
    draw_kinds(part.probabilities, rng)
    for kind in facts["kinds"]:
        layer, said = KINDS[kind](getattr(part, kind), (60, 60), rng)
        assert said == facts[kind]
        expected = expected + 0.5 * layer / layer.max()
    assert np.allclose(image, expected, atol=1e-6)


def test_every_image_survives_the_contrast_model():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        image, _ = low_resolution_image(LowResolution(), (64, 48), rng)
        result, _ = apply_contrast(image, ContrastRecipe(), rng)
        ratio = result.std(dtype=float) / result.mean(dtype=float)
        assert result.max() == 1
        assert 0.01 - 1e-4 <= ratio <= 0.35 + 1e-4


def test_seed_decides():
    draws = [
        low_resolution_image(LowResolution(), (40, 40), np.random.default_rng(seed))
        for seed in (5, 5, 6)
    ]
    assert np.array_equal(draws[0][0], draws[1][0])
    assert draws[0][1] == draws[1][1]
    assert not np.array_equal(draws[0][0], draws[2][0])


def test_recipe_goes_through_yaml_and_back():
    part = LowResolution(bands={"number": 3})
    assert LowResolution.read(part.plain()).plain() == part.plain()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("probabilities: {soft_particles: 0.1, grain: 0.2}", "did you mean grains"),
        ("weight: [0.1, 1]\ngrains:\n  number: [15, 175]", "line 3.*integers"),
        ("bands: {tilt: [0, 1.5]}", "possible range"),
        ("probabilities: {bands: 1.5}", "less than or equal"),
        ("probabilities: {" + ", ".join(f"{kind}: 0" for kind in KINDS) + "}", "probability 0"),
    ],
)
def test_recipes_that_cannot_be_are_refused_with_their_line(text, words):
    settings, lines = parse_yaml(text)
    with pytest.raises(RecipeError, match=words):
        LowResolution.read(settings, lines)
