"""Lines from TDC edges: the right number whatever is lost, sent twice or out of order."""

import pytest

from crewe.sources import Counters
from crewe.sources.timepix3.lines import LineTracker

DURATION, PERIOD = 1000, 1200
ROWS = 10


def edges(lines=30, together=False):
    """(line, time, count, begins) of a clean signal, beginnings and ends counted apart or not."""
    for line in range(lines):
        begin = 5000 + line * PERIOD * 100
        first, second = (2 * line + 1, 2 * line + 2) if together else (line + 1, line + 1)
        yield line, begin, first % 4096, True
        yield line, begin + DURATION * 100, second % 4096, False


def tracked(signal, chips=(0,), **options):
    counters = Counters()
    tracker = LineTracker(ROWS, counters, **options)
    for _, time, count, begins in signal:
        for chip in chips:
            tracker.add(time, chip, count, begins)
    return tracker, counters


def table(tracker):
    numbers = tracker.table.number.tolist()
    return dict(
        zip(
            numbers,
            zip(tracker.table.begin.tolist(), tracker.table.end.tolist(), strict=True),
            strict=True,
        )
    )


EXPECTED = {
    line: (5000 + line * PERIOD * 100, 5000 + line * PERIOD * 100 + DURATION * 100)
    for line in range(30)
}


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("chips", [(0,), (0, 1, 2, 3)])
def test_a_clean_signal_gives_its_lines(together, chips):
    tracker, counters = tracked(edges(together=together), chips)
    assert table(tracker) == EXPECTED
    assert not counters.faults
    assert tracker.open_from == EXPECTED[29][1]


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("lost", [5, 10, 28])
@pytest.mark.parametrize("which", ["begin", "end", "both", "two lines"])
def test_lost_edges_are_put_back_and_shift_no_line(together, lost, which):
    gone = {
        "begin": {(lost, True)},
        "end": {(lost, False)},
        "both": {(lost, True), (lost, False)},
        "two lines": {(lost - 1 + k, begins) for k in (0, 1) for begins in (True, False)},
    }[which]
    signal = [edge for edge in edges(together=together) if (edge[0], edge[3]) not in gone]
    tracker, counters = tracked(signal)
    assert table(tracker) == EXPECTED
    assert counters.faults


def test_an_end_and_the_next_beginning_lost_are_two_lines():
    signal = [edge for edge in edges() if (edge[0], edge[3]) not in {(7, False), (8, True)}]
    tracker, counters = tracked(signal)
    assert table(tracker) == EXPECTED
    assert counters.faults["the end of a line is missing"] == 1
    assert counters.faults["the beginning of a line is missing"] == 1


def test_trigger_counts_tell_of_lines_that_went_by_in_a_longer_pause():
    signal = [e for e in edges(200, together=True) if e[0] < 20 or e[0] >= 120]
    numbers = tracked(signal)[0].table.number
    assert numbers.tolist() == [*range(20), *range(120, 200)]


def test_a_count_without_a_meaning_shifts_nothing():
    signal = [(line, time, 0, begins) for line, time, _, begins in edges()]
    tracker, counters = tracked(signal)
    assert table(tracker) == EXPECTED
    assert not counters.faults


def test_a_count_that_jumps_further_than_time_allows_is_not_believed():
    signal = [
        (line, time, (count + 500 * (line >= 12)) % 4096, begins)
        for line, time, count, begins in edges()
    ]
    tracker, counters = tracked(signal)
    assert table(tracker) == EXPECTED
    assert counters.faults["trigger counts jump"] == 1


def test_counts_run_over():
    signal = [(line, t, (c + 4080) % 4096, b) for line, t, c, b in edges() if line not in (15, 16)]
    assert table(tracked(signal)[0]) == EXPECTED


def test_edges_sent_twice_or_late_by_another_chip_change_nothing():
    counters = Counters()
    tracker = LineTracker(ROWS, counters)
    signal = list(edges())
    for index, (_, time, count, begins) in enumerate(signal):
        tracker.add(time, 0, count, begins)
        if index == 9:
            tracker.add(time, 0, count, begins)
        if index >= 8:
            _, late, late_count, late_begins = signal[index - 8]
            tracker.add(late + 3, 1, late_count, late_begins)
    assert table(tracker) == EXPECTED
    assert counters.faults == {"a TDC edge was sent twice": 1}


def test_one_edge_far_ahead_is_not_believed():
    signal = list(edges())
    signal.insert(20, (0, 10**12, 77, True))
    tracker, counters = tracked(signal)
    assert table(tracker) == EXPECTED
    assert counters.faults["a TDC edge far from all others"] == 1


def test_a_pause_between_scans_is_none_of_its_faults_and_one_within_is():
    def paused_before(line_of_pause):
        pause = 10**11
        return [(n, t + pause * (n >= line_of_pause), c, b) for n, t, c, b in edges()]

    tracker, counters = tracked(paused_before(20))
    assert list(table(tracker)) == list(range(30))
    assert not counters.faults
    tracker, counters = tracked(paused_before(25))
    assert list(table(tracker)) == list(range(30))
    assert counters.faults["a pause within a scan"] == 1


def test_a_clock_that_stepped_back_begins_a_new_scan():
    signal = [(n, t + 10**9, c, b) for n, t, c, b in edges(15)] + list(edges())
    tracker, counters = tracked(signal)
    assert table(tracker) == {20 + line: times for line, times in EXPECTED.items()}
    assert counters.faults["the TDC clock stepped back"] == 1


def test_a_stream_that_begins_within_a_line_begins_with_the_next():
    tracker, counters = tracked(list(edges())[1:])
    assert table(tracker) == {line - 1: EXPECTED[line] for line in range(1, 30)}
    assert not counters.faults


def test_lines_may_become_longer():
    slower = 5000 + 30 * PERIOD * 100
    signal = list(edges())
    for line in range(5):
        begin = slower + 3 * line * PERIOD * 100
        signal += [(0, begin, 31 + line, True), (0, begin + 3 * DURATION * 100, 31 + line, False)]
    tracker, _ = tracked(signal)
    durations = tracker.table.end - tracker.table.begin
    assert durations[:30].tolist() == [DURATION * 100] * 30
    assert durations[-4:].tolist() == [3 * DURATION * 100] * 4


def test_lines_may_end_by_duration_or_with_the_next():
    begins = [edge for edge in edges() if edge[3]]
    tracker, _ = tracked(begins, line_end="dwell", duration=70_000)
    assert table(tracker) == {n: (begin, begin + 70_000) for n, (begin, _) in EXPECTED.items()}
    tracker, _ = tracked(begins, line_end="next")
    assert table(tracker) == {n: (EXPECTED[n][0], EXPECTED[n + 1][0]) for n in range(29)}


def test_an_open_line_ends_with_the_stream():
    tracker, _ = tracked(list(edges())[:-1])
    assert len(tracker.table) == 29
    tracker.finish()
    assert table(tracker) == EXPECTED
