import dask.array
import numpy as np
import pytest

from crewe.axes import calibrated_image, length_unit, sampling
from crewe.workflows.fuse_preview import thinned


def test_small_images_stay_as_they_are():
    image = calibrated_image(np.arange(20.0).reshape(4, 5), 0.2)
    assert thinned(image, 5).equals(image)


@pytest.mark.parametrize("lazy", [False, True])
def test_blocks_are_averaged_where_they_lie(lazy):
    values = np.random.default_rng(0).random((301, 200)).astype(np.float32)
    given = dask.array.from_array(values, chunks=50) if lazy else values
    small = thinned(calibrated_image(given, 0.2, attrs={"units": "counts"}), 101)
    assert small.shape == (100, 66)
    expected = values[:300, :198].reshape(100, 3, 66, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small.values, expected, rtol=1e-6)
    assert sampling(small) == pytest.approx((0.6, 0.6))
    assert length_unit(small) == "Å"
    assert float(small["y"][0]) == pytest.approx(0.2)
    assert small.attrs["units"] == "counts"
