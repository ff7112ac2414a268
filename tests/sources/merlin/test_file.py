import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crewe.errors import ReadError
from crewe.sources import DividedSource, Scan
from crewe.sources.merlin.file import MerlinFile

SIZE = (6, 8)


@pytest.fixture
def written(tmp_path, make_frames):
    """Write frames of random patterns; return the path and the patterns."""

    def write(count, numbers=None, drop=(), tail=b"", hdr="", dtype=np.uint16):
        patterns = np.random.default_rng(count).integers(0, 200, (count, *SIZE)).astype(dtype)
        frames = make_frames(patterns, numbers)
        path = tmp_path / "scan.mib"
        kept = [frame for number, frame in enumerate(frames) if number not in drop]
        path.write_bytes(b"".join(kept) + tail)
        if hdr:
            path.with_suffix(".hdr").write_text(hdr)
        return path, patterns

    return write


def hdr_text(frames, per_trigger):
    return (
        f"HDR,\t\nFrames in Acquisition (Number):\t{frames}\n"
        f"Frames per Trigger (Number):\t{per_trigger}\nEnd\t"
    )


def gathered(batches, scan, scans=1):
    """Put each pattern where its batch says; −1 where none came, an error where two came."""
    result = np.full((scans, scan.size, *SIZE), -1.0)
    for batch in batches:
        assert len(batch.positions) == len(batch.patterns)
        assert (result[batch.scan, batch.positions] == -1).all()
        result[batch.scan, batch.positions] = batch.patterns
    return result


def expected_of(patterns, scan, scans=1, missing=()):
    """Place frames one by one, as the scan says."""
    result = np.full((scans, scan.size, *SIZE), -1.0)
    which, positions = scan.place(np.arange(len(patterns)))
    for index, pattern in enumerate(patterns):
        if positions[index] >= 0 and index not in missing:
            result[which[index], positions[index]] = pattern
    return result


def balanced(counters):
    parts = counters.used + counters.flyback + counters.late + counters.unreadable
    return counters.received == parts


@pytest.mark.parametrize(
    ("scan", "scans"),
    [
        (Scan((5, 8)), 1),
        (Scan((2, 5)), 4),
        (Scan((4, 8), flyback_per_line=2), 1),
        (Scan((3, 4), flyback_per_line=1, flyback_per_scan=5), 2),
        (Scan((6, 6), sync_offset=4), 1),
        (Scan((7, 6), sync_offset=-2), 1),
    ],
)
@pytest.mark.parametrize("frames_per_part", [1, 3, None])
def test_frames_come_to_their_positions(written, scan, scans, frames_per_part):
    path, patterns = written(40)
    expected = expected_of(patterns, scan, scans)
    with MerlinFile(path, scan, frames_per_part=frames_per_part) as source:
        assert isinstance(source, DividedSource)
        assert (len(source), source.detector_shape, source.scan) == (40, SIZE, scan)
        assert np.array_equal(gathered(source.batches(), scan, scans), expected)
        assert balanced(source.counters)
        assert source.counters.received == 40
        assert source.counters.flyback == 40 - (expected >= 0).all((2, 3)).sum()
        shuffled = np.random.default_rng(0).permutation(list(source.parts()))
        with ThreadPoolExecutor(3) as threads:
            batches = list(threads.map(lambda part: part(), shuffled))
        assert np.array_equal(gathered(batches, scan, scans), expected)
        assert all(batch.finished == 0 for batch in batches)


def test_batches_promise_what_is_finished(written):
    path, _ = written(40)
    seen = np.zeros((2, 20), bool)
    with MerlinFile(path, Scan((4, 5)), frames_per_part=3) as source:
        for batch in source.batches():
            seen[batch.scan, batch.positions] = True
            assert seen[batch.scan, : batch.finished].all()
            assert not seen[batch.scan, batch.finished :].any()
    assert seen.all()


def test_patterns_are_not_copied_and_stay_the_receivers(written):
    path, patterns = written(12)
    with MerlinFile(path, Scan((3, 4)), frames_per_part=4) as source:
        batches = list(source.batches())
    assert [len(batch.patterns) for batch in batches] == [4, 4, 4]
    for number, batch in enumerate(batches):
        assert batch.patterns.dtype == np.dtype(">u2")
        assert batch.patterns.strides == (384 + 96, 16, 2)
        assert np.array_equal(batch.patterns, patterns[4 * number : 4 * number + 4])


