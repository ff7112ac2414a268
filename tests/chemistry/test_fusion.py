import numpy as np
import pytest
import xarray as xr

from crewe.chemistry.fusion import fuse, refit
from crewe.errors import ImageError, PlanError
from crewe.testing.core_shell import core_shell, measure

QUICK = {"strength": 5.6, "gamma": 1.7, "guide_smoothing_px": 0.5}


@pytest.fixture(scope="module")
def textured():
    phantom = core_shell("textured", pixels=96)
    return phantom, measure(phantom, 20, 5, np.random.default_rng(1))


@pytest.fixture(scope="module")
def atomic():
    phantom = core_shell("atomic", pixels=128)
    return phantom, measure(phantom, 20, 5, np.random.default_rng(1))


def nrmse(maps, truth):
    return float(
        np.mean(
            [
                np.linalg.norm(one - other) / np.linalg.norm(other)
                for one, other in zip(maps.values, truth.values, strict=True)
            ]
        )
    )


def test_the_default_beats_the_counts_fourfold_on_texture(textured):
    phantom, seen = textured
    result = fuse(seen.haadf, seen.maps)
    assert result.prior == "composition"
    assert nrmse(result.maps, seen.truth) < 0.25 * nrmse(seen.maps, seen.truth)
    found, wanted = phantom.fractions(result.maps), phantom.fractions(seen.truth)
    assert float(abs(found - wanted).max()) < 0.01
    assert result.maps.attrs.get("units") == seen.maps.attrs.get("units")
    np.testing.assert_array_equal(result.maps["x"], seen.maps["x"])
    total = result.history["total"].to_numpy()
    assert (np.diff(total) <= 0).all()
    assert set(result.tried.columns) >= {"prior", "strength", "gamma", "prediction_error"}
    assert sum(result.elastic_share.values()) == pytest.approx(1)


def test_resolved_columns_are_recognised(atomic):
    _, seen = atomic
    result = fuse(seen.haadf, seen.maps, gamma=1.7, guide_smoothing_px=0.5)
    assert result.prior == "columns"
    assert nrmse(result.maps, seen.truth) < 0.4 * nrmse(seen.maps, seen.truth)


def test_the_scale_of_the_input_is_kept(textured):
    _, seen = textured
    counts = fuse(seen.haadf, seen.maps, prior="composition", **QUICK)
    per_cent = fuse(7 * seen.haadf + 1000, 0.31 * seen.maps, prior="composition", **QUICK)
    assert per_cent.likelihood == counts.likelihood == "poisson"
    below = fuse(seen.haadf, 0.31 * seen.maps - 0.1, prior="composition", **QUICK)
    assert below.likelihood == "least_squares"
    for symbol, gain in per_cent.counts_per_unit.items():
        assert gain == pytest.approx(1 / 0.31, rel=0.1), symbol
    difference = nrmse(per_cent.maps / 0.31, counts.maps)
    assert difference < 0.03


def test_known_background_is_taken_out_without_subtracting(textured):
    _, seen = textured
    rng = np.random.default_rng(3)
    dark = rng.poisson(6.0, seen.maps.shape)
    background = {str(name): 6.0 for name in seen.maps["element"].values}
    result = fuse(seen.haadf, seen.maps + dark, background=background, prior="composition", **QUICK)
    assert nrmse(result.maps, seen.truth) < 0.1
    assert result.likelihood == "poisson"


def test_a_second_fit_with_the_same_settings_is_the_same(textured):
    _, seen = textured
    result = fuse(seen.haadf, seen.maps, prior="composition", **QUICK)
    again = refit(result, seen.haadf.values.astype(np.float32), seen.maps.values)
    np.testing.assert_array_equal(again, result.maps.values)


def test_an_element_without_contrast_is_named():
    rng = np.random.default_rng(4)
    plane = xr.DataArray(rng.poisson(9, (48, 48)) + 0.0, dims=("y", "x"))
    lutetium = xr.DataArray(rng.poisson(9, (48, 48)) + 0.0, dims=("y", "x"))
    haadf = 400 + 30 * lutetium
    result = fuse(haadf, {"Lu": lutetium, "O": plane}, prior="composition", **QUICK)
    assert any("O makes" in warning for warning in result.warnings)


def bad(**changes):
    rng = np.random.default_rng(5)
    maps = {"Co": xr.DataArray(rng.poisson(5, (32, 32)) + 0.0, dims=("y", "x"))}
    haadf = 10 * maps["Co"] + 1
    return {"haadf": haadf, "maps": maps, **changes}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prior": "magic"}, "prior"),
        ({"likelihood": "magic"}, "likelihood"),
        ({"strength": -1.0}, "strength"),
        ({"strength": float("nan")}, "strength"),
        ({"gamma": 5.0}, "gamma"),
        ({"guide_smoothing_px": -1.0}, "smoothing"),
    ],
)
def test_options_that_cannot_be_are_refused(options, words):
    with pytest.raises(PlanError, match=words):
        fuse(**bad(), **options)


def test_negative_counts_and_inverted_haadf_are_refused():
    given = bad()
    negative = {"Co": given["maps"]["Co"] - 3}
    with pytest.raises(ImageError, match="negative"):
        fuse(given["haadf"], negative, likelihood="poisson")
    with pytest.raises(ImageError, match="inverted"):
        fuse(1000 - given["haadf"], given["maps"])
    with pytest.raises(ImageError, match="background of O"):
        fuse(**given, background={"O": 1.0})
    with pytest.raises(ImageError, match="not negative"):
        fuse(**given, background={"Co": -1.0})
