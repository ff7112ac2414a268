from crewe.sources import Counters, Scan
from crewe.sources.timepix3.line_clock import LineClock
from crewe.sources.timepix3.lines import LineTracker
from crewe.sources.timepix3.store import EventStore


def test_a_scan_ends_with_its_last_line_and_is_forgotten_when_the_next_begins():
    tracker = LineTracker(3, Counters())
    clock = LineClock(tracker, Scan((3, 4)), 50)
    for line in range(5):
        assert clock.finished(0, -1) == min(line, 3) * 4
        assert clock.scan_end(0) == (None if line < 3 else 100_000 + 2 * 20_000 + 10_000 + 50)
        assert clock.passed(155_000, False) == (line > 3)
        tracker.add(100_000 + 20_000 * line, 0, line, True)
        assert clock.lines()[0].open_from == 100_000 + 20_000 * line
        clock.lines()
        assert clock.lines()[1] is False
        tracker.add(110_000 + 20_000 * line, 0, line, False)
        assert clock.lines()[1] is True
    assert clock.next_scan(0, False, EventStore()) == 1
    assert tracker.table.number.tolist() == [3, 4]
    assert clock.lines()[0].forgotten
    assert clock.finished(1, -1) == 8
    assert clock.next_scan(1, False, EventStore()) is None
    assert clock.passed(10**9, True)
