import numpy as np
import pytest

from crewe.chemistry.guide import elastic_share, elastic_terms, offset_and_scale, texture
from crewe.errors import ImageError

NUMBERS = np.array([27, 8])


def field(seed=0, side=64):
    rng = np.random.default_rng(seed)
    thickness = np.zeros((side, side), np.float32)
    thickness[12:52, 12:52] = 5 + 2 * rng.random((40, 40))
    share = np.linspace(0.2, 0.8, side, dtype=np.float32)[None]
    return thickness, np.stack([thickness * share, thickness * (1 - share)])


@pytest.mark.parametrize("gamma", [1.4, 1.7, 2.0])
def test_texture_undoes_the_power(gamma):
    thickness, _ = field()
    found = texture(30 + 4 * thickness**gamma, gamma, 30.0, 0.0)
    np.testing.assert_allclose(found, thickness / thickness.mean(), atol=1e-4)


def test_texture_of_nothing_is_refused():
    with pytest.raises(ImageError, match="nothing above its offset"):
        texture(np.ones((16, 16), np.float32), 1.7, 2.0, 0.0)


def test_terms_are_in_the_ratio_of_the_powers_of_z():
    terms = elastic_terms(np.ones((2, 3, 3), np.float32), NUMBERS, 1.7)
    np.testing.assert_allclose(terms[0] / terms[1], (27 / 8) ** 1.7, rtol=1e-5)


@pytest.mark.parametrize("offset", [0.0, 500.0, -20.0])
def test_offset_and_scale_of_a_known_image(offset):
    rng = np.random.default_rng(1)
    _, amounts = field()
    expected = elastic_terms(amounts, NUMBERS, 1.7).sum(0)
    haadf = (offset + 3.0 * expected + rng.standard_normal(expected.shape)).astype(np.float32)
    counts = rng.poisson(20 * amounts).astype(np.float32) / 20
    found, scale = offset_and_scale(haadf, counts, NUMBERS, 1.7)
    assert found == pytest.approx(offset, abs=0.15 * float(expected.mean()))
    assert scale == pytest.approx(3.0, rel=0.1)


def test_inverted_contrast_is_named():
    _, amounts = field()
    haadf = 1000 - elastic_terms(amounts, NUMBERS, 1.7).sum(0)
    with pytest.raises(ImageError, match="inverted"):
        offset_and_scale(haadf, amounts, NUMBERS, 1.7)


def test_shares_of_haadf_sum_to_one_and_follow_z():
    amounts = np.ones((2, 32, 32), np.float32)
    share = elastic_share(amounts, NUMBERS, 1.7)
    assert share.sum() == pytest.approx(1)
    assert share[0] / share[1] == pytest.approx((27 / 8) ** 1.7, rel=1e-4)
