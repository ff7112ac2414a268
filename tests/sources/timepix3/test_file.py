"""Whole .tpx3 files: every electron on its probe position, whatever the pieces."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.errors import CreweError, PlanError, ReadError
from crewe.sources import Scan, Source
from crewe.sources.timepix3 import Timepix3File
from crewe.testing.timepix3_encoding import encode_tpx3, write_tpx3
from crewe.testing.timepix3_phantom import Timepix3Phantom

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "4dstem"
ROLL = 6 << 34


def gathered(source):
    """Sorted (scan, position, pixel) of all electrons, and how far each scan was finished."""
    electrons, finished = [], {}
    with source:
        for batch in source.batches():
            scan = np.full(len(batch.positions), batch.scan)
            electrons.append(np.stack([scan, batch.positions, batch.pixels.astype(np.int64)], 1))
            assert batch.finished >= finished.get(batch.scan, 0)
            assert max(finished, default=0) <= batch.scan
            finished[batch.scan] = batch.finished
    both = np.concatenate([np.empty((0, 3), np.int64), *electrons])
    return both[np.lexsort(both.T[::-1])].tolist(), finished


def truth(phantom, scans, start):
    """What `gathered` must give, by exact division."""
    columns = phantom.scan_shape[1]
    expected, outside = [], 0
    for scan in range(scans):
        times, pixels = phantom.electrons_of(scan, start)
        row, within = np.divmod(times - start - scan * phantom.scan_ticks, phantom.period_ticks)
        on = within < phantom.line_ticks
        position = row * columns + within * columns // phantom.line_ticks
        expected += [
            (scan, int(p), int(pixel)) for p, pixel in zip(position[on], pixels[on], strict=True)
        ]
        outside += int((~on).sum())
    return [list(e) for e in sorted(expected)], outside


def written(path, phantom, scans=3, start=3840, **options):
    parts = [phantom.electrons_of(scan, start) for scan in range(scans)]
    edges = [phantom.edges(scan, start) for scan in range(scans)]
    times, pixels = (np.concatenate(column) for column in zip(*parts, strict=True))
    signal = tuple(np.concatenate(column) for column in zip(*edges, strict=True))
    write_tpx3(path, encode_tpx3(times, pixels, signal, chips=phantom.chips, **options))
    return path


@pytest.mark.parametrize("chips", [1, 4])
@pytest.mark.parametrize("start", [3840, ROLL - 3_000_000, 4 * ROLL - 3_000_000])
@pytest.mark.parametrize("edges_on", [None, (0,)])
def test_every_electron_is_placed_and_flyback_is_left_out(tmp_path, chips, start, edges_on):
    phantom = Timepix3Phantom(scan_shape=(11, 13), chips=chips, electrons=5)
    path = written(tmp_path / "a.tpx3", phantom, 3, start, edges_on=edges_on, chunk_words=50)
    source = Timepix3File(path, Scan((11, 13)))
    expected, outside = truth(phantom, 3, start)
    assert isinstance(source, Source)
    assert source.detector_shape == ((256, 256) if chips == 1 else (512, 512))
    assert gathered(source) == (expected, {0: 143, 1: 143, 2: 143})
    counters = source.counters
    assert (counters.used, counters.flyback, counters.late) == (len(expected), outside, 0)
    assert counters.received == counters.used + counters.flyback
    assert not counters.faults


@pytest.mark.parametrize("piece_bytes", [64, 100, 1000, 4096, 50_000])
def test_pieces_of_any_size_give_the_same(tmp_path, piece_bytes):
    phantom = Timepix3Phantom(scan_shape=(7, 9), electrons=20)
    path = written(tmp_path / "a.tpx3", phantom)
    source = Timepix3File(path, Scan((7, 9)), piece_bytes=piece_bytes)
    assert gathered(source)[0] == truth(phantom, 3, 3840)[0]


def test_lines_that_jitter_are_divided_each_by_its_own_interval(tmp_path):
    rng = np.random.default_rng(2)
    begin = 10_000 + np.arange(40) * 60_000 + rng.integers(0, 5000, 40)
    end = begin + 48_000 + rng.integers(0, 3000, 40)
    line, column = np.arange(40).repeat(32), np.tile(np.arange(32), 40)
    # one electron at the start of each position and one just before its end
    first = begin[line] + -(-(end - begin)[line] * column // 32)
    last = begin[line] + -(-(end - begin)[line] * (column + 1) // 32) - 1
    times = np.concatenate([-(-first // 6) * 6, last // 6 * 6])
    pixels = np.concatenate([line * 32 + column] * 2).astype(np.uint32)
    order = np.argsort(times)
    edges = np.stack([begin, end], 1).ravel(), np.tile([0xF, 0xA], 40), np.arange(80) // 2
    words = encode_tpx3(times[order], pixels[order], edges)
    write_tpx3(tmp_path / "a.tpx3", words)
    got, finished = gathered(Timepix3File(tmp_path / "a.tpx3", Scan((20, 32))))
    assert finished == {0: 640, 1: 640}
    assert len(got) == len(times)
    assert all(scan * 640 + position == pixel for scan, position, pixel in got)


def test_electrons_out_of_order_still_find_their_line(tmp_path):
    phantom = Timepix3Phantom(scan_shape=(30, 20), chips=4, electrons=10)
    times, pixels = phantom.electrons_of(0)
    # Sent up to 3 lines late, each on its chip.
    sent = times + np.random.default_rng(0).integers(0, 3 * phantom.period_ticks, len(times))
    order = np.argsort(sent)
    words = encode_tpx3(times[order], pixels[order], chips=4, chunk_words=64)
    edge_words = encode_tpx3(times[:0], pixels[:0], phantom.edges(), chips=4, chunk_words=4)
    write_tpx3(tmp_path / "a.tpx3", np.concatenate([edge_words, words]))
    assert (
        gathered(Timepix3File(tmp_path / "a.tpx3", Scan((30, 20))))[0]
        == (truth(phantom, 1, 3840)[0])
    )


def test_acceptance_time_reduces_the_dose_and_keeps_the_earliest(tmp_path):
    phantom = Timepix3Phantom(scan_shape=(16, 16), chips=1, electrons=50, dwell_time_us=6.0)
    path = written(tmp_path / "a.tpx3", phantom, 1)
    got = gathered(Timepix3File(path, Scan((16, 16)), acceptance_us=2.0))[0]
    times, pixels = phantom.electrons_of(0)
    row, within = np.divmod(times - 3840, phantom.period_ticks)
    column, since = np.divmod(within, 6 * 3840)
    early = (within < phantom.line_ticks) & (since < 2 * 3840)
    expected = zip(row[early] * 16 + column[early], pixels[early], strict=True)
    assert got == sorted([0, int(position), int(pixel)] for position, pixel in expected)
    assert len(got) / len(times) == pytest.approx(1 / 3 / 1.1, rel=0.05)


def test_the_other_channel_and_the_inverse_signal(tmp_path):
    phantom = Timepix3Phantom(scan_shape=(9, 8), chips=1, electrons=9)
    times, kinds, counts = phantom.edges()
    turned = np.where(kinds == 0xF, 0xB, 0xE)
    words = encode_tpx3(*phantom.electrons_of(), (times, turned, counts))
    write_tpx3(tmp_path / "a.tpx3", words)
    source = Timepix3File(tmp_path / "a.tpx3", Scan((9, 8)), channel=2, inverted=True)
    assert gathered(source)[0] == truth(phantom, 1, 3840)[0]
    with pytest.raises(ReadError, match="TDC 1"):
        gathered(Timepix3File(tmp_path / "a.tpx3", Scan((9, 8))))


def test_lines_without_ends_last_their_dwell_time(tmp_path):
    phantom = Timepix3Phantom(scan_shape=(9, 8), chips=1, electrons=9)
    times, kinds, counts = (column[::2] for column in phantom.edges())
    words = encode_tpx3(*phantom.electrons_of(), (times, kinds, counts))
    write_tpx3(tmp_path / "a.tpx3", words)
    scan = Scan((9, 8), dwell_time_us=1.0)
    got = gathered(Timepix3File(tmp_path / "a.tpx3", scan, line_end="dwell"))
    assert got == (truth(phantom, 1, 3840)[0], {0: 72})
    with pytest.raises(PlanError, match="dwell"):
        Timepix3File(tmp_path / "a.tpx3", Scan((9, 8)), line_end="dwell")


def test_without_a_signal_the_dwell_time_places_electrons_from_the_first_on(tmp_path):
    phantom = Timepix3Phantom(scan_shape=(9, 10), chips=4, electrons=20, flyback=0.2)
    times, pixels = phantom.electrons_of()
    write_tpx3(tmp_path / "a.tpx3", encode_tpx3(times, pixels, chips=4, chunk_words=40))
    scan = Scan((9, 10), flyback_per_line=2, dwell_time_us=1.0)
    source = Timepix3File(tmp_path / "a.tpx3", scan, place_by="dwell")
    got, finished = gathered(source)
    first = Timepix3File(tmp_path / "a.tpx3", scan, place_by="dwell")._reader
    end = first.read() // 8 * 8
    word = int(first.buffer[:end].view("<u8")[1])
    first.close()
    start = ((word & 0xFFFF) << 14 | (word >> 30) & 0x3FFF) * 96 - 6 * ((word >> 16) & 0xF)
    scans, positions = scan.place((times - start) // 3840)
    keep = (scans == 0) & (positions >= 0)
    expected = zip(positions[keep].tolist(), pixels[keep].tolist(), strict=True)
    assert [e[1:] for e in got] == sorted(list(e) for e in expected)
    assert finished == {0: 90}


def test_so_many_scans_are_taken_and_no_more(tmp_path):
    phantom = Timepix3Phantom(scan_shape=(7, 9), electrons=5)
    path = written(tmp_path / "a.tpx3", phantom, 5)
    got, finished = gathered(Timepix3File(path, Scan((7, 9)), scans=2, piece_bytes=64))
    assert finished == {0: 63, 1: 63}
    assert got == truth(phantom, 2, 3840)[0]


def test_a_file_cut_short_gives_the_lines_it_holds(tmp_path):
    phantom = Timepix3Phantom(scan_shape=(20, 16), chips=1, electrons=10)
    path = written(tmp_path / "a.tpx3", phantom, 1, chunk_words=20)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2 + 3])
    source = Timepix3File(path, Scan((20, 16)))
    got, finished = gathered(source)
    expected = truth(phantom, 1, 3840)[0]
    last = got[-1][1]
    assert [e for e in got if e[1] < last] == [e for e in expected if e[1] < last]
    assert 140 < finished[0] < 180
    assert finished[0] % 16 == 0
    assert last >= finished[0]
    assert source.counters.faults["the data end within a word"] == 1


def test_closing_from_within_ends_the_batches(tmp_path):
    path = written(tmp_path / "a.tpx3", Timepix3Phantom(scan_shape=(7, 9)), 3)
    source = Timepix3File(path, Scan((7, 9)), piece_bytes=256)
    batches = source.batches()
    next(batches)
    source.close()
    source.close()
    assert len(list(batches)) <= 1


def test_a_real_file_is_gated_by_its_own_edges():
    path = DATA / "tpx3_suann_background_serval32.tpx3"
    if not path.exists():
        pytest.skip("shared data are not there")
    source = Timepix3File(path, Scan((600, 16)), line_end="next")
    got, finished = gathered(source)
    assert finished == dict.fromkeys(range(11), 9600) | {11: 599 * 16}
    assert source.counters.received == 98548
    # 7,200 edges at 60 Hz: the first begins after, and the last line never ends.
    assert 98548 - len(got) == source.counters.flyback < 60
    assert not source.counters.faults


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty"), (b"no words at all " * 9, "TPX3"), (encode_tpx3(*[np.arange(1)] * 2), "edge")],
)
def test_what_is_no_file_of_lines_is_refused(tmp_path, content, message):
    (tmp_path / "a.tpx3").write_bytes(bytes(content))
    with pytest.raises(ReadError, match=message):
        gathered(Timepix3File(tmp_path / "a.tpx3", Scan((4, 4))))


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(ReadError, match="cannot be read"):
        Timepix3File(tmp_path / "none.tpx3", Scan((4, 4)))
    path = written(tmp_path / "a.tpx3", Timepix3Phantom(scan_shape=(4, 4)))
    for wrong in (
        {"chips": 2},
        {"channel": 3},
        {"place_by": "hand"},
        {"acceptance_us": -1},
        {"acceptance_us": float("nan")},
        {"disorder_us": float("nan")},
        {"place_by": "dwell"},
    ):
        with pytest.raises(PlanError):
            Timepix3File(path, Scan((4, 4)), **wrong)


PHANTOM = Timepix3Phantom(scan_shape=(5, 6), electrons=4)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 20_000), st.integers(0, 30), st.binary(max_size=30)), max_size=6
    ),
    st.sampled_from(["lines", "dwell"]),
)
def test_damage_of_any_kind_ends_in_electrons_or_an_error_that_teaches(
    tmp_path_factory, damage, place_by
):
    path = written(tmp_path_factory.mktemp("a") / "a.tpx3", PHANTOM, chunk_words=30)
    data = path.read_bytes()
    for at, lost, put_in in damage:
        data = data[:at] + put_in + data[at + lost :]
    path.write_bytes(data)
    scan = Scan((5, 6), dwell_time_us=1.0)
    source = Timepix3File(path, scan, place_by=place_by, piece_bytes=512)
    try:
        got = gathered(source)[0]
    except CreweError:
        return
    counters = source.counters
    assert len(got) == counters.used
    assert all(0 <= position < 30 and pixel < 512 * 512 for _, position, pixel in got)
    parts = counters.used + counters.flyback + counters.late + counters.unreadable
    assert counters.received == parts
