from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fuse_data import QUICK, measured

from crewe.errors import ImageError
from crewe.workflows.fuse_fit import balance_of, fit_field, fit_part, means, standard_error
from crewe.workflows.fuse_inputs import Field
from crewe.workflows.fuse_plan import fuse_plan

PLAN = fuse_plan({"haadf": Path("haadf.tif"), "repeats": 4, **QUICK})


def unheard(stage, fraction):
    assert 0 <= fraction <= 1


@pytest.fixture(scope="module")
def field():
    made = measured()
    return Field(made.haadf.astype(np.float32), made.maps.astype(np.float32), None)


@pytest.fixture(scope="module")
def fitted(field):
    return fit_field(PLAN, field, unheard)


def window(field, rows, columns):
    return Field(field.haadf[rows, columns], field.maps[:, rows, columns], None)


def test_the_plan_decides(field, fitted):
    assert (fitted.prior, fitted.strength, fitted.gamma) == ("composition", 3.0, 1.7)
    assert fitted.guide_smoothing_px == 0.5
    assert fitted.likelihood == "poisson"


def test_a_part_that_is_the_whole_comes_out_as_the_whole(field, fitted):
    again = fit_part(fitted, field)
    spread = float(fitted.maps.std())
    assert float(np.abs(again.maps - fitted.maps).max()) < 1e-4 * spread


def test_strength_is_balanced_by_what_a_tile_holds(field, fitted):
    weight = np.ones(field.haadf.shape, np.float32)
    whole = means(fitted, field, weight)
    assert balance_of(fitted, whole, whole) == pytest.approx(1.0)
    middle = window(field, slice(16, 32), slice(16, 32))
    part = means(fitted, middle, np.ones((16, 16), np.float32))
    # Where there is specimen a tile in the middle holds what the frame does.
    assert balance_of(fitted, whole, part) == pytest.approx(1.0, rel=0.4)
    without_haadf = replace(fitted, prior="spectra")
    assert balance_of(without_haadf, whole, part) == pytest.approx(1.0, rel=0.4)
    empty = np.array([1e-9, 1e-9, 0.0, 0.0])
    assert 0.2 <= balance_of(fitted, whole, empty) <= 5


def test_a_background_is_no_count(field, fitted):
    weight = np.ones(field.haadf.shape, np.float32)
    dark = field.maps.copy(data=np.ones_like(field.maps.values))
    above = Field(field.haadf, field.maps + 1, dark)
    np.testing.assert_allclose(
        means(fitted, above, weight), means(fitted, field, weight), rtol=1e-5
    )


def test_vacuum_is_smoothed_without_a_guide(field, fitted):
    empty = Field(field.haadf * 0, field.maps * 0, None)
    part = fit_part(replace(fitted, haadf_offset=5.0), empty)
    assert part.prior == "spectra"
    np.testing.assert_allclose(part.maps.values, 0, atol=1e-3)
    part = fit_part(replace(fitted, prior="columns"), field)
    assert part.prior == "composition"


@pytest.mark.parametrize("how", ["repeats", "hessian"])
def test_standard_errors_are_those_of_counts(field, fitted, how):
    errors = standard_error(PLAN.model_copy(update={"standard_error": how}), fitted, unheard)
    assert errors.dims == ("element", "y", "x")
    inside = fitted.maps.values[0] > 3
    counting = np.sqrt(fitted.maps.values[0][inside].mean())
    ratio = np.sqrt(np.square(errors.values[0][inside]).mean()) / counting
    assert 0.05 < ratio < 1.3
    assert ratio < 0.7 or how == "hessian"


def test_repeats_follow_their_seed(fitted):
    first, again, other = (standard_error(PLAN, fitted, unheard, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.values, again.values)
    assert np.abs(first - other).max() > 0
    assert (
        standard_error(PLAN.model_copy(update={"standard_error": "none"}), fitted, unheard) is None
    )


def test_a_part_without_elastic_model_has_errors_from_counts_alone(field, fitted):
    dark = replace(fitted, haadf=field.haadf.max() - field.haadf)
    plan = PLAN.model_copy(update={"standard_error": "hessian"})
    alone = standard_error(plan, replace(fitted, prior="spectra"), unheard)
    np.testing.assert_allclose(standard_error(plan, dark, unheard).values, alone.values)


@pytest.mark.parametrize(
    ("haadf", "map_value", "words"),
    [(np.nan, 1, "HAADF holds NaN"), (1, np.inf, "the map of S holds")],
)
def test_values_that_cannot_be_used_are_told(field, fitted, haadf, map_value, words):
    bad = Field(field.haadf.copy(), field.maps.copy(), None)
    bad.haadf.values[3, 3] = haadf
    bad.maps.values[1, 4, 4] = map_value
    with pytest.raises(ImageError, match=words):
        fit_part(fitted, bad)
    negative = Field(field.haadf, field.maps - 1, None)
    with pytest.raises(ImageError, match="negative"):
        fit_part(fitted, negative)
