import numpy as np
import pytest

from crewe.errors import PlanError
from crewe.sources import Counters, Scan
from crewe.sources.timepix3.dwell_clock import DwellClock
from crewe.sources.timepix3.store import EventStore


def clock(dwell_us=1.0, shape=(4, 5), **options):
    return DwellClock(Scan(shape, dwell_time_us=dwell_us, **options), Counters(), 1000)


@pytest.mark.parametrize("dwell_us", [1.0, 0.1, 0.7, 2.001, 12.3456])
def test_decimal_dwell_times_are_kept_exactly(dwell_us):
    even = clock(dwell_us).lines()[0]
    assert even.per_scan * 10**7 == round(dwell_us * 10**7) * 3840 * 20 * clock(dwell_us).scale


def test_a_third_of_a_microsecond_drifts_less_than_a_position_in_a_day():
    slow = clock(1 / 3)
    wrong = slow.lines()[0].per_scan / (20 * slow.scale) - 1280
    assert abs(wrong) * 86400e6 * 3 < 1280


def test_lines_begin_at_the_start_and_the_sync_offset():
    moved = clock(2.0, sync_offset=3, flyback_per_line=2)
    moved.start_at(777)
    even = moved.lines()[0]
    assert (even.origin, even.duration, even.per_line) == (777 + 3 * 7680, 5 * 7680, 7 * 7680)
    assert moved.scan_end(1) == even.origin + even.per_scan + 4 * even.per_line + 1000


def test_next_scan_is_that_of_the_first_electron_that_waits():
    following, store = clock(), EventStore()
    store.times[:20] = np.arange(20) + 3 * 20 * 3840
    store.count = 20
    assert following.next_scan(0, True, store) == 3
    store.count = 3
    assert following.next_scan(0, True, store) == 3  # no further than others before
    store.times[:3] *= 20
    assert following.next_scan(0, True, store) == 1  # so few far ahead are damage
    assert store.count == 0


def test_without_a_dwell_time_there_is_no_clock():
    with pytest.raises(PlanError, match="dwell"):
        clock(None)
