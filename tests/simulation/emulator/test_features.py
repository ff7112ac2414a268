import numpy as np
import pytest

from crewe.errors import ImageError
from crewe.simulation.emulator.features import logarithm, read_image


def test_the_logarithm_has_a_floor_where_convolution_leaves_rounding_values():
    image = np.array([[-1e-9, 0.0, 1e-5], [1e-4, 1.0, np.e]], dtype=np.float32)
    floor = np.log(1e-4)
    assert np.allclose(logarithm(image), [[floor, floor, floor], [floor, 0, 1]], atol=1e-6)
    assert logarithm(image).dtype == np.float32


def test_what_is_no_finite_image_is_refused():
    with pytest.raises(ImageError, match=r"\(y, x\)"):
        read_image(np.zeros(5))
    with pytest.raises(ImageError, match=r"\(y, x\)"):
        read_image(np.zeros((0, 5)))
    with pytest.raises(ImageError, match="2 pixels"):
        read_image([[1, np.nan], [np.inf, 0]])


def test_an_image_of_any_layout_becomes_float32_rows():
    read = read_image(np.arange(6.0).reshape(2, 3).T)
    assert read.flags.c_contiguous
    assert read.dtype == np.float32
    assert read.tolist() == [[0, 3], [1, 4], [2, 5]]
