import numpy as np
import pytest

from crewe.recipes import child_generator
from crewe.training_sets.ideal import draw_ideal
from crewe.training_sets.restoration_recipe import Restoration


def part(**changes):
    settings = {"task": "restoration", "name": "test", "description": "", "degradation": "hrstem"}
    return Restoration.read({**settings, **changes})


@pytest.mark.parametrize(
    ("content", "specimen", "objects"),
    [("specimen", True, False), ("low_resolution", False, True), ("both", True, True)],
)
def test_an_image_shows_what_was_asked_for(content, specimen, objects):
    weights = {"specimen": 0, "low_resolution": 0, "both": 0, content: 1}
    for seed in range(4):
        image, facts = draw_ideal(part(content=weights), 64, 0.3, child_generator(seed))
        assert facts["content"] == content
        assert (facts["specimen"] != "none") == specimen
        assert (facts["elements"] != "") == specimen
        assert (facts["objects"] != "") == objects
        assert image.shape == (64, 64)
        assert image.min() >= 0
        assert image.max() == pytest.approx(1)


def test_contrast_stays_within_the_papers_bounds():
    ratios = []
    for seed in range(40):
        image, _ = draw_ideal(part(), 64, 0.3, child_generator(seed))
        ratios.append(image.std() / image.mean())
    assert max(ratios) <= 0.351
    assert np.mean(np.array(ratios) >= 0.0099) >= 0.95


def test_contents_come_as_often_as_their_weights():
    recipe = part(content={"specimen": 0, "low_resolution": 3, "both": 1})
    shown = [draw_ideal(recipe, 24, 0.5, child_generator(seed))[1]["content"] for seed in range(80)]
    assert 0.6 < shown.count("low_resolution") / 80 < 0.9
