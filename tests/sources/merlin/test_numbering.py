import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.sources import Counters, Scan
from crewe.sources.merlin.numbering import FrameNumbers

SCAN = Scan((3, 4), flyback_per_line=1, flyback_per_scan=2)


def numbering(scan=SCAN, wanted=None, announced=0):
    numbers = FrameNumbers(scan, Counters(), wanted=wanted)
    if announced:
        list(numbers.begin(announced))
    return numbers


def placed(numbers, *runs):
    """Frame number -> (scan, position), and what each scan was said to be finished to."""
    result, finished = {}, {}
    for run in runs:
        run = np.asarray(run)
        for part in numbers.place(run):
            for row, position in zip(part.rows, part.positions, strict=True):
                assert position >= finished.get(part.scan, 0)
                result[int(run[row])] = part.scan, int(position)
            finished[part.scan] = part.finished
    return result, finished


def expected(scan, frames):
    scans, positions = scan.place(np.asarray(frames) - 1)
    everything = zip(frames, scans.tolist(), positions.tolist(), strict=True)
    return {number: (at, position) for number, at, position in everything if position >= 0}


@given(st.sets(st.integers(1, 60), min_size=1), st.lists(st.integers(0, 60), max_size=5))
def test_position_follows_the_number_whatever_is_lost(frames, cuts):
    numbers, frames = numbering(announced=100), sorted(frames)
    runs = np.split(np.array(frames), np.searchsorted(frames, sorted(cuts)))
    assert placed(numbers, *runs)[0] == expected(SCAN, frames)
    counters = numbers.counters
    assert counters.dropped == frames[-1] - len(frames)
    assert counters.received == len(frames) == counters.used + counters.flyback


def test_late_and_repeated_frames_are_left_out_and_counted():
    numbers = numbering(announced=100)
    found, _ = placed(numbers, [1, 2, 2, 4, 3, 5], [5, 6])
    assert found == expected(SCAN, [1, 2, 4, 5, 6])
    counters = numbers.counters
    assert (counters.late, counters.dropped, counters.received) == (3, 1, 8)


def test_numbers_that_start_again_continue_with_the_next_scan():
    numbers = numbering()
    found, finished = placed(numbers, [1, 2, 3, 1, 2])
    assert found == {1: (1, 0), 2: (1, 1), 3: (0, 2)}
    assert finished == {0: SCAN.size, 1: 2}
    assert next(iter(numbers.begin())).scan == 1
    assert placed(numbers, [1])[0] == {1: (2, 0)}


def test_an_acquisition_of_several_scans_is_followed_by_the_next():
    numbers = numbering(announced=2 * SCAN.frames_per_scan)
    placed(numbers, np.arange(1, 2 * SCAN.frames_per_scan + 1))
    list(numbers.begin(3))
    assert placed(numbers, [1])[0] == {1: (2, 0)}


def test_a_lost_end_of_a_scan_is_told():
    numbers = numbering(announced=100)
    _, finished = placed(numbers, [1, 2], [SCAN.frames_per_scan + 1])
    assert finished == {0: SCAN.size, 1: 1}


def test_frames_that_ended_before_the_connection_are_not_dropped():
    numbers = numbering()
    placed(numbers, [5, 6, 8])
    assert numbers.counters.dropped == 1


def test_unreadable_frames_are_not_dropped_as_well():
    numbers = numbering(announced=100)
    numbers.unreadable()
    placed(numbers, [2, 5])
    assert (numbers.counters.dropped, numbers.counters.unreadable) == (2, 1)


def test_numbers_over_a_new_connection_go_on_or_start_again():
    numbers = numbering()
    placed(numbers, [1, 2, 3, 4])
    numbers.reconnected()
    assert placed(numbers, [6])[0] == {6: (0, 4)}
    numbers.reconnected()
    assert placed(numbers, [3])[0] == {3: (1, 2)}


def test_stale_frames_are_not_used_before_the_announcement():
    numbers = numbering()
    numbers.await_announcement()
    assert placed(numbers, [7, 8]) == ({}, {})
    assert numbers.counters.late == 2
    list(numbers.begin(20))
    assert placed(numbers, [1])[0] == {1: (0, 0)}


@pytest.mark.parametrize("wanted", [1, 2])
def test_it_is_done_with_the_last_position_of_the_scans_wanted(wanted):
    numbers = numbering(wanted=wanted, announced=1000)
    last = (wanted - 1) * SCAN.frames_per_scan + 3 * 5 - 1
    placed(numbers, np.arange(1, last))
    assert not numbers.done
    found, _ = placed(numbers, np.arange(last, last + 30))
    assert numbers.done
    assert found == {last: (wanted - 1, SCAN.size - 1)}
    assert numbers.counters.received == last


def test_an_interrupted_scan_is_none_of_those_wanted():
    numbers = numbering(wanted=1, announced=17)
    placed(numbers, np.arange(1, 10))
    list(numbers.begin(17))
    placed(numbers, np.arange(1, 14))
    assert not numbers.done
    found, _ = placed(numbers, [15])
    assert numbers.done
    assert (found, numbers.counters.dropped) == ({}, 1)


def test_a_scan_joined_in_its_middle_is_none_of_those_wanted():
    numbers = numbering(wanted=1)
    placed(numbers, np.arange(5, 5 + SCAN.frames_per_scan))
    assert not numbers.done
    placed(numbers, [2 * SCAN.frames_per_scan])
    assert numbers.done


def test_without_a_wish_the_announced_frames_are_all():
    numbers = numbering(announced=6)
    found, _ = placed(numbers, np.arange(1, 20))
    assert numbers.done
    assert sorted(found) == [1, 2, 3, 4, 6]
