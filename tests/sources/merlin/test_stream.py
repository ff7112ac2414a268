from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.sources.merlin import wire
from crewe.sources.merlin.stream import Announcement, MessageStream, Run, Skipped, Unreadable
from crewe.testing.merlin_messages import FrameMessages, announcement, frame_header

PATTERNS = np.arange(20 * 4 * 6, dtype=np.uint16).reshape(20, 4, 6)
HEAD = wire.message(announcement(20))
FRAMES = [row.tobytes() for row in FrameMessages.of_patterns(PATTERNS).block(0, 20, 1)]
OTHER_SHAPE = wire.message(frame_header((4, 4), number=3) + bytes(32))
OTHER_DEPTH = wire.message(frame_header((4, 6), 24, number=3) + bytes(96))


def read(content, cuts=(), stream=None):
    """What a stream yields of content that comes in cuts; frames as (number, pattern)."""
    stream = stream or MessageStream()
    frames, others, rest = [], [], b""
    for start, stop in pairwise([0, *sorted(cuts), len(content)]):
        block = np.frombuffer(rest + content[start:stop], np.uint8)
        for piece in stream.pieces(block, 0, block.size):
            if isinstance(piece, Run):
                pixels = piece.payloads.copy().view(">u2").reshape(-1, 4, 6)[:, ::-1]
                frames += zip(piece.numbers.tolist(), pixels, strict=True)
            else:
                others.append(piece)
        rest = block[stream.at :].tobytes()
    return frames, others, rest


def numbers_of(frames):
    for number, pattern in frames:
        assert (pattern == PATTERNS[number - 1]).all()
    return [number for number, _ in frames]


cuts = st.lists(st.integers(0, len(HEAD) + 20 * len(FRAMES[0])), max_size=30)


@settings(deadline=None)
@given(cuts)
def test_any_cuts_give_the_same_frames(cuts):
    frames, others, rest = read(HEAD + b"".join(FRAMES), cuts)
    assert numbers_of(frames) == list(range(1, 21))
    assert [piece.acquisition.frames for piece in others] == [20]
    assert rest == b""


@settings(deadline=None)
@given(st.lists(st.sampled_from(range(20)), max_size=6), st.binary(max_size=90), cuts)
def test_garbage_between_messages_costs_no_frame(places, garbage, cuts):
    garbage = garbage.replace(b"M", b"m")
    content = b"".join(garbage * (n in places) + frame for n, frame in enumerate(FRAMES))
    frames, others, _ = read(content, cuts)
    assert numbers_of(frames) == list(range(1, 21))
    assert sum(piece.count for piece in others) == len(garbage) * len(set(places))
    assert sum(piece.begins for piece in others) == (len(set(places)) if garbage else 0)


@settings(deadline=None)
@given(st.integers(1, len(FRAMES[0]) - 1), cuts)
def test_a_frame_that_was_cut_costs_itself_only(length, cuts):
    content = b"".join([*FRAMES[:4], FRAMES[4][:length], *FRAMES[5:]])
    frames, others, _ = read(content, cuts)
    assert numbers_of(frames) == [1, 2, 3, 4, *range(6, 21)]
    assert all(isinstance(piece, Unreadable | Skipped) for piece in others)


@pytest.mark.parametrize(
    "wrong",
    [
        OTHER_SHAPE,
        OTHER_DEPTH,
        FRAMES[2].replace(b"U16", b"U99"),
        FRAMES[2].replace(b"MQ1,", b"MQx,"),
        FRAMES[2].replace(b"0006,0004", b"0007,0004"),
        FRAMES[2].replace(b"00384", b"99999"),
        FRAMES[2].replace(b",000003,", b",??????,"),
    ],
)
def test_a_wrong_header_costs_its_frame_only(wrong):
    frames, others, _ = read(b"".join([*FRAMES[:2], wrong, *FRAMES[3:]]), cuts=[700, 1400, 1900])
    assert numbers_of(frames) == [1, 2, *range(4, 21)]
    assert [type(piece) for piece in others] == [Unreadable]


def test_a_length_that_lies_is_not_waited_for():
    lies = b"MPX,0999999999,MQ1,garbage,"
    frames, others, rest = read(b"".join([*FRAMES[:2], lies + bytes(9000), *FRAMES[2:]]))
    assert numbers_of(frames) == list(range(1, 21))
    assert isinstance(others[0], Unreadable)
    assert rest == b""


def test_the_next_acquisition_may_have_another_depth_but_no_other_shape():
    stream = MessageStream()
    deep = wire.message(frame_header((4, 6), 24) + bytes(96))
    content = FRAMES[0] + HEAD + OTHER_SHAPE + deep + deep
    block = np.frombuffer(content, np.uint8)
    kinds = [type(piece) for piece in stream.pieces(block, 0, block.size)]
    assert kinds == [Run, Announcement, Unreadable, Run, Run]
    assert stream.layout.header.pixel_type == "U32"


def test_half_a_frame_at_the_end_of_a_connection_is_told():
    stream = MessageStream()
    _, _, rest = read(FRAMES[0] + FRAMES[1][:300], stream=stream)
    block = np.frombuffer(rest, np.uint8)
    assert [piece.reason for piece in stream.broken(block, 0, block.size)] == ["half frames"]
    assert list(stream.broken(block, 0, 0)) == []


@settings(deadline=None)
@given(st.binary(max_size=400), st.integers(0, 800))
def test_anything_is_survived(garbage, at):
    """Whatever overwrites part of the stream: the frames behind it come, right and in order."""
    content = bytearray(b"".join(FRAMES))
    content[at : at + len(garbage)] = garbage
    frames, _, _ = read(bytes(content))
    found = [number for number, pattern in frames if number >= 5]
    assert found == list(range(5, 21))
