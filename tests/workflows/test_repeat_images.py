import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from crewe import io
from crewe.axes import calibrated_image
from crewe.errors import ReadError
from crewe.workflows.repeat_images import compare_images, difference, stored_images

IMAGE = np.random.default_rng(2).normal(50, 3, (20, 24))


def images(**values):
    return {name: xr.DataArray(value, dims=("y", "x")) for name, value in values.items()}


def test_the_same_images_are_the_same_bit_for_bit():
    holes = np.where(IMAGE > 55, np.nan, IMAGE)
    found = compare_images(images(adf=IMAGE, com=holes), images(adf=IMAGE.copy(), com=holes))
    assert (found.equal, found.identical, found.largest_difference) == (True, True, 0)
    assert found.text == "equal: adf, com, bit for bit"
    assert found.of_each == {"adf": 0, "com": 0}


@given(st.floats(1e-5, 1e5), st.floats(-1e3, 1e3), st.floats(1e-2, 1e2))
def test_the_difference_is_relative_to_the_deviation(size, offset, change):
    before = size * (IMAGE + offset)
    after = before.copy()
    after[3, 4] -= change * before.std()
    assert difference(before, after) == pytest.approx(change, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "equal", "verdict"),
    [(1e-6, True, "equal to rounding"), (0.02, False, "different")],
)
def test_each_image_is_told_and_the_worst_decides(change, equal, verdict):
    before = images(adf=IMAGE, bf=-IMAGE)
    found = compare_images(before, images(adf=IMAGE + change * IMAGE.std(), bf=-IMAGE))
    assert (found.equal, found.identical) == (equal, False)
    assert found.of_each["adf"] == pytest.approx(change, rel=1e-3)
    assert found.text == (
        f"{verdict}: largest difference in standard deviations adf {change:.1e}, bf 0"
    )


def test_images_are_compared_as_they_were_stored():
    assert difference(IMAGE.astype(np.float32), IMAGE) == 0
    assert difference(IMAGE, IMAGE.astype(np.float32)) > 0


def test_an_even_image_is_measured_by_its_last_digits():
    even = np.full((4, 5), 1e6, np.float32)
    step = np.spacing(np.float32(1e6))
    assert 0 < difference(even, even + step) < 1e-3
    assert difference(even, even + 40 * step) > 1e-3
    assert difference(np.full((4, 5), 7), np.full((4, 5), 8)) == np.inf


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (images(adf=np.where(IMAGE > 55, np.nan, IMAGE)), "adf (elsewhere measured"),
        (images(adf=IMAGE[:-1]), "adf (of another shape)"),
        (images(bf=IMAGE), "adf (one of the two results lacks it), bf (one of"),
        (images(adf=np.where(IMAGE > 55, np.inf, IMAGE)), "adf (elsewhere measured"),
    ],
)
def test_what_cannot_be_compared_is_different(after, words):
    found = compare_images(images(adf=IMAGE), after)
    assert not found.equal
    assert not np.isfinite(found.largest_difference)
    assert words in found.text


def test_infinite_and_missing_are_not_the_same():
    assert difference(np.array([1.0, 2.0, np.nan]), np.array([1.0, 2.0, np.inf])) == np.inf


def test_stored_images_are_read_and_missed(tmp_path):
    io.write(tmp_path / "adf.tif", calibrated_image(IMAGE, 0.2))
    stored = stored_images({"adf": tmp_path / "adf.tif"})
    np.testing.assert_array_equal(stored["adf"], IMAGE)
    with pytest.raises(ReadError, match=r"bf.tif is missing, so there is nothing to compare"):
        stored_images({"adf": tmp_path / "adf.tif", "bf": tmp_path / "bf.tif"})
