"""Frames out of order, twice or missing: each comes to the place that its number says."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crewe.sources import Scan
from crewe.sources.merlin.file import MerlinFile

SIZE = (6, 8)
SCANS = [Scan((5, 8)), Scan((4, 8), flyback_per_line=2), Scan((6, 6), sync_offset=4)]
SWAPPED = [1, 2, 3, 5, 4, *range(6, 40), 41, 40]
TWICE = [1, 2, 3, 4, 5, 6, 7, 6, *range(8, 41)]


def expected_of(patterns, numbers, scan):
    """The first pattern of each number, at the place that the number says."""
    result = np.full((1, scan.size, *SIZE), -1.0)
    _, positions = scan.place(np.array(numbers) - 1)
    for pattern, position in reversed(list(zip(patterns, positions, strict=True))):
        if position >= 0:
            result[0, position] = pattern
    return result


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("frames_per_part", [1, 3, None])
@pytest.mark.parametrize(
    ("numbers", "late", "dropped"),
    [
        ([*SWAPPED[:-2], 40], 0, 0),
        ([*range(1, 39), 40, 39], 0, 0),
        ([2, 1, *range(3, 41)], 0, 0),
        (TWICE, 1, 0),
        ([*TWICE[:20], *TWICE[21:]], 1, 1),
        ([*range(1, 12), 11, *range(13, 41)], 1, 1),
        ([*range(1, 10), *range(30, 35), *range(10, 30), *range(35, 41)], 0, 0),
        ([1, 3, 2, *range(6, 41)], 0, 2),
    ],
)
def test_frames_come_where_their_numbers_say(
    written, gathered, balanced, scan, frames_per_part, numbers, late, dropped
):
    path, patterns = written(len(numbers), numbers=numbers)
    expected = expected_of(patterns, numbers, scan)
    with MerlinFile(path, scan, frames_per_part=frames_per_part) as source:
        assert np.array_equal(gathered(source.batches(), scan), expected)
        assert balanced(source.counters)
        counters = source.counters
        assert (counters.received, counters.late) == (len(numbers), late)
        assert (counters.dropped, counters.unreadable) == (dropped, 0)
        assert counters.used == (expected >= 0).all((2, 3)).sum()
        assert ("frames late or twice" in counters.faults) == (late > 0)
        assert "frame numbers start again" not in counters.faults
    with MerlinFile(path, scan, frames_per_part=frames_per_part) as source:
        shuffled = np.random.default_rng(1).permutation(list(source.parts()))
        assert np.array_equal(gathered((part() for part in shuffled), scan), expected)
        assert source.counters.dropped == dropped


def test_batches_of_mixed_frames_promise_what_is_finished(written):
    numbers = [*range(1, 10), *range(30, 35), *range(10, 30), *range(35, 41)]
    path, _ = written(40, numbers=numbers)
    seen = np.zeros(40, bool)
    with MerlinFile(path, Scan((5, 8)), frames_per_part=4) as source:
        for batch in source.batches():
            assert not seen[batch.positions].any()
            seen[batch.positions] = True
            assert seen[: batch.finished].all()
            assert not seen[batch.finished :].any()
    assert seen.all()


def test_a_damaged_number_takes_no_other_frame_with_it(written, gathered, balanced):
    path, patterns = written(40, numbers=[*range(1, 11), 31, *range(12, 41)])
    with MerlinFile(path, Scan((5, 8)), frames_per_part=6) as source:
        got = gathered(source.batches(), source.scan)[0].reshape(40, *SIZE)
        there = np.arange(40) != 10
        assert np.array_equal(got[there], patterns[there])
        assert (got[10] == -1).all()
        assert balanced(source.counters)
        assert (source.counters.late, source.counters.dropped) == (1, 1)


def test_a_mixed_file_that_becomes_shorter(written, gathered):
    numbers = [1, 3, 2, *range(4, 13)]
    path, patterns = written(12, numbers=numbers)
    content = path.read_bytes()
    with MerlinFile(path, Scan((3, 4)), frames_per_part=4) as source:
        batches = source.batches()
        first = next(batches)
        path.write_bytes(content[: 6 * 480 + 100])
        got = gathered([first, *batches], source.scan)[0].reshape(12, *SIZE)
        assert np.array_equal(got[[0, 2, 1, 3, 4, 5]], patterns[:6])
        assert (got[6:] == -1).all()
        assert source.counters.faults["the file became shorter while it was read"] == 6


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.integers(0, 14), min_size=1, max_size=14), st.integers(1, 5))
def test_any_numbers_are_read_and_counted(written, balanced, numbers, frames_per_part):
    path, _ = written(len(numbers), numbers=numbers)
    with MerlinFile(path, Scan((3, 4)), frames_per_part=frames_per_part) as source:
        seen = set()
        for batch in source.batches():
            places = {(batch.scan, int(position)) for position in batch.positions}
            assert len(places) == len(batch.positions)
            assert not places & seen
            seen |= places
        assert balanced(source.counters)
        assert source.counters.received == len(numbers)