def test_lost_frames_shift_nothing(written):
    lost = {0, 7, 8, 9, 21, 30}
    path, patterns = written(40, drop=lost)
    scan = Scan((4, 8), flyback_per_line=2)
    for frames_per_part in (1, 4, None):
        with MerlinFile(path, scan, frames_per_part=frames_per_part) as source:
            got = gathered(source.batches(), scan)
            assert np.array_equal(got, expected_of(patterns, scan, missing=lost))
            assert balanced(source.counters)
            assert (source.counters.dropped, source.counters.received) == (6, 34)
            assert source.counters.faults["frames missing by their numbers"] == 6


def test_a_piece_of_a_longer_acquisition_begins_a_scan(written):
    path, patterns = written(12, numbers=range(9_999_995, 10_000_007))
    with MerlinFile(path, Scan((3, 4))) as source:
        assert np.array_equal(gathered(source.batches(), source.scan)[0], patterns)
        assert source.counters.dropped == 0


def test_numbers_that_start_again_are_told(written):
    path, patterns = written(12, numbers=[1, 2, 3, 4] * 3)
    with MerlinFile(path, Scan((3, 4))) as source:
        assert np.array_equal(gathered(source.batches(), source.scan)[0], patterns)
        assert "frame numbers start again" in source.counters.faults


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, b"X"), (4, b"000099"), (4, b"00000A"), (10, b"\xff"), (11, b"99999"), (24, b"abc")],
)
def test_a_damaged_header_costs_one_frame(written, place, value):
    path, patterns = written(12)
    content = bytearray(path.read_bytes())
    start = 5 * (384 + 96) + place
    content[start : start + len(value)] = value
    path.write_bytes(content)
    with MerlinFile(path, Scan((3, 4))) as source:
        got = gathered(source.batches(), source.scan)
        assert np.array_equal(got, expected_of(patterns, source.scan, missing={5}))
        assert (source.counters.unreadable, source.counters.used) == (1, 11)
        assert source.counters.latest_fault == "frames with a damaged header: frame 5"
        assert np.array_equal(source.frame(4), patterns[4])


def test_frames_that_change_their_form_are_refused(tmp_path, make_frames):
    first, second = np.zeros((3, *SIZE), np.uint16), np.zeros((3, 4, 8), np.uint16)
    frames = make_frames(first) + make_frames(second, numbers=[4, 5, 6])
    (tmp_path / "two.mib").write_bytes(b"".join(frames) + b"\0" * 48)
    with pytest.raises(ReadError, match="4 × 8 pixels of U16 where the first has 6 × 8"):
        MerlinFile(tmp_path / "two.mib", Scan((1, 6)))
    later = b"".join(make_frames(np.zeros((40, *SIZE), np.uint16), numbers=range(7, 47)))
    (tmp_path / "two.mib").write_bytes(b"".join(frames) + b"\0" * 48 + later)
    with (
        MerlinFile(tmp_path / "two.mib", Scan((1, 46))) as source,
        pytest.raises(ReadError, match="frame 4 has 4 × 8 pixels"),
    ):
        list(source.batches())


def test_an_incomplete_last_frame_is_left_out(written):
    path, patterns = written(11, tail=b"MQ1,000012,00384,")
    with MerlinFile(path, Scan((3, 4))) as source:
        got = gathered(source.batches(), source.scan)
        assert np.array_equal(got, expected_of(patterns, source.scan))
        assert source.counters.faults["incomplete last frame"] == 1
        assert source.counters.faults["frames do not fill the scan"] == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda good: b"", "empty"),
        (lambda good: good[:100], "cut off"),
        (lambda good: good[:450], "within its first frame of 480"),
        (lambda good: b"PK\3\4" + good, "begin with"),
        (lambda good: good.replace(b",0008,0006,", b",0008,0005,", 1), "no frame begins there"),
        (lambda good: good.replace(b",0008,0006,", b",8000,6000,", 1), "truncated"),
        (lambda good: good[:480] + good[481:], "no frame begins there"),
        (lambda good: good.replace(b",00384,", b",00370,", 1), "no frame begins there"),
    ],
)
def test_no_merlin_files_are_refused(written, content, message):
    path, _ = written(3)
    path.write_bytes(content(path.read_bytes()))
    with pytest.raises(ReadError, match=message):
        MerlinFile(path)
    with pytest.raises(ReadError, match="cannot be opened"):
        MerlinFile(path.with_name("absent.mib"))


def test_lines_come_from_the_triggers(written):
    path, _ = written(12, hdr=hdr_text(12, 4))
    with MerlinFile(path) as source:
        assert source.scan == Scan((3, 4))
        assert source.scan_from == "frames per trigger in the .hdr file"
        assert not source.counters.faults


def test_an_interrupted_scan_keeps_its_shape(written):
    path, patterns = written(10, hdr=hdr_text(20, 4))
    with MerlinFile(path) as source:
        assert source.scan == Scan((5, 4))
        got = gathered(source.batches(), source.scan)
        assert np.array_equal(got, expected_of(patterns, source.scan))
        assert source.counters.faults["interrupted acquisition"] == 1
        assert source.counters.faults["frames do not fill the scan"] == 1


