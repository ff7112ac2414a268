import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from crewe.chemistry.fusion import fuse, refit
from crewe.chemistry.standard_error import (
    average_standard_error,
    haadf_variance,
    hessian_error,
    repeated_error,
)
from crewe.errors import PlanError
from crewe.testing.core_shell import core_shell, measure

FIXED = {"prior": "composition", "strength": 4.0, "gamma": 1.7, "guide_smoothing_px": 0.7}
PHANTOM = core_shell("textured", pixels=64)


def seen(number=0, haadf_snr=15.0, chemical_snr=4.0):
    return measure(PHANTOM, haadf_snr, chemical_snr, np.random.default_rng(number))


@pytest.fixture(scope="module")
def result():
    first = seen()
    return fuse(first.haadf, first.maps, **FIXED)


@pytest.fixture(scope="module")
def scatter(result):
    """Variance (element, y, x) of maps fused from noise drawn about the truth."""
    repeats = [seen(number) for number in range(1, 21)]
    maps = [refit(result, one.haadf.values, one.maps.values) for one in repeats]
    return np.var(np.array(maps, np.float64), axis=0, ddof=1)


def test_repeated_error_is_the_scatter_of_new_measurements(result, scatter):
    error = repeated_error(result, 12, seed=1).values.astype(float)
    ratio = np.sqrt((error**2).sum((1, 2)) / scatter.sum((1, 2)))
    assert np.all((ratio > 0.8) & (ratio < 1.25))
    inside = result.maps.values[0] > 0.3 * result.maps.values[0].max()
    local = error[0][inside] / np.sqrt(scatter[0][inside])
    assert np.median(local) == pytest.approx(1.0, abs=0.15)
    assert np.percentile(local, 5) > 0.5


def test_hessian_error_bounds_the_scatter(result, scatter):
    error = hessian_error(result).values.astype(float)
    assert (np.sqrt((error**2).sum((1, 2)) / scatter.sum((1, 2))) > 1).all()


def test_hessian_error_bounds_the_scatter_where_hardly_anything_is(result, scatter):
    error = hessian_error(result).values.astype(float)
    for element in range(3):
        amounts = PHANTOM.amounts.values[element]
        for region in (amounts == 0, (amounts > 0) & (amounts < 0.3 * amounts.max())):
            assert error[element][region].min() > 0.05
            mean = np.sqrt((error[element][region] ** 2).mean() / scatter[element][region].mean())
            assert mean > 1
    assert np.mean(error**2 > scatter) > 0.97


def test_where_nothing_is_one_count_might_have_fallen(result):
    empty = dataclasses.replace(result, maps=0 * result.maps, raw=0 * result.raw, prior="spectra")
    assert np.allclose(hessian_error(empty), 1 / np.sqrt(36 * np.pi), rtol=1e-5)


def test_hessian_error_without_elastic_signal_is_the_root_of_counts(result):
    alone = dataclasses.replace(result, prior="spectra")
    dark = result.background.copy(data=np.full(result.maps.shape, 2.0, np.float32))
    fused = np.maximum(result.maps.values, 1 / (36 * np.pi))
    for background, error in (
        (0, hessian_error(alone).values),
        (2, hessian_error(dataclasses.replace(alone, background=dark)).values),
    ):
        assert (error >= np.sqrt(fused + background) * (1 - 1e-5)).all()
        raw = result.raw.values - background
        smoothed = ndimage.gaussian_filter(raw.astype(float), (0, 3, 3))
        here = fused > smoothed
        assert here.mean() > 0.1
        assert np.allclose(error[here], np.sqrt(fused + background)[here], rtol=1e-5)


def test_haadf_makes_the_hessian_error_smaller(result):
    alone = hessian_error(dataclasses.replace(result, prior="spectra"))
    both = hessian_error(result)
    assert (both.values <= alone.values + 1e-6).all()
    middle = slice(24, 40)
    share = both.values[0, middle, middle] / alone.values[0, middle, middle]
    assert share.mean() < 0.9


def test_errors_carry_unit_and_grid(result):
    for error in (hessian_error(result), repeated_error(result, 3)):
        assert error.dims == result.maps.dims
        assert error["x"].equals(result.maps["x"])
        assert list(error["element"].values) == ["Co", "S", "O"]
        assert error.attrs == result.maps.attrs
        assert np.isfinite(error.values).all()
        assert error.name == "standard_error"


def test_the_same_seed_draws_the_same_noise(result):
    heard = []
    first = repeated_error(result, 3, seed=7, progress=lambda *told: heard.append(told))
    assert np.array_equal(first, repeated_error(result, 3, seed=7))
    assert not np.array_equal(first, repeated_error(result, 3, seed=8))
    assert heard == [("standard error", share / 3) for share in (1, 2, 3)]


def test_maps_in_another_unit_have_errors_in_that_unit(result):
    first = seen()
    scaled = fuse(first.haadf, 0.01 * first.maps, **FIXED)
    for error in (hessian_error, lambda fused: repeated_error(fused, 6)):
        ratio = average_standard_error(error(scaled), scaled.maps) / average_standard_error(
            error(result), result.maps
        )
        assert ratio == pytest.approx(1.0, abs=0.2)


def test_read_noise_of_maps_is_in_both_errors(result):
    first = seen()
    noise = np.random.default_rng(9).normal(0, 15.0, first.maps.shape)
    noisy = dataclasses.replace(result, raw=first.maps + noise, likelihood="least_squares")
    alone = dataclasses.replace(noisy, prior="spectra")
    assert hessian_error(alone).values.min(axis=(1, 2)) == pytest.approx(15.0, rel=0.15)
    clean, more = (average_standard_error(repeated_error(r, 3), r.maps) for r in (result, noisy))
    assert more > 1.2 * clean


def test_whole_numbers_without_noise_are_counts(result):
    whole = dataclasses.replace(result, raw=result.raw.copy(data=np.full(result.raw.shape, 7.0)))
    alone = dataclasses.replace(whole, prior="spectra")
    expected = np.sqrt(np.maximum(result.maps.values, 7.0))
    assert np.allclose(hessian_error(alone), expected, rtol=1e-5)


def test_four_times_the_dose_makes_it_smaller_by_no_more_than_two():
    errors = []
    for factor in (1.0, 2.0):
        one = seen(3, 15.0 * factor, 4.0 * factor)
        fused = fuse(one.haadf, one.maps, **FIXED)
        errors.append(average_standard_error(repeated_error(fused, 6), fused.maps))
    # What is smoothed by total variation gains less from counts than their root.
    assert 1.3 < errors[0] / errors[1] < 2.1


def test_average_is_relative_and_leaves_out_what_is_not_there(result):
    error = result.maps.copy(data=np.stack([0.1, 0.3, 0.7]).reshape(3, 1, 1) * result.maps.values)
    assert average_standard_error(error, result.maps) == pytest.approx(1.1 / 3, rel=1e-5)
    without = result.maps * np.array([1.0, 0.0, 1.0]).reshape(3, 1, 1)
    assert average_standard_error(error, without) == pytest.approx(0.4, rel=1e-5)
    assert np.isnan(average_standard_error(error, 0 * result.maps))


def test_variance_of_haadf_is_that_of_its_counts():
    haadf = seen(5, haadf_snr=20.0).haadf.values
    inside = haadf > np.median(haadf[haadf > 0])
    assert haadf_variance(haadf)[inside].mean() == pytest.approx(haadf[inside].mean(), rel=0.15)


def test_two_repeats_are_too_few(result):
    with pytest.raises(PlanError, match="at least 3"):
        repeated_error(result, 2)
