import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from crewe.errors import ImageError, PlanError
from crewe.networks.tiles import TilePlan, apply_tiled, cut


def blur(tiles):
    """Gaussian that looks 8 px far and sees zeros outside, as a convolution of a network does."""
    return np.stack([ndimage.gaussian_filter(t, 2.0, mode="constant", radius=8) for t in tiles])


def strided(tiles):
    """Means of blocks of 4 × 4: needs multiples of 4, and its phase must be kept."""
    count, rows, columns = tiles.shape
    blocks = tiles.reshape(count, rows // 4, 4, columns // 4, 4).mean(axis=(2, 4))
    return blocks.repeat(4, axis=1).repeat(4, axis=2).astype(np.float32)


def picture(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


SHAPES = [(200, 311), (97, 64), (65, 400), (64, 64), (127, 1), (1, 131), (1, 1), (13, 7)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("blend_px", [0, 1, 16])
def test_tiled_is_whole(shape, blend_px):
    image = picture(shape)
    plan = TilePlan(tile_px=64, radius_px=8, blend_px=blend_px)
    result = apply_tiled(blur, image, plan, batch=3)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, blur(image[None])[0], atol=1e-6)


def test_without_overlap_there_would_be_seams():
    image = picture((200, 200))
    seams = apply_tiled(blur, image, TilePlan(tile_px=64, radius_px=0, blend_px=0))
    assert np.abs(seams - blur(image[None])[0]).max() > 0.1


@pytest.mark.parametrize("shape", [(203, 311), (5, 97), (64, 66)])
def test_strides_keep_their_phase(shape):
    image = picture(shape)
    plan = TilePlan(tile_px=50, radius_px=4, blend_px=7, multiple_px=4)
    padded = np.pad(image, [(0, -side % 4) for side in shape], mode="reflect")
    expected = strided(padded[None])[0][: shape[0], : shape[1]]
    np.testing.assert_allclose(apply_tiled(strided, image, plan), expected, atol=1e-6)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 4), st.integers(0, 40), st.integers(0, 30), st.data())
def test_weights_sum_to_one_exactly(length, multiple, radius, blend, data):
    least = 2 * radius + blend + 3 * multiple
    plan = TilePlan(data.draw(st.integers(least, least + 200)), radius, blend, multiple)
    length = -(-length // multiple) * multiple
    cuts = cut(length, plan)
    total = np.zeros(length, dtype=np.float32)
    for start, weight in zip(cuts.starts, cuts.weights, strict=True):
        total[start : start + cuts.tile_px] += weight
        assert start % multiple == 0
        inner_left, inner_right = start > 0, start + cuts.tile_px < length
        assert not inner_left or not weight[:radius].any()
        assert not inner_right or not weight[cuts.tile_px - radius :].any()
    assert np.all(total == 1)
    assert cuts.tile_px <= plan.tile_px
    assert cuts.tile_px % multiple == 0
    assert cuts.starts[-1] + cuts.tile_px == length
    assert min(map(np.min, cuts.weights)) >= 0


def test_identity_is_exact():
    image = picture((333, 257))
    plan = TilePlan(tile_px=48, radius_px=5, blend_px=11)
    np.testing.assert_allclose(apply_tiled(lambda t: t, image, plan), image, rtol=2e-7)
    ones = np.ones((333, 257), dtype=np.float32)
    assert np.all(apply_tiled(lambda t: t, ones, plan) == 1)


def test_small_images_are_mirrored_to_a_minimum():
    shapes = []

    def spy(tiles):
        shapes.append(tiles.shape)
        return tiles

    image = picture((3, 5))
    result = apply_tiled(spy, image, TilePlan(smallest_px=32, multiple_px=2))
    assert shapes == [(1, 32, 32)]
    np.testing.assert_array_equal(result, image)


def test_memory_is_that_of_a_batch():
    image = picture((3000, 600))
    plan = TilePlan(tile_px=128, radius_px=8, blend_px=8)
    tracemalloc.start()
    apply_tiled(lambda t: t, image, plan, batch=4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < image.nbytes + 12 * 128 * 128 * 4


def test_progress_counts_every_tile():
    seen = []
    plan = TilePlan(tile_px=64, radius_px=8, blend_px=8)
    apply_tiled(blur, picture((150, 150)), plan, 4, lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == len(cut(150, plan).starts) ** 2
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_refusals():
    with pytest.raises(PlanError, match="choose tile_px of at least 81"):
        TilePlan(tile_px=64)
    with pytest.raises(PlanError, match="positive"):
        TilePlan(radius_px=-1)
    with pytest.raises(PlanError, match="batches of 0"):
        apply_tiled(blur, picture((9, 9)), batch=0)
    with pytest.raises(ImageError, match="shape"):
        apply_tiled(blur, picture((2, 9, 9)))
    with pytest.raises(ImageError, match="keeps sizes"):
        apply_tiled(lambda t: t[:, 1:], picture((9, 9)))
