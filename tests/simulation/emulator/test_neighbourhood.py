import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.errors import CalibrationError
from crewe.simulation.emulator.neighbourhood import Neighbourhood


def _image(shape=(9, 11)):
    return np.random.default_rng(3).uniform(0, 3, shape).astype(np.float32)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_plane_r_is_the_pixel_of_equation_6(size):
    """r = s (i − (m − h)) + j − (n − h) with h = (s − 1) / 2, at every pixel away from the rim."""
    image = _image()
    planes = Neighbourhood(size, log=False).planes(image)
    h = (size - 1) // 2
    for m in range(h, image.shape[0] - h):
        for n in range(h, image.shape[1] - h):
            for i in range(m - h, m + h + 1):
                for j in range(n - h, n + h + 1):
                    r = size * (i - (m - h)) + j - (n - h)
                    assert planes[r, m, n] == image[i, j]


def test_the_centre_has_index_half_of_s_squared_less_one():
    image = _image()
    planes = Neighbourhood(5, log=True).planes(image)
    assert planes.shape == (26, 9, 11)
    assert np.array_equal(planes[(25 - 1) // 2], image)
    assert np.allclose(planes[25], np.log(image), atol=1e-6)


def test_names_tell_offset_and_order():
    features = Neighbourhood(5, log=True)
    assert features.names[0] == "pixel(-2,-2)"
    assert features.names[3] == "pixel(-2,1)"
    assert features.names[12] == "pixel(0,0)"
    assert features.names[-1] == "log"
    assert len(features.names) == 26
    assert features.reach_px == 2
    assert Neighbourhood(1, log=False).names == ("pixel(0,0)",)


def test_beyond_the_border_the_edge_pixel_is_repeated():
    image = _image((3, 4))
    planes = Neighbourhood(3, log=False).planes(image)
    assert np.array_equal(planes[0, 1:, 1:], image[:-1, :-1])
    assert np.array_equal(planes[0, 0, 1:], image[0, :-1])
    assert np.array_equal(planes[0, 1:, 0], image[:-1, 0])
    assert planes[0, 0, 0] == image[0, 0]
    assert planes[8, -1, -1] == image[-1, -1]


@given(
    size=st.one_of(
        st.integers(max_value=0),
        st.integers(min_value=1).map(lambda n: 2 * n),
        st.floats(),
        st.booleans(),
        st.text(),
    )
)
def test_a_size_without_a_centre_is_refused(size):
    with pytest.raises(CalibrationError, match="1, 3, 5"):
        Neighbourhood(size, log=True)


def test_a_size_that_would_fill_the_memory_is_refused():
    assert Neighbourhood(255, log=False).reach_px == 127
    with pytest.raises(CalibrationError, match="at most 255"):
        Neighbourhood(10**6 + 1, log=True)
