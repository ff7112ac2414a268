import numpy as np
import pytest

from crewe.chemistry.row_noise import row_noise


@pytest.mark.parametrize("deviation", [0.3, 7.0])
def test_noise_is_found_on_planes_and_beside_edges(deviation):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:128, :128]
    image = 3.0 * y - 0.5 * x + 100 * (x > 60) + rng.normal(0, deviation, y.shape)
    assert row_noise(image) == pytest.approx(deviation, rel=0.05)


def test_what_was_set_to_a_constant_can_be_left_out():
    image = np.random.default_rng(1).normal(0, 2.0, (128, 128))
    image[:, 40:] = 0
    assert row_noise(image) == 0
    assert row_noise(image, skip_flat=True) == pytest.approx(2, rel=0.1)
    assert row_noise(np.ones((8, 8)), skip_flat=True) == 0
    assert row_noise(np.ones((8, 2))) == 0
