import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from crewe.training_sets.codecs import FLOOR, RELATIVE_PRECISION, compressed, restored, rounded

FLOATS = arrays.arrays(
    np.float32,
    st.integers(1, 40),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


@given(FLOATS)
def test_the_error_keeps_within_the_documented_bound(values):
    wide = values.astype(float)
    error = np.abs(rounded(values).astype(float) - wide)
    bound = RELATIVE_PRECISION * np.abs(wide) + FLOOR * np.abs(wide).max()
    assert np.all(error <= bound + np.finfo(np.float32).tiny)


def test_the_bound_is_nearly_reached_so_no_bit_is_kept_for_nothing():
    values = np.random.default_rng(1).uniform(0.5, 1, 100_000).astype(np.float32)
    worst = np.abs(rounded(values) / values.astype(float) - 1).max()
    assert 0.9 * RELATIVE_PRECISION < worst < 1.15 * RELATIVE_PRECISION


def test_small_whole_numbers_masks_and_counts_stay_exact():
    counts = np.arange(2**13 + 1, dtype=np.float32)
    np.testing.assert_array_equal(rounded(counts), counts)
    np.testing.assert_array_equal(rounded(-counts), -counts)
    for dtype in ("uint8", "uint16", "float64"):
        exact = (np.random.default_rng(2).random((5, 5)) * 200).astype(dtype)
        assert rounded(exact) is exact


def test_rounding_has_no_preferred_direction():
    values = np.random.default_rng(3).normal(size=200_000).astype(np.float32)
    shift = (rounded(values) - values.astype(float)).mean()
    assert abs(shift) < 4 * RELATIVE_PRECISION / np.sqrt(values.size)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64", "int32"])
def test_chunks_come_back_and_are_the_same_bytes_each_time(dtype):
    array = (np.random.default_rng(4).random((64, 48)) * 100).astype(dtype)
    chunk = compressed(array)
    np.testing.assert_array_equal(restored(chunk, array.shape, dtype), array)
    assert compressed(array.copy()) == chunk


def test_damaged_bytes_are_an_error():
    with pytest.raises(ValueError, match="damaged"):
        restored(b"\x00" * 40, (4, 4), "uint8")
