import numpy as np
import pytest

from crewe.degradation.crops import Crop, crop, crop_mask

IMAGE = np.random.default_rng(0).uniform(0, 1, (90, 120)).astype(np.float32)
IDEAL = IMAGE * 0.5


@pytest.mark.parametrize("edges", [1, 2, 3, 4])
@pytest.mark.parametrize("rotation", [0.0, 20.0, -77.0])
def test_the_central_half_is_spared(edges, rotation):
    half = np.sqrt(0.5) / 2
    rows = slice(int(np.ceil(90 * (0.5 - half))), int(90 * (0.5 + half)))
    columns = slice(int(np.ceil(120 * (0.5 - half))), int(120 * (0.5 + half)))
    cut = 0
    for seed in range(30):
        mask = crop_mask((90, 120), Crop(edges, rotation, "median"), np.random.default_rng(seed))
        assert not mask[rows, columns].any()
        cut += mask.any()
    assert cut > 20


def test_cuts_are_straight_and_turned():
    y, x = np.mgrid[:90, :120]
    mask = crop_mask((90, 120), Crop(1, 0.0, "median"), np.random.default_rng(3))
    assert np.array_equal(mask, np.broadcast_to(mask[:1], mask.shape)) or np.array_equal(
        mask, np.broadcast_to(mask[:, :1], mask.shape)
    )
    turned = crop_mask((90, 120), Crop(1, 30.0, "median"), np.random.default_rng(1))
    along = x * np.cos(np.radians(30)) + y * np.sin(np.radians(30))
    across = -x * np.sin(np.radians(30)) + y * np.cos(np.radians(30))
    assert turned.any()
    assert any(
        sign * part[turned].min() > sign * part[~turned].max()
        if sign > 0
        else part[turned].max() < part[~turned].min()
        for part in (along, across)
        for sign in (1, -1)
    )


@pytest.mark.parametrize("fill", ["median", "constant"])
def test_both_images_get_the_same_value(fill):
    for seed in range(10):
        image, ideal = crop(IMAGE, IDEAL, Crop(2, 15.0, fill), np.random.default_rng(seed))
        cut = image != IMAGE
        assert len(np.unique(image[cut])) == 1
        assert np.array_equal(image[cut], ideal[cut])
        assert np.array_equal(ideal[~cut], IDEAL[~cut])
        value = image[cut][0]
        assert (value == np.median(IMAGE)) if fill == "median" else (0 <= value <= 0.5)
