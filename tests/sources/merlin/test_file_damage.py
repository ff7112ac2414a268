import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crewe.errors import ReadError
from crewe.sources import Scan
from crewe.sources.merlin.file import MerlinFile

SIZE = (6, 8)


@pytest.mark.parametrize(
    ("place", "value"),
    [(0, b"X"), (4, b"000099"), (4, b"00000A"), (10, b"\xff"), (11, b"99999"), (24, b"abc")],
)
def test_a_damaged_header_costs_one_frame(written, place, value, gathered, expected_of):
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
    many = make_frames(np.zeros((40, *SIZE), np.uint16))
    later = make_frames(np.zeros((40, *SIZE), np.uint16), numbers=range(44, 84))
    content = [*many, *make_frames(second, numbers=[41, 42, 43]), b"\0" * 48, *later]
    (tmp_path / "two.mib").write_bytes(b"".join(content))
    with (
        MerlinFile(tmp_path / "two.mib", Scan((1, 83))) as source,
        pytest.raises(ReadError, match="frame 41 has 4 × 8 pixels"),
    ):
        list(source.batches())


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


def test_a_file_that_changes_while_it_is_read(written, gathered, expected_of):
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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 12 * 480 - 1), st.binary(min_size=1, max_size=6))),
    st.integers(0, 12 * 480),
)
def test_damaged_files_are_read_or_refused(written, balanced, damage, length):
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
