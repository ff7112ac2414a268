import time

import numpy as np

from crewe.sources import Counters, Scan
from crewe.sources.timepix3 import gate as gates
from crewe.sources.timepix3.dwell_clock import DwellClock
from crewe.sources.timepix3.gate import CONFIRMING, Gate
from crewe.sources.timepix3.line_clock import LineClock
from crewe.sources.timepix3.lines import LineTracker
from crewe.sources.timepix3.store import EventStore

TICK = 3840


def put(store, times):
    store.make_room(len(times))
    store.times[store.count : store.count + len(times)] = times
    store.pixels[store.count : store.count + len(times)] = np.arange(len(times))
    store.count += len(times)


def gated(**options):
    counters, scan = Counters(), Scan((2, 5), dwell_time_us=1.0)
    return Gate(DwellClock(scan, counters, 100), scan, (16, 16), counters, **options), counters


def test_a_scan_waits_for_its_stragglers_and_the_next_for_its_end():
    gate, counters = gated()
    store = EventStore()
    put(store, np.arange(10) * TICK)
    put(store, [10 * TICK] * (CONFIRMING + 5))  # not beyond the disorder
    (first,) = gate.events(store)
    assert (first.scan, first.finished) == (0, 9)
    put(store, [5 * TICK])
    (straggler,) = gate.events(store)
    assert (straggler.scan, straggler.positions.tolist()) == (0, [5])
    put(store, [11 * TICK] * (CONFIRMING - 1))
    assert not list(gate.events(store))
    put(store, [11 * TICK])
    last, following = gate.events(store)
    assert (last.scan, last.finished, len(last.positions)) == (0, 10, 0)
    assert (following.scan, len(following.positions)) == (1, 2 * CONFIRMING + 5)
    put(store, [5 * TICK])
    assert not list(gate.events(store))
    assert counters.late == 1
    assert gate.next_scan == 2


def test_electrons_that_no_line_ever_takes_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(gates, "MOST_WAITING", 1000)
    counters, scan = Counters(), Scan((2, 5))
    gate = Gate(LineClock(LineTracker(2, counters), scan, 0), scan, (16, 16), counters)
    store = EventStore()
    for first in range(0, 20_000, 100):
        put(store, np.arange(first, first + 100))
        assert not list(gate.events(store))
        assert store.count <= 1000
    assert counters.late == 20_000 - store.count
    assert any("without a line" in kind for kind in counters.faults)
    assert not list(gate.events(store, ended=True))
    assert counters.late + counters.flyback == 20_000


def test_an_acceptance_time_without_end_accepts_all():
    gate, counters = gated(acceptance_us=float("inf"))
    store = EventStore()
    put(store, np.arange(10 * TICK))
    (batch,) = gate.events(store, ended=True)
    assert (np.bincount(batch.positions) == TICK).all()
    assert counters.used == 10 * TICK


def test_sparse_electrons_cost_little_per_scan():
    gate, counters = gated()
    store = EventStore()
    scans = np.arange(40_000) * 7
    put(store, scans * 10 * TICK + 5)
    begin = time.process_time()
    batches = list(gate.events(store, ended=True))
    assert time.process_time() - begin < 5  # looking at all that wait once per scan takes minutes
    assert [batch.scan for batch in batches] == scans.tolist()
    assert counters.used == 40_000


def test_late_electrons_do_not_hold_up_those_far_ahead():
    gate, counters = gated()
    store = EventStore()
    put(store, [TICK, *[TICK << 36] * 40, 2 * TICK, *[TICK << 36] * 40])
    batches = list(gate.events(store, ended=True))
    assert [len(batch.positions) for batch in batches if len(batch.positions)] == [1, 80]
    assert (counters.used, counters.late) == (81, 1)
