import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from crewe.degradation import read_chain
from crewe.degradation.pixels import as_pixels
from crewe.errors import CreweError, ImageError

CHAINS = {name: read_chain(name) for name in ("hrstem", "hrtem")}


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((4, 4, 3)), "choose one frame"),
        (np.zeros((0, 4)), "empty"),
        (np.zeros((4, 4), complex), "real numbers"),
        (np.array([["a"]]), "real numbers"),
        (np.array([[1.0, np.nan]]), "NaN"),
        (np.array([[1.0, np.inf], [-np.inf, 0]]), "infinite"),
        (7.0, "2 dimensions"),
    ],
)
def test_says_why_an_image_cannot_be_used(image, said):
    with pytest.raises(ImageError, match=said):
        as_pixels(image)


@pytest.mark.parametrize("name", CHAINS)
@given(
    image=hnp.arrays(
        st.sampled_from([np.float32, np.uint8, np.int16]),
        hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5),
    ),
    seed=st.integers(0, 1000),
)
def test_any_array_is_degraded_or_refused(name, image, seed):
    with np.errstate(all="ignore"):
        try:
            degraded = CHAINS[name].apply(image, seed, pixel_size_angstrom=0.3)
        except CreweError:
            return
    assert degraded.image.shape == degraded.ideal.shape == image.shape
    assert np.isfinite(degraded.image).all()


@pytest.mark.parametrize("name", CHAINS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (30, 40)])
def test_constant_and_tiny_images_work(name, shape):
    for seed in range(40):
        degraded = CHAINS[name].apply(np.ones(shape), seed, pixel_size_angstrom=0.3)
        assert degraded.image.shape == shape
        assert np.isfinite(degraded.image).all()
        assert np.isfinite(degraded.ideal).all()
