"""Columns are exact floors, whatever the line, and each electron is one thing."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.sources.timepix3.place import (
    AFTER_ALL,
    FLYBACK,
    KEEP,
    LATE,
    ON_LINE,
    Lines,
    Scanned,
    place,
)

NONE = np.empty(0, np.int64)


def listed(lines, forgotten=False, open_from=None):
    begin, end, number = (np.array(column, np.int64) for column in zip(*lines, strict=True))
    return Lines(
        begin, end, number, forgotten, int(end[-1]) if open_from is None else open_from, 0, 0, 0, 0
    )


def placed(
    times,
    lines,
    shape=(2, 4),
    scan=0,
    accepted=-1,
    scale=1,
    confirms_from=AFTER_ALL,
    enough=1 << 30,
):
    times = np.array(times, np.int64)
    pixels = np.arange(len(times), dtype=np.uint32)
    positions, out, tally = np.empty(len(times), np.int64), pixels.copy(), np.zeros(4, np.int64)
    scanned = Scanned(scan, *shape, accepted, scale, confirms_from)
    n, kept, confirming, seen = place(
        times, pixels, 0, len(times), lines, scanned, positions, out, tally, 0, enough
    )
    assert seen == len(times) or confirming == enough
    return positions[:n].tolist(), out[:n].tolist(), pixels[:kept].tolist(), tally, confirming


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_column_is_the_exact_floor(data):
    duration = data.draw(st.integers(1, 1 << data.draw(st.integers(1, 49))))
    columns = data.draw(st.integers(1, 8192))
    begin = data.draw(st.integers(0, 1 << 60))
    column = data.draw(st.lists(st.integers(0, columns), min_size=1, max_size=40))
    edges = [-(-duration * c // columns) for c in column]
    near = [e + d for e in edges for d in (-1, 0, 1) if 0 <= e + d < duration] or [0]
    near = near * (130 // len(near) + 1)
    lines = listed([(begin, begin + duration, 0)])
    got = placed([begin + since for since in near], lines, (1, columns))[0]
    assert got == [int(Fraction(since * columns, duration)) for since in near]


@pytest.mark.parametrize("number", [3, 64, 1000])
def test_each_electron_is_on_a_line_in_flyback_late_or_kept(number):
    lines = listed([(100, 200, 3), (250, 350, 4), (400, 500, 5), (550, 660, 6)], True)
    rng = np.random.default_rng(number)
    times = rng.integers(0, 800, number)
    positions, pixels, kept, tally, _ = placed(times, lines, (2, 4), scan=2)

    def what(t):
        if t < 100:
            return LATE
        for begin, end, row in ((100, 200, -1), (250, 350, 0), (400, 500, 1), (550, 660, 2)):
            if begin <= t < end:
                if not 0 <= row < 2:
                    return LATE if row < 0 else KEEP
                return ON_LINE, row * 4 + int((t - begin) * 4 // (end - begin))
        return FLYBACK if t < 660 else KEEP

    expected = [what(t) for t in times]
    on_line = [(i, e[1]) for i, e in enumerate(expected) if isinstance(e, tuple)]
    assert pixels == [i for i, _ in on_line]
    assert positions == [position for _, position in on_line]
    assert kept == [i for i, e in enumerate(expected) if e == KEEP]
    assert tally.tolist() == [
        len(on_line),
        expected.count(FLYBACK),
        expected.count(LATE),
        0,
    ]


def test_even_lines_are_where_the_dwell_time_says():
    # 3 columns of 10, flyback of 5 a line and 7 a scan, from 100 on
    lines = Lines(NONE, NONE, NONE, False, 0, 100, 30, 35, 77)
    times = np.arange(90, 100 + 2 * 77)
    positions, pixels, kept, tally, _ = placed(times, lines, (2, 3))
    expected = {}
    for row in range(2):
        for column in range(3):
            for since in range(10):
                expected[100 + 35 * row + 10 * column + since - 90] = 3 * row + column
    assert dict(zip(pixels, positions, strict=True)) == expected
    assert len(kept) == 60
    assert tally[FLYBACK] == len(times) - 120


def test_acceptance_leaves_out_what_comes_late_in_a_position():
    # 4 columns of 102/4 ticks: exactly those less than 10 ticks after their start
    lines = listed([(1000, 1102, 0)])
    times = np.arange(1000, 1102)
    positions, pixels, _, tally, _ = placed(times, lines, (1, 4), accepted=10)
    expected = [
        since
        for since in range(102)
        if Fraction(since) - Fraction(102, 4) * (since * 4 // 102) < 10
    ]
    assert pixels == expected
    assert positions == [since * 4 // 102 for since in expected]
    assert tally[FLYBACK] == 102 - len(expected)


def test_electrons_behind_a_scan_confirm_its_end():
    lines = listed([(100, 200, 0), (250, 350, 1)])
    assert placed([120, 355, 380, 400, 900], lines, (2, 4), confirms_from=380)[4] == 3


def test_the_rest_is_left_once_enough_in_a_row_say_that_the_scan_is_over():
    even = Lines(NONE, NONE, NONE, False, 0, 0, 100, 100, 200)
    times = [10, *[250] * 3, 20, 150, *[260, 390] * 4, 30, 270]
    positions, pixels, kept, _, confirming = placed(times, even, confirms_from=240, enough=5)
    assert (positions, pixels) == ([0, 0, 6], [0, 4, 5])  # what came between starts the count anew
    assert confirming == 5
    assert kept == [1, 2, 3, 6, 7, 8, 9, 10]
