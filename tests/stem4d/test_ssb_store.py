import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.stem4d.ssb_store import PixelStore

POSITIONS, PIXELS = 12, 5


def batches(rng, scans=3):
    """Frames of whole numbers, each position of each scan once or twice, in pieces."""
    result = []
    for scan in range(scans):
        for _ in range(2):
            positions = rng.permutation(POSITIONS)[: rng.integers(1, POSITIONS)]
            values = rng.integers(0, 9, (len(positions), PIXELS)).astype(np.float32)
            result.append((positions, values, scan))
    return result


def slow(parts, repeats):
    """What should be kept, worked out one position at a time."""
    values, measured = np.zeros((POSITIONS, PIXELS)), np.zeros(POSITIONS, bool)
    for position in range(POSITIONS):
        hits = [
            (scan, new)
            for positions, frames, scan in parts
            for new in frames[positions == position]
        ]
        if hits:
            newest = max(scan for scan, _ in hits)
            kept = [new for scan, new in hits if repeats == "sum" or scan == newest]
            values[position], measured[position] = np.sum(kept, axis=0), True
    return values, measured


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["newest", "sum"]))
def test_batches_commute_and_newer_scans_replace(seed, repeats):
    rng = np.random.default_rng(seed)
    parts = batches(rng)
    store = PixelStore(POSITIONS, PIXELS, repeats)
    for index in rng.permutation(len(parts)):
        store.add_frames(*parts[index])
    values, measured = slow(parts, repeats)
    assert np.array_equal(store.values, values)
    assert np.array_equal(store.measured, measured)


def test_electrons_are_frames_of_ones_and_visited_positions_measured_zero():
    rng = np.random.default_rng(1)
    store = PixelStore(POSITIONS, PIXELS, "newest")
    store.add_frames(np.arange(POSITIONS), np.full((POSITIONS, PIXELS), 7, np.float32), 0)
    positions, pixels = rng.integers(2, 6, 40), rng.integers(0, PIXELS, 40).astype(np.int32)
    store.add_electrons(positions[:25], pixels[:25], 1, 4)
    store.add_electrons(positions[25:], pixels[25:], 1, 8)
    expected = np.zeros((POSITIONS, PIXELS))
    np.add.at(expected, (positions, pixels), 1)
    assert np.array_equal(store.values[:8], expected[:8])
    assert np.all(store.values[8:] == 7)
    store.add_electrons(positions, pixels, 0, POSITIONS)
    assert np.array_equal(store.values[:8], expected[:8])


def test_columns_are_transposed_without_their_mean_and_zero_where_nothing_is_known():
    rng = np.random.default_rng(2)
    store = PixelStore(POSITIONS, PIXELS, "newest")
    known = np.array([0, 1, 4, 9, 11])
    values = rng.poisson(20, (len(known), PIXELS)).astype(np.float32)
    store.add_frames(known, values, 0)
    columns, means = store.columns(np.array([3, 0]))
    assert np.allclose(means, values[:, [3, 0]].mean(axis=0))
    assert np.allclose(columns[:, known], (values[:, [3, 0]] - means).T)
    assert np.all(np.delete(columns, known, axis=1) == 0)
