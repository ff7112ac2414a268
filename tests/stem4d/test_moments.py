import numpy as np
import pytest
from batches import as_events, as_frames, counts, shuffled, stored_upside_down

from crewe.sources import Events, Frames
from crewe.stem4d.moments import Moments


def taken(batches, scan_shape=(5, 7), detector_shape=(8, 10), repeats="newest"):
    moments = Moments(scan_shape, detector_shape, repeats)
    for batch in batches:
        moments.add(moments.measure(batch))
    return moments


def naive(patterns):
    """Counts and first moments, pixel by pixel."""
    rows, columns, height, width = patterns.shape
    total, first = np.zeros((rows, columns)), np.zeros((2, rows, columns))
    for row in range(rows):
        for column in range(columns):
            for ky in range(height):
                for kx in range(width):
                    count = float(patterns[row, column, ky, kx])
                    total[row, column] += count
                    first[:, row, column] += count * np.array([ky, kx])
    return total, first


@pytest.mark.parametrize(
    "arranged",
    [
        as_frames,
        as_events,
        stored_upside_down,
        lambda data: shuffled(as_frames(data)),
        lambda data: shuffled(as_events(data)),
        lambda data: as_frames(data.astype(">u2")),
        lambda data: as_frames(data.astype(np.uint8)),
        lambda data: as_frames(data.astype(np.float32)),
        lambda data: as_events(data, size=1),
    ],
)
def test_every_way_the_data_come_gives_the_same_bits(arranged):
    data = counts()
    total, first = naive(data)
    moments = taken(arranged(data))
    np.testing.assert_array_equal(moments.counts, total)
    np.testing.assert_array_equal(moments.first, first)
    assert moments.measured.all()


def test_the_largest_counts_do_not_overflow():
    data = np.full((1, 2, 256, 256), 65535, np.uint16)
    total, _ = taken(as_frames(data), (1, 2), (256, 256)), None
    assert (total.counts == 65535 * 65536).all()
    assert (total.first == 65535 * 65536 * 127.5).all()


def test_wide_counts_do_not_overflow():
    data = np.full((1, 1, 64, 64), 2**32 - 1, np.uint32)
    assert taken(as_frames(data), (1, 1), (64, 64)).counts[0, 0] == (2**32 - 1) * 4096


def test_positions_without_electrons_are_measured_once_they_were_passed():
    nothing = np.zeros(0, np.int64)
    events = Events(np.array([3]), np.array([12], np.uint32), (8, 10), 0, finished=6)
    moments = taken([events])
    assert moments.measured.ravel().tolist() == [True] * 6 + [False] * 29
    assert moments.counts.sum() == 1
    later = Events(nothing, nothing.astype(np.uint32), (8, 10), 0, finished=9)
    moments.add(moments.measure(later))
    assert moments.measured.sum() == 9


@pytest.mark.parametrize("arranged", [as_frames, as_events])
def test_a_newer_scan_replaces_and_an_overtaken_one_is_left_out(arranged):
    old, new = counts(seed=1), counts(seed=2)
    batches = [*arranged(old, scan=0), *arranged(new, scan=1)]
    total, first = naive(new)
    for order in (batches, shuffled(batches)):
        moments = taken(order)
        np.testing.assert_array_equal(moments.counts, total)
        np.testing.assert_array_equal(moments.first, first)


@pytest.mark.parametrize("arranged", [as_frames, as_events])
def test_scans_can_be_summed(arranged):
    old, new = counts(seed=1), counts(seed=2)
    batches = shuffled([*arranged(old, scan=0), *arranged(new, scan=1)])
    total, first = naive(old.astype(int) + new)
    moments = taken(batches, repeats="sum")
    np.testing.assert_array_equal(moments.counts, total)
    np.testing.assert_array_equal(moments.first, first)


def test_strided_views_and_single_frames_are_read_right():
    wide = counts(detector_shape=(8, 20))
    data = wide[..., ::2]
    total, first = naive(data)
    flat = data.reshape(35, 8, 10)
    batches = [Frames(np.arange(34, -1, -1), flat[::-1])]
    moments = taken(batches)
    np.testing.assert_array_equal(moments.counts, total)
    np.testing.assert_array_equal(moments.first, first)
    with_header = np.zeros((35, 100), ">u2")
    with_header[:, 20:] = flat.reshape(35, -1)
    view = np.ndarray((35, 8, 10), ">u2", with_header, 40, (200, 20, 2))
    np.testing.assert_array_equal(taken([Frames(np.arange(35), view)]).first, first)


def test_rows_that_changed_are_known():
    moments = taken(as_frames(counts())[:2])
    assert moments.rows_changed_since(0).tolist() == [True, True, False, False, False]
    before = moments.version
    moments.add(moments.measure(Frames(np.array([30]), np.ones((1, 8, 10)))))
    assert moments.rows_changed_since(before).tolist() == [False] * 4 + [True]
