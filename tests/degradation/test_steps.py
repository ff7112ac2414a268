import numpy as np
import pytest

from crewe.degradation.camera import ModulationTransfer
from crewe.degradation.steps import Alternative, Step, keyed
from crewe.errors import PlanError
from crewe.recipes import child_generator

JITTER = Alternative.reading("scan_jitter", 1, {"sigma_x_angstrom": [0.1, 0.2]})
BLUR = Alternative.reading("gaussian_blur", 3, {"sigma_px": [0, 1]})
DOSE = Alternative.reading("dose", 1, {"mean_electrons_per_pixel": 5})


def test_probability_and_weights_hold():
    step = Step((DOSE, BLUR), 0.6)
    rng = np.random.default_rng(0)
    drawn = [step.choose(rng) for _ in range(20_000)]
    assert np.mean([one is not None for one in drawn]) == pytest.approx(0.6, abs=0.015)
    blurred = np.mean([one is BLUR for one in drawn if one])
    assert blurred == pytest.approx(0.75, abs=0.015)


def test_certain_and_impossible_steps():
    rng = np.random.default_rng(1)
    assert all(Step((DOSE,)).choose(rng) for _ in range(500))
    assert not any(Step((DOSE,), 0.0).choose(rng) for _ in range(500))


def test_the_image_brings_its_pixel_size_unless_the_recipe_gives_one():
    rng = np.random.default_rng(2)
    assert JITTER.draw({"pixel_size_angstrom": 0.3}, rng).pixel_size_angstrom == 0.3
    given = Alternative.reading("scan_jitter", 1, {"pixel_size_angstrom": 2.0})
    assert given.draw({"pixel_size_angstrom": 0.3}, rng).pixel_size_angstrom == 2
    with pytest.raises(PlanError, match="pixel_size_angstrom"):
        JITTER.draw({"pixel_size_angstrom": None}, rng)


def test_parameters_are_drawn_until_they_go_together():
    wide = Alternative.reading("modulation_transfer", 1, {"a": [0, 2], "b": [0, 2], "c": [0, 2]})
    rng = np.random.default_rng(3)
    drawn = [wide.draw({}, rng) for _ in range(200)]
    assert all(isinstance(one, ModulationTransfer) for one in drawn)
    assert any(one.a > 1 for one in drawn)
    never = Alternative.reading("modulation_transfer", 1, {"a": 2, "b": 0.1, "c": 1})
    with pytest.raises(PlanError, match="no parameters of modulation_transfer"):
        never.draw({}, rng)


def test_keys_count_steps_of_one_name_only():
    one, two = Step((DOSE,)), Step((BLUR,))
    with_other = keyed([one, two, one])
    without = keyed([one, one])
    assert with_other[0].key == without[0].key
    assert with_other[2].key == without[1].key
    assert len({step.key for step in with_other}) == 3
    assert (
        child_generator(0, *with_other[0].key).random()
        != child_generator(0, *with_other[2].key).random()
    )
