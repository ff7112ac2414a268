import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.errors import PlanError
from crewe.sources import ArraySource, Counters, DividedSource, Events, Known, Scan, Source
from crewe.sources.bad_pixels import Replacement, find_bad_pixels, without_bad_pixels

SHAPE = (20, 24)


def disk(level=40.0, radius=6.0):
    ky, kx = np.mgrid[:20, :24]
    return level * np.clip(radius + 0.5 - np.hypot(ky - 9.2, kx - 11.7), 0, 1) + 0.02


def mask(*pixels, shape=SHAPE):
    bad = np.zeros(shape, bool)
    for pixel in pixels:
        bad[pixel] = True
    return bad


def places(found):
    return [tuple(map(int, place)) for place in np.argwhere(found)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("number", [1, 30, 3000])
def test_noise_and_the_edge_of_a_disk_are_no_bad_pixels(number, seed):
    rng = np.random.default_rng(seed)
    for level in (0.05, 3.0, 400.0):
        mean = rng.poisson(disk(level) * number) / number
        assert not find_bad_pixels(mean, number).all.any()
        # Amplified, with the noise of a camera about zero; there one electron looks like a fault.
        camera = 300 * mean + rng.normal(0, 20, SHAPE)
        assert number == 1 or not find_bad_pixels(camera, number).all.any()
    assert not find_bad_pixels(disk()).all.any()
    assert not find_bad_pixels(np.zeros(SHAPE)).all.any()


def test_bad_pixels_of_every_kind_are_found():
    mean = np.random.default_rng(0).poisson(100 * disk()) / 100
    mean[2, 3] = 4095
    mean[17, 20], mean[17, 21] = 30, 29
    mean[9, 10], mean[19, 0] = np.nan, np.inf
    mean[11, 12] = mean[8, 9] = 0
    mean[0, 0] = 0
    found = find_bad_pixels(mean, 100)
    assert places(found.hot) == [(2, 3), (17, 20), (17, 21)]
    assert places(found.non_finite) == [(9, 10), (19, 0)]
    assert places(found.dead) == [(8, 9), (11, 12)]
    assert found.all.sum() == 7


def test_a_pattern_that_is_nowhere_finite():
    assert find_bad_pixels(np.full(SHAPE, np.nan)).non_finite.all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 0.97))
def test_each_bad_pixel_becomes_the_mean_of_the_nearest_good_ones(seed, share):
    rng = np.random.default_rng(seed)
    bad = rng.random((5, 6)) < share
    bad[rng.integers(5), rng.integers(6)] = False
    patterns = rng.normal(size=(3, 5, 6))
    given = patterns.copy()
    done = Replacement(bad).of(patterns)
    np.testing.assert_array_equal(patterns, given)
    np.testing.assert_array_equal(done[:, ~bad], patterns[:, ~bad])
    for ky, kx in np.argwhere(bad):
        near = np.maximum(abs(np.arange(5)[:, None] - ky), abs(np.arange(6) - kx))
        reach = near[~bad].min()
        expected = patterns[:, ~bad & (near <= reach)].mean(axis=1)
        np.testing.assert_allclose(done[:, ky, kx], expected)


@pytest.mark.parametrize("dtype", ["u1", ">u2", "<u2", ">u4", "i4", ">f4", "f8"])
def test_types_byte_orders_and_upside_down_views_are_kept(dtype):
    patterns = np.random.default_rng(1).poisson(20, (4, 6, 7))
    bad = mask((1, 2), (5, 6), shape=(6, 7))
    expected = Replacement(bad).of(patterns)
    stored = np.ascontiguousarray(patterns[:, ::-1].astype(dtype))
    stored.flags.writeable = False
    done = Replacement(bad).of(stored[:, ::-1])
    assert done.dtype == np.dtype(dtype)
    if done.dtype.kind == "f":
        np.testing.assert_array_equal(np.rint(done), expected)
    else:
        np.testing.assert_array_equal(done, expected)
        assert done[0, 5, 6] == np.rint(patterns[0, 4:, 5:].ravel()[:3].mean())


def test_nothing_is_copied_without_bad_pixels():
    patterns = np.ones((3, 4, 5))
    assert Replacement(np.zeros((4, 5), bool)).of(patterns) is patterns


class Electrons:
    """A source of single electrons that is read from its beginning only."""

    def __init__(self):
        self.scan, self.detector_shape = Scan((2, 3)), SHAPE
        self.known, self.counters, self.closed = Known(), Counters(), False

    def batches(self):
        pixels = np.array([0, 5, 24, 5, 479], np.uint32)
        yield Events(np.array([0, 1, 1, 2, 5]), pixels, SHAPE, 2, 5)

    def close(self):
        self.closed = True

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def test_electrons_on_bad_pixels_are_left_out():
    whole = Electrons()
    with without_bad_pixels(whole, mask((0, 5), (19, 23))) as source:
        assert not isinstance(source, DividedSource)
        assert isinstance(source, Source)
        (batch,) = source.batches()
    assert whole.closed
    np.testing.assert_array_equal(batch.pixels, [0, 24])
    np.testing.assert_array_equal(batch.positions, [0, 1])
    assert (batch.scan, batch.finished, source.left_out) == (2, 5, 3)


def test_parts_and_batches_of_a_divided_source_are_the_same():
    patterns = np.random.default_rng(2).poisson(5, (6, 7, *SHAPE)).astype(np.uint16)
    patterns[..., 3, 4] = 60_000
    bad = mask((3, 4))
    source = without_bad_pixels(ArraySource(patterns), bad)
    assert isinstance(source, DividedSource)
    expected = Replacement(bad).of(patterns.reshape(-1, *SHAPE))
    for batches in (list(source.batches()), [part() for part in source.parts()]):
        together = np.concatenate([batch.patterns for batch in batches])
        order = np.argsort(np.concatenate([batch.positions for batch in batches]))
        np.testing.assert_array_equal(together[order], expected)
    assert (patterns[..., 3, 4] == 60_000).all()
    assert source.counters.used == 2 * 42


def test_without_bad_pixels_nothing_is_touched():
    whole = Electrons()
    (batch,) = without_bad_pixels(whole, mask()).batches()
    (before,) = whole.batches()
    assert np.array_equal(batch.pixels, before.pixels)
    patterns = np.ones((2, 2, *SHAPE))
    (frames,) = without_bad_pixels(ArraySource(patterns), mask()).batches()
    assert np.shares_memory(frames.patterns, patterns)


def test_masks_that_cannot_be_are_refused():
    source = ArraySource(np.ones((2, 2, *SHAPE)))
    with pytest.raises(PlanError, match="same shape"):
        without_bad_pixels(source, np.zeros((24, 20), bool))
    with pytest.raises(PlanError, match="all 480 detector pixels"):
        without_bad_pixels(source, np.ones(SHAPE, bool))
