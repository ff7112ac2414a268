from dataclasses import MISSING

import numpy as np
import pytest

from crewe.degradation import EFFECTS, Displacement, read_chain, shipped_recipes

SHAPE = (24, 40)
IMAGE = np.random.default_rng(0).uniform(5, 10, SHAPE).astype(np.float32)
IDEAL = np.random.default_rng(1).uniform(5, 10, SHAPE).astype(np.float32)
# Parameters at which every effect does something; those that some effect has are given to it.
STRENGTH = {
    "a": 0.5, "b": 1.0, "c": 0.5, "alpha_px": 2.0, "decay_px": 2.0, "period_px": 9.0,
    "phase_deg": 70.0, "frequency_hz": 50.0, "line_time_ms": 3.0, "sigma_angstrom": 0.5,
    "pixel_size_angstrom": 0.2, "sigma_x_angstrom": 0.5, "drift_x_angstrom": 2.0,
    "walk_y_angstrom": 0.3, "mean_electrons_per_pixel": 20.0, "collected_photons": 20.0,
    "quantum_efficiency": 0.3, "secondary_gain": 4.0, "lines": 3, "longest_fraction": 0.5,
    "sigma": 0.1, "mean_electrons": 2.0, "sigma_electrons": 0.5, "sigma_of_mean": 0.2,
    "points": 20, "clipped_fraction": 0.1, "levels": 16, "rotation_deg": 10.0, "sigma_px": 0.8,
    "texts": 1, "shapes": 1, "arrows": 1, "edges": 2, "fill": "median", "highest_count": 255,
}  # fmt: skip


def parameters(name):
    kind = EFFECTS[name].parameters
    known = kind.__dataclass_fields__
    return kind(**{key: value for key, value in STRENGTH.items() if key in known})


def of_kind(*kinds):
    return [name for name, effect in EFFECTS.items() if effect.kind in kinds]


def changed(name, seed=3, image=IMAGE):
    """Return what an effect makes of an image and of an ideal one, as a chain calls it."""
    effect, rng = EFFECTS[name], np.random.default_rng(seed)
    if effect.kind == "pair":
        return effect.function(image, IDEAL, parameters(name), rng)
    return effect.function(image, parameters(name), rng), IDEAL


@pytest.mark.parametrize("name", of_kind("noise", "both", "pair"))
def test_images_stay_float32_of_their_shape_and_the_given_ones_untouched(name):
    image, ideal = IMAGE.copy(), IDEAL.copy()
    for one in changed(name, image=image):
        assert one.dtype == np.float32
        assert one.shape == SHAPE
        assert np.isfinite(one).all()
    assert np.array_equal(image, IMAGE)
    assert np.array_equal(ideal, IDEAL)


@pytest.mark.parametrize("name", of_kind("noise", "both", "pair"))
def test_every_effect_does_something_and_the_same_for_the_same_seed(name):
    image, ideal = changed(name)
    assert not (np.array_equal(image, IMAGE) and np.array_equal(ideal, IDEAL))
    again, ideal_again = changed(name)
    assert np.array_equal(again, image)
    assert np.array_equal(ideal_again, ideal)


@pytest.mark.parametrize("name", of_kind("both"))
def test_what_befalls_both_images_alike_draws_no_random_numbers(name):
    rng, untouched = np.random.default_rng(5), np.random.default_rng(5)
    EFFECTS[name].function(IMAGE, parameters(name), rng)
    assert rng.random() == untouched.random()


@pytest.mark.parametrize("name", of_kind("scan"))
def test_effects_of_the_scan_say_where_the_beam_went(name):
    rng = np.random.default_rng(6)
    moved = EFFECTS[name].function(SHAPE, parameters(name), rng)
    assert isinstance(moved, Displacement)
    assert moved.field(SHAPE).shape == (2, *SHAPE)
    assert not moved.is_none


def test_only_what_moves_the_image_has_a_matrix_and_it_belongs_to_its_parameters():
    movers = [name for name, effect in EFFECTS.items() if effect.matrix is not None]
    assert movers == ["linear_transform"]
    matrix = EFFECTS["linear_transform"].matrix(parameters("linear_transform"))
    assert np.allclose(matrix @ matrix.T, np.eye(2))
    assert matrix[0, 0] == pytest.approx(np.cos(np.radians(10)))


def test_recipes_use_every_effect_but_those_that_the_paper_does_not_have():
    chains = [read_chain(name) for name in shipped_recipes()]
    steps = [step for chain in chains for step in (*chain.instrument, *chain.post_processing)]
    used = {name for step in steps for name in step.effects}
    assert set(EFFECTS) - used == {"line_frequency", "drift"}


def test_every_parameter_without_a_default_is_tried_here():
    needed = {
        key
        for effect in EFFECTS.values()
        for key, one in effect.parameters.__dataclass_fields__.items()
        if one.default is MISSING
    }
    assert needed <= set(STRENGTH)
