import numpy as np
import pytest
import xarray as xr
from scipy.ndimage import gaussian_filter

from crewe.chemistry.field import Field
from crewe.chemistry.fusion import fuse
from crewe.chemistry.standard_error import repeated_error
from crewe.testing.core_shell import core_shell, measure

FIXED = {"prior": "composition", "strength": 4.0, "gamma": 1.7, "guide_smoothing_px": 0.5}


@pytest.fixture(scope="module")
def seen():
    return measure(core_shell("textured", pixels=96), 20, 2, np.random.default_rng(1))


def field(seen, maps, likelihood="auto"):
    return Field.of(seen.haadf, maps, None, likelihood, 1.7, np.random.default_rng(2))


def nrmse(maps, truth):
    lengths = np.linalg.norm(truth, axis=(1, 2))
    return float(np.mean(np.linalg.norm(maps - truth, axis=(1, 2)) / lengths))


def best_gaussian(maps, truth):
    smoothed = [gaussian_filter(maps, (0, w, w)) for w in np.geomspace(0.5, 8, 15)]
    return min(nrmse(one, truth) for one in smoothed)


def test_counts_times_a_constant_are_fused_as_the_counts_were(seen):
    counts = fuse(seen.haadf, seen.maps, **FIXED)
    sevenfold = fuse(seen.haadf, (7 * seen.maps).astype(np.uint16), **FIXED)
    np.testing.assert_allclose(sevenfold.maps / 7, counts.maps, rtol=1e-4, atol=1e-4)
    assert sevenfold.counts_per_unit["S"] == pytest.approx(1 / 7)
    assert any("Co: all values are multiples of 7" in said for said in sevenfold.warnings)
    errors = [repeated_error(one, 3).values for one in (counts, sevenfold)]
    np.testing.assert_allclose(errors[1] / 7, errors[0], rtol=1e-3, atol=1e-3)
    assert not any("multiples" in said for said in counts.warnings)


def test_remarks_about_the_noise_reach_the_reader_with_their_element(seen):
    smoothed = seen.maps.copy(data=gaussian_filter(seen.maps.values, (0, 1, 1)))
    said = field(seen, smoothed).warnings
    assert sum("share their noise" in one for one in said) == 3
    assert {one.split(":")[0] for one in said if "share" in one} == {"Co", "S", "O"}
    assert not any("noise" in one for one in field(seen, seen.maps).warnings)


def test_negative_pixels_are_counted_and_told(seen):
    one = seen.maps.copy(deep=True)
    one.values[0, 3, 3] = -2
    given = field(seen, one)
    assert not given.measured.poisson
    said = [text for text in given.warnings if "negative" in text]
    assert len(said) == 1
    assert f"of {96 * 96}: Co 1; so" in said[0]
    assert "--background" in said[0]
    wanted = field(seen, one, "least_squares").warnings
    assert not any("negative" in text for text in wanted)


@pytest.mark.parametrize(("kind", "least"), [("normal", 0.55), ("background", 0.6)])
def test_maps_with_further_noise_are_fused_better_than_smoothed(seen, kind, least):
    rng = np.random.default_rng(3)
    if kind == "normal":
        given = seen.maps + rng.normal(0, 2, seen.maps.shape)
    else:
        given = seen.maps + rng.poisson(6.0, seen.maps.shape) - 6.0
    found = fuse(seen.haadf, given, gamma=1.7, guide_smoothing_px=0.5)
    truth = seen.truth.values
    assert found.prior == "composition"
    assert found.strength >= 1.4
    assert nrmse(found.maps.values, truth) < least * best_gaussian(given.values, truth)


def test_fused_maps_have_the_constant_noise_of_what_was_given():
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:96, :96] - 47.5
    amount = 3 * np.sqrt(np.clip(1 - (y**2 + x**2) / 40**2, 0, None))
    given = {"Co": amount, "S": amount * (x < 0)}
    haadf = xr.DataArray(rng.poisson(400 * (amount / 3) ** 1.7 + 5.0) + 0.0, dims=("y", "x"))
    noisy = {
        name: xr.DataArray(plane + rng.normal(0, 1, plane.shape), dims=("y", "x"))
        for name, plane in given.items()
    }
    measured = Field.of(haadf, noisy, None, "auto", 1.7, rng).measured
    assert [noise.slope for noise in measured.noise] == [0.0, 0.0]
    found = fuse(haadf, noisy, gamma=1.7, guide_smoothing_px=0.5)
    truth = np.stack(list(given.values()))
    assert nrmse(found.maps.values, truth) < 0.8 * best_gaussian(found.raw.values, truth)
