import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.errors import CreweError
from crewe.simulation.radial_model import RadialModel, draw_radial_model


def plane_integral(model):
    """∫ f d²r of each element by a fine sum over rings."""
    r = np.linspace(0, 40 * model.radii.max(), 200_001)
    return np.trapezoid(2 * np.pi * r * model.profile(r), r, axis=-1)


@given(
    st.lists(st.integers(1, 103), min_size=1, max_size=20),
    st.integers(0, 2**32 - 1),
)
def test_heavier_elements_scatter_more(elements, seed):
    model = draw_radial_model(elements, np.random.default_rng(seed))
    assert model.elements.tolist() == sorted(set(elements))
    assert np.all(np.diff(model.integrals()) > 0)


def test_integrals_equal_the_sum_over_rings_and_the_transform_at_zero():
    model = draw_radial_model([3, 14, 79], np.random.default_rng(1))
    assert model.integrals() == pytest.approx(plane_integral(model), rel=1e-4)
    assert model.transform([0.0])[:, 0] == pytest.approx(model.integrals(), rel=1e-4)


def test_the_order_changes_the_brightness_of_elements_but_no_shape():
    rng = np.random.default_rng(2)
    models = [draw_radial_model([3, 8], rng) for _ in range(300)]
    ratio = np.array([m.heights.max(axis=0) / m.heights.min(axis=0) for m in models])
    assert ratio.max() <= 2.0
    # Lithium is 2.6 times as wide as oxygen, so that its heights must give way.
    assert np.mean([m.heights[:, 0].mean() < 0.5 for m in models]) > 0.9


def test_columns_have_the_widths_of_a_good_microscope():
    rng = np.random.default_rng(3)
    models = [draw_radial_model(range(1, 104), rng) for _ in range(200)]
    r = np.linspace(0, 3, 301)
    half = []
    for model in models:
        profile = model.profile(r)
        half.append(r[np.argmax(profile < profile[:, :1] / 2, axis=1)])
    sigma = np.array(half) / np.sqrt(2 * np.log(2))
    assert 0.25 < sigma.mean(axis=1).min() < 0.4
    assert 0.6 < sigma.mean(axis=1).max() < 0.8
    assert sigma.max() < 1.4


def test_drawn_values_stay_in_the_ranges_of_the_paper_and_follow_the_seed():
    models = [draw_radial_model([26], np.random.default_rng(seed)) for seed in (4, 4, 5)]
    assert models[0].radii == models[1].radii != models[2].radii
    for model in models:
        assert 0.75 <= model.alpha <= 1.25
        assert 4 <= model.orders[0] <= 16
        assert np.all((model.heights >= 0.5) & (model.heights <= 1.0))


def test_part_of_a_model_is_drawn_like_the_whole():
    model = draw_radial_model([3, 14, 79], np.random.default_rng(6))
    r = np.linspace(0, 3, 50)
    assert np.array_equal(model.only([1]).profile(r)[0], model.profile(r)[1])
    assert model.only(np.array([True, False, True])).elements.tolist() == [3, 79]


def test_models_and_ranges_without_sense_are_refused():
    with pytest.raises(CreweError, match="size_factor is a range"):
        draw_radial_model([6], np.random.default_rng(1), size_factor=(0.5, 0.4))
    with pytest.raises(CreweError, match="orders"):
        draw_radial_model([6], np.random.default_rng(1), order=(1.0, 4.0))
    with pytest.raises(CreweError, match="1…103"):
        draw_radial_model([0], np.random.default_rng(1))
    one, two = np.ones(1), np.ones(2)
    with pytest.raises(CreweError, match="3 heights"):
        RadialModel(np.array([6], np.uint8), np.ones((2, 1)), one, one)
    with pytest.raises(CreweError, match="must rise"):
        RadialModel(np.array([8, 6], np.uint8), np.ones((3, 2)), 4 * two, two)
    with pytest.raises(CreweError, match="positive"):
        RadialModel(np.array([6], np.uint8), np.ones((3, 1)), 4 * one, -one)
