import numpy as np
import pytest

from crewe.errors import PlanError
from crewe.sources.merlin.header import parse_hdr, parse_header
from crewe.sources.merlin.unpack import unpack
from crewe.testing import merlin_messages
from crewe.testing.merlin_messages import (
    FrameMessages,
    announcement,
    frame_header,
    numbered,
    pixels,
)


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("depth", [1, 6, 12, 24])
def test_what_is_packed_is_unpacked(depth, raw):
    rng = np.random.default_rng(depth)
    patterns = rng.integers(0, 2**depth, (3, 5, 128)).astype(np.uint32)
    header = parse_header(frame_header((5, 128), depth, raw=raw, number=12))
    assert (header.number, header.bit_depth, header.raw) == (12, depth, raw)
    assert header.exposure_us == pytest.approx(1000)
    packed = pixels(patterns, depth, raw=raw)
    assert packed.shape == (3, header.frame_bytes)
    np.testing.assert_array_equal(unpack(packed, header), patterns)


def test_counts_beyond_the_depth_are_refused():
    with pytest.raises(PlanError, match="do not fit in 6 bits"):
        pixels(np.full((1, 2, 2), 64), 6)
    with pytest.raises(PlanError, match="multiple of 64"):
        pixels(np.zeros((1, 2, 32), int), 12, raw=True)


def test_the_announcement_is_read_as_meant():
    said = parse_hdr(announcement(120, 12, 6))
    assert (said.frames, said.frames_per_trigger, said.counter_depth) == (120, 12, 6)


def test_numbers_grow_beyond_six_digits():
    header = np.frombuffer(frame_header((4, 4)), np.uint8)
    many = numbered(np.stack([header] * 3), np.array([999_999, 1_000_000, 12]))
    assert [parse_header(row.tobytes()).number for row in many] == [999_999, 1_000_000, 12]


@pytest.mark.parametrize("largest", [0, 2**28])
def test_blocks_repeat_the_frames_with_new_numbers(largest, monkeypatch, tmp_path):
    monkeypatch.setattr(merlin_messages, "LARGEST_PREPARED", largest)
    patterns = np.arange(5 * 4 * 6, dtype=np.uint16).reshape(5, 4, 6)
    messages = FrameMessages.of_patterns(patterns)
    file = tmp_path / "frames.mib"
    whole = messages.block(0, 5, 1)[:, merlin_messages.PREFIX_BYTES :]
    file.write_bytes(whole.tobytes() + b"MQ1,half")
    for source in (messages, FrameMessages.of_file(file)):
        assert len(source) == 5
        block = source.block(8, 4, 9)
        assert len(block) == 2
        for row, number in zip(block, (9, 10), strict=True):
            content = row.tobytes()
            assert content[:15] == b"MPX,%010d," % (len(content) - 14)
            header = parse_header(content[15:])
            assert header.number == number
            found = unpack(row[None, 15 + header.header_bytes :], header)[0]
            np.testing.assert_array_equal(found, patterns[(number - 1) % 5])


def test_a_file_without_a_frame_is_refused(tmp_path):
    file = tmp_path / "short.mib"
    file.write_bytes(frame_header((4, 4)) + b"12345")
    with pytest.raises(PlanError, match="no whole frame"):
        FrameMessages.of_file(file)