def test_without_a_word_frames_make_a_line(written):
    path, patterns = written(7, hdr="no header")
    with MerlinFile(path) as source:
        assert source.scan == Scan((1, 7))
        assert source.scan_from.startswith("nothing")
        assert np.array_equal(gathered(source.batches(), source.scan)[0], patterns)
        assert list(source.counters.faults) == ["unreadable .hdr file"]


def test_one_frame(written):
    path, patterns = written(5, dtype=np.uint8)
    with MerlinFile(path) as source:
        assert np.array_equal(source.frame(3), patterns[3])
        for index in (-1, 5):
            with pytest.raises(ReadError, match="holds 0…4"):
                source.frame(index)


def test_a_file_that_changes_while_it_is_read(written):
    path, patterns = written(12)
    content = path.read_bytes()
    with MerlinFile(path, Scan((3, 4)), frames_per_part=4) as source:
        batches = source.batches()
        first = next(batches)
        path.write_bytes(content[: 6 * 480 + 100])
        got = gathered([first, *batches], source.scan)
        assert np.array_equal(got, expected_of(patterns[:6], source.scan))
        assert source.counters.faults["the file became shorter while it was read"] == 6
        assert (source.counters.received, source.counters.dropped) == (6, 6)
    path.write_bytes(content)
    with MerlinFile(path, Scan((3, 4)), frames_per_part=4) as source:
        path.write_bytes(content * 2)
        assert np.array_equal(gathered(source.batches(), source.scan)[0], patterns)


def test_closing_ends_the_batches(written):
    path, _ = written(12)
    source = MerlinFile(path, Scan((3, 4)), frames_per_part=2)
    parts, batches = list(source.parts()), source.batches()
    next(batches)
    closer = threading.Thread(target=source.close)
    closer.start()
    closer.join()
    source.close()
    assert list(batches) == []
    with pytest.raises(ReadError, match="was closed"):
        parts[0]()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 12 * 480 - 1), st.binary(min_size=1, max_size=6))),
    st.integers(0, 12 * 480),
)
def test_damaged_files_are_read_or_refused(written, damage, length):
    path, _ = written(12)
    content = bytearray(path.read_bytes())
    for place, value in damage:
        # Mostly at the beginnings of headers, where it matters.
        place = place // 480 * 480 + place % 480 % 60
        content[place : place + len(value)] = value
    path.write_bytes(content[:length] if len(damage) % 2 else content)
    try:
        with MerlinFile(path, frames_per_part=5) as source:
            for batch in source.batches():
                assert batch.patterns.shape[1:] == source.detector_shape
                assert (batch.positions < source.scan.size).all()
            assert balanced(source.counters)
            assert source.counters.received == len(source)
    except ReadError as error:
        assert "\n" not in str(error)  # noqa: PT017 - success is as good


def test_samples_are_read_as_by_rosettasciio(samples):
    from rsciio.quantumdetector import file_reader

    compared = 0
    for path in sorted(Path(samples).glob("*.mib")):
        if "RAW" in path.name and "notRAW" not in path.name:
            continue
        # It shows the last row of the file at the top.
        data = np.flip(file_reader(str(path))[0]["data"], -2)
        with MerlinFile(path) as source:
            patterns = np.concatenate([batch.patterns for batch in source.batches()])
            assert patterns.dtype.itemsize == data.dtype.itemsize
            assert np.array_equal(patterns, data.reshape(patterns.shape))
            assert source.counters.used == len(source) == len(patterns)
            compared += 1
    assert compared == 23


def test_lines_of_a_sample_come_from_the_header_times(samples):
    for name, shape in (("001_4x2_6bit", (256, 256)), ("002_4x2_6bit_roi128", (128, 256))):
        with MerlinFile(samples / f"{name}.mib") as source:
            assert source.scan.shape == (2, 4)
            assert source.scan_from == "pauses between lines in the header times"
            assert source.detector_shape == shape
            assert not source.counters.faults


def test_raw_samples(samples):
    for frames in (1, 9):
        path = samples / f"Quad_{frames}_Frame_CounterDepth_1_Rows_256RAW.mib"
        with MerlinFile(path) as source:
            batches = list(source.batches())
            assert sum(len(batch.patterns) for batch in batches) == frames
            assert np.array_equal(batches[0].patterns[0], source.frame(0))
            assert source.frame(0).shape == (512, 512)
            # The digits cover some percent of the chips.
            assert 0.03 < source.frame(frames - 1).mean() < 0.05
