import pytest

from crewe.sources import Counters
from crewe.sources.timepix3.trigger_counts import TriggerCounts


@pytest.mark.parametrize(
    ("signal", "lines"),
    [
        # beginnings (b) and ends (e) counted apart
        ("b1 e1 b2 e2 b3 e3 b6", [1, 1, 1, 3]),
        # both in one count
        ("b1 e2 b3 e4 b5 e6 b11", [1, 1, 1, 3]),
        # only beginnings come, both are counted
        ("b1 b3 b5 b7 b11", [1, 1, 1, 1, 2]),
        ("b4095 e0 b1 e2 b3 b7", [1, 1, 1, 2]),
        ("b0 e0 b0 e0 b0", [1, 1, 1]),
    ],
)
def test_lines_are_counted_however_edges_are(signal, lines):
    counts = TriggerCounts(Counters())
    got = []
    for edge in signal.split():
        if edge[0] == "b":
            got.append(counts.begin(int(edge[1:])))
        else:
            counts.end(int(edge[1:]))
    assert got == lines


def test_a_count_that_stands_still_is_a_fault():
    counters = Counters()
    counts = TriggerCounts(counters)
    assert [counts.begin(count) for count in (1, 2, 2)] == [1, 1, 1]
    assert counters.faults["trigger counts jump"] == 1
