import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.sources.merlin import wire


def as_block(content):
    return np.frombuffer(content, np.uint8)


@given(st.binary(min_size=1, max_size=300))
def test_framing_round_trip(payload):
    block = as_block(wire.message(payload) + b"rest")
    assert wire.payload_length(block, 0, block.size) == len(payload)
    assert block[wire.PREFIX_BYTES :][: len(payload)].tobytes() == payload


@pytest.mark.parametrize("wrong", [b"MPX,00000000x7,", b"MPX,0000000000,", b"MPX,00000000017", b""])
def test_what_is_no_prefix_has_no_length(wrong):
    assert wire.payload_length(as_block(wrong), 0, len(wrong)) is None


@given(st.binary(max_size=60), st.integers(0, 75))
def test_next_message_is_found_behind_anything_and_in_any_cut(garbage, cut):
    content = garbage.replace(b"M", b"m") + wire.message(b"MQ1,000001,")
    stop = min(cut, len(content))
    found = wire.next_message(as_block(content), 0, stop)
    # Nothing that could be the beginning is passed over, and nothing else is kept.
    assert found == min(stop, content.index(b"MPX,"))


def test_a_message_inside_is_told_from_pixels_that_look_like_a_prefix():
    content = b"MPX,0000000999,\0\0" + wire.message(b"MQ1,000002,x")
    assert wire.message_inside(as_block(content), 0, len(content)) == 17


def walk(content, most=10):
    prefix, signature = as_block(b"MPX,0000000019,MQ1,"), as_block(b",AB")
    numbers = np.zeros(most, np.int64)
    count, more = wire.walk(
        as_block(content), 0, len(content), prefix, signature, wire.PREFIX_BYTES + 18, numbers
    )
    return numbers[:count].tolist(), more


def equal(number):
    return wire.message(b"MQ1,%06d,AB....\n"[: -1 if number > 999_999 else None] % number)


def test_walk_reads_numbers_of_any_length():
    assert walk(equal(1) + equal(999_999) + equal(1_000_000)) == ([1, 999_999, 1_000_000], True)


@pytest.mark.parametrize("cut", range(1, 32))
def test_walk_waits_for_the_rest_of_a_message(cut):
    assert walk(equal(7) + equal(8)[:cut]) == ([7], True)


@pytest.mark.parametrize(
    "other",
    [
        wire.message(b"HDR,"),
        b"x",
        equal(2).replace(b"MQ1", b"MQ2"),
        equal(2).replace(b"000002", b"0000?2"),
        equal(2).replace(b"AB", b"AC"),
        equal(2).replace(b"000002,AB....\n", b"00000200000000"),
    ],
)
def test_walk_stops_at_whatever_is_different(other):
    assert walk(equal(1) + other + equal(3)) == ([1], False)


def test_walk_takes_no_more_than_there_is_room_for():
    assert walk(equal(1) + equal(2) + equal(3), most=2) == ([1, 2], True)
