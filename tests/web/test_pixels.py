import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from runs import parts

from crewe.axes import calibrated_image
from crewe.web.pixels import LONGEST_SIDE_PX, message, quantised, reduced


def test_a_message_holds_head_and_images():
    first = calibrated_image(np.arange(6.0).reshape(2, 3), 0.2, attrs={"units": "rad"})
    second = calibrated_image(np.full((3, 5), np.nan), 0.2)
    head, images = parts(message({"update": 7}, {"ricom": first, "adf": second}))
    assert head["update"] == 7
    facts = {"name": "ricom", "rows": 2, "columns": 3, "low": 0.0, "high": 5.0}
    assert head["images"][0] == {**facts, "units": "rad", "factor": 1}
    np.testing.assert_array_equal(images["adf"], np.zeros((3, 5)))
    np.testing.assert_array_equal(images["ricom"].ravel(), np.round(np.arange(6) * 65534 / 5) + 1)


@pytest.mark.parametrize("number", range(5))
def test_pixels_begin_at_a_multiple_of_four_bytes(number):
    said = message({"text": "x" * number}, {})
    assert struct.unpack_from("<I", said)[0] % 4 == 0


@given(arrays(float, (3, 4), elements=st.floats(-1e300, 1e300) | st.just(np.nan)))
@example(np.array([[0.0, 5e-324, 1e-323, np.nan]]))
@example(np.array([[-7e-322, 3e-319, 1e-318, 1e-319]]))
def test_levels_give_values_back_to_half_a_level(values):
    levels, low, high = quantised(values)
    known = np.isfinite(values)
    np.testing.assert_array_equal(levels == 0, ~known)
    # Multiplied first, as the page does: a step between subnormal numbers is no number itself.
    back = low + (high - low) * (levels.astype(float) - 1) / 65534
    tolerance = 0.51 * (high - low) / 65534 + 1e-12 * max(abs(low), abs(high))
    assert (np.abs(back - values)[known] <= tolerance).all()


def test_large_images_are_averaged_and_holes_left_out():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(1500, 2 * LONGEST_SIDE_PX + 2))
    values[0, :] = np.nan
    values[:3, :3] = np.nan
    small, factor = reduced(values)
    assert factor == 3
    assert small.shape == (500, 684)
    assert np.isnan(small[0, 0])
    assert small[0, 1] == pytest.approx(np.nanmean(values[:3, 3:6]))
    assert small[7, 9] == pytest.approx(values[21:24, 27:30].mean())
    assert small[7, -1] == pytest.approx(values[21:24, 2049:].mean())
    same, factor = reduced(values[:LONGEST_SIDE_PX, :LONGEST_SIDE_PX])
    assert factor == 1
    assert same.shape == (LONGEST_SIDE_PX, LONGEST_SIDE_PX)
