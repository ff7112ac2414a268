import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from crewe.errors import ClosedError, ReadError
from crewe.sources import DividedSource, Scan
from crewe.sources.merlin.file import MerlinFile

SIZE = (6, 8)


def hdr_text(frames, per_trigger):
    return (
        f"HDR,\t\nFrames in Acquisition (Number):\t{frames}\n"
        f"Frames per Trigger (Number):\t{per_trigger}\nEnd\t"
    )


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
def test_frames_come_to_their_positions(
    written, scan, scans, frames_per_part, gathered, expected_of, balanced
):
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
        assert batch.patterns.strides == (384 + 96, -16, 2)
        assert np.array_equal(batch.patterns, patterns[4 * number : 4 * number + 4])


def test_lost_frames_shift_nothing(written, gathered, expected_of, balanced):
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


def test_a_piece_of_a_longer_acquisition_begins_a_scan(written, gathered):
    path, patterns = written(12, numbers=range(9_999_995, 10_000_007))
    with MerlinFile(path, Scan((3, 4))) as source:
        assert np.array_equal(gathered(source.batches(), source.scan)[0], patterns)
        assert source.counters.dropped == 0


def test_numbers_that_start_again_are_told(written, gathered):
    path, patterns = written(12, numbers=[1, 2, 3, 4] * 3)
    with MerlinFile(path, Scan((3, 4))) as source:
        assert np.array_equal(gathered(source.batches(), source.scan)[0], patterns)
        assert "frame numbers start again" in source.counters.faults


def test_an_incomplete_last_frame_is_left_out(written, gathered, expected_of):
    path, patterns = written(11, tail=b"MQ1,000012,00384,")
    with MerlinFile(path, Scan((3, 4))) as source:
        got = gathered(source.batches(), source.scan)
        assert np.array_equal(got, expected_of(patterns, source.scan))
        assert source.counters.faults["incomplete last frame"] == 1
        assert source.counters.faults["frames do not fill the scan"] == 1


def test_lines_come_from_the_triggers(written):
    path, _ = written(12, hdr=hdr_text(12, 4))
    with MerlinFile(path) as source:
        assert source.scan == Scan((3, 4))
        assert source.scan_from == "frames per trigger in the .hdr file"
        assert not source.counters.faults


def test_an_interrupted_scan_keeps_its_shape(written, gathered, expected_of):
    path, patterns = written(10, hdr=hdr_text(20, 4))
    with MerlinFile(path) as source:
        assert source.scan == Scan((5, 4))
        got = gathered(source.batches(), source.scan)
        assert np.array_equal(got, expected_of(patterns, source.scan))
        assert source.counters.faults["interrupted acquisition"] == 1
        assert source.counters.faults["frames do not fill the scan"] == 1


def test_without_a_word_frames_make_a_line(written, gathered):
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
    with pytest.raises(ClosedError, match="was closed"):
        parts[0]()
    assert list(source.parts()) == []
