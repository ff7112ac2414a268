"""Damage: headers that lie, bytes lost and put in, anything at all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.sources import Counters
from crewe.sources.timepix3.chunks import ChunkDecoder, find_header, highest_chip
from crewe.sources.timepix3.store import EventStore
from crewe.testing.timepix3_encoding import encode_tpx3


def stream(number=4000, chunk_words=100):
    times = np.arange(1, number + 1) * 960
    pixels = (np.arange(number) * 7 % 65536).astype(np.uint32)
    return encode_tpx3(times, pixels, chunk_words=chunk_words)


def decoded(data, piece=1 << 40, chips=1):
    """Feed bytes as a source does: what is left comes again at the front."""
    counters, store = Counters(), EventStore()
    decoder, left, edges = ChunkDecoder(chips, counters), b"", []
    for first in range(0, max(len(data), 1), piece):
        buffer = np.frombuffer(left + data[first : first + piece], np.uint8)
        begin, before = 0, -1
        while begin != before:
            before = begin
            begin, found = decoder.decode(buffer, begin, len(buffer), store)
            edges += found.tolist()
        left = buffer[begin:].tobytes()
        assert len(left) < 8
    decoder.end_of_stream(len(left))
    return store.pixels[: store.count].tolist(), edges, counters


GOOD = stream().tobytes()
PIXELS = (np.arange(4000) * 7 % 65536).tolist()
CHUNK = 101 * 8


@pytest.mark.parametrize("piece", [1 << 40, 1000])
@pytest.mark.parametrize("lost", [1, 4, 7, 8, 20])
def test_lost_bytes_cost_their_chunk_and_no_more(lost, piece):
    at = 10 * CHUNK + 404
    got, _, counters = decoded(GOOD[:at] + GOOD[at + lost :], piece)
    assert got[:1000] == PIXELS[:1000]
    assert got[-2800:] == PIXELS[-2800:]
    assert counters.faults["a damaged chunk"] >= (lost % 8 > 0)
    assert counters.received == len(got) + counters.unreadable


def test_bytes_put_in_cost_their_chunk_and_no_more():
    at = 10 * CHUNK + 404
    got, _, counters = decoded(GOOD[:at] + b"no words at all" * 9 + GOOD[at:])
    assert got[:1000] == PIXELS[:1000]
    assert got[-2800:] == PIXELS[-2800:]
    assert counters.faults["a damaged chunk"]


@pytest.mark.parametrize("claimed", [0, 8, 48, 792, 808, 4000, 0xFFF8])
def test_a_header_that_lies_about_its_size_costs_no_other_chunk(claimed):
    words = stream()
    words[5 * 101] = (claimed << 48) | 0x33585054
    got, _, counters = decoded(words.tobytes())
    assert got[:500] == PIXELS[:500]
    assert got[-3400:] == PIXELS[-3400:]
    assert counters.faults


def test_a_size_that_is_no_number_of_words_or_a_chip_that_is_not_there_is_no_header():
    for wrong in ((803 << 48) | 0x33585054, (800 << 48) | (1 << 32) | 0x33585054):
        words = stream()
        words[5 * 101] = wrong
        got, _, counters = decoded(words.tobytes())
        assert got == PIXELS[:500] + PIXELS[600:]
        assert counters.unreadable == 101


def test_a_stream_that_begins_within_a_chunk_is_read_from_the_next():
    got, _, counters = decoded(GOOD[411:])
    assert got == PIXELS[100:]
    assert counters.unreadable == -(-(CHUNK - 411) // 8)


def test_a_truncated_stream_gives_its_whole_words():
    got, _, counters = decoded(GOOD[: 3 * CHUNK + 8 + 83])
    assert got == PIXELS[:310]
    assert counters.unreadable == 1
    assert counters.faults["the data end within a word"] == 1
    assert counters.faults["the data end within a chunk"] == 1


def test_headers_are_found_at_any_byte():
    data = np.frombuffer(b"TPXTPX3xyz" + GOOD[:CHUNK], np.uint8)
    assert find_header(data, 0, len(data), 1) == 10
    assert find_header(data, 11, len(data), 1) == len(data) - 7
    assert find_header(data[:4], 0, 4, 1) == 0


def test_highest_chip_is_seen():
    quad = encode_tpx3(
        np.arange(4) * 96 + 96, np.array([0, 300, 262143, 131072], np.uint32), chips=4
    )
    assert highest_chip(quad.view(np.uint8)) == 3
    assert highest_chip(np.frombuffer(GOOD, np.uint8)) == 0


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.integers(0, len(GOOD)).map(lambda at: GOOD[at : at + 999]),
            st.integers(0, 0xFFFF).map(
                lambda size: ((size << 48) | 0x33585054).to_bytes(8, "little")
            ),
        ),
        max_size=12,
    ),
    st.sampled_from([1, 4]),
    st.sampled_from([1 << 40, 64, 333]),
)
def test_anything_at_all_is_read_to_its_end_and_counted(parts, chips, piece):
    data = b"".join(parts)
    got, _, counters = decoded(data, piece, chips)
    assert counters.received == len(got) + counters.unreadable
    assert len(got) <= len(data) // 8
    assert counters.unreadable <= len(data) // 8 + 2 * len(parts) + 2
    assert all(pixel < 65536 * chips for pixel in got)
