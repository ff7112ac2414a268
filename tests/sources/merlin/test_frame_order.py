import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.errors import ReadError
from crewe.sources.merlin.frame_order import frame_order, read_numbers, signature
from crewe.sources.merlin.header import parse_header


@given(st.sets(st.integers(1, 60), min_size=1), st.sets(st.integers(0, 59)), st.integers(0, 80))
def test_places_and_indices_agree_with_counting(present, damaged, expected):
    numbers = np.array(sorted(present))
    order = frame_order(numbers[0], (len(numbers) - 1, numbers[-1]), len(numbers), expected)
    assert order.numbered
    assert order.base == (1 if numbers[-1] <= expected else numbers[0])
    assert order.stop == numbers[-1] - order.base + 1
    assert order.before + order.lost == order.stop - len(numbers)
    places = order.places(numbers, 0)
    assert np.array_equal(places, numbers - order.base)
    assert np.array_equal(order.places(numbers[1:], 1), places[1:])
    for place in range(-3, order.stop + 3):
        assert order.index(place, lambda i: numbers[i]) == np.searchsorted(places, place)
    seen = [-1 if i in damaged else numbers[i] for i in range(len(numbers))]
    indices = [order.index(place, seen.__getitem__) for place in range(order.stop + 1)]
    assert indices == sorted(indices)
    assert (indices[0], indices[-1]) == (0, len(numbers)) or damaged


def test_impossible_numbers_are_damage():
    order = frame_order(1, (9, 10), 10, 10)
    numbers = np.array([1, 2, 9, 4, -1])
    assert order.places(numbers, 0).tolist() == [0, 1, -1, 3, -1]
    lossy = frame_order(1, (9, 12), 10, 12)
    assert lossy.places(numbers, 0).tolist() == [0, 1, -1, 3, -1]
    assert lossy.places(np.array([3, 4, 5, 6]), 0).tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("last", [(9, 5), (9, 1), (9, 10**17)])
def test_numbers_that_cannot_be_are_not_used(last):
    order = frame_order(1, last, 10, 10)
    assert not order.numbered
    assert (order.stop, order.before, order.lost) == (10, 0, 0)
    assert order.places(np.array([1, 1, -1, 7]), 3).tolist() == [3, 4, -1, 6]
    assert [order.index(place, lambda i: -1) for place in (-1, 4, 20)] == [0, 4, 10]


def test_numbers_of_any_length_are_read(make_header):
    headers = [make_header(number) for number in (1, 999_999, 1_000_000, 10**17)]
    frames = np.stack([np.frombuffer(header, np.uint8) for header in headers])
    same = signature(headers[0])
    assert same.tobytes() == b",00384,01,0256,0256,U16,   1x1,"
    found = read_numbers(frames, parse_header(headers[0]), same, "x.mib")
    assert found.tolist() == [1, 999_999, 1_000_000, 10**17]


def test_headers_written_otherwise_are_looked_at_again(make_header):
    first = make_header(1, layout="1x1")
    padded = make_header(2).replace(b",   1x1,", b",1x1   ,")
    frames = np.stack([np.frombuffer(text, np.uint8) for text in (first, padded, b"x" * 384)])
    found = read_numbers(frames, parse_header(first), signature(first), "x.mib")
    assert found.tolist() == [1, 2, -1]
    other = np.frombuffer(make_header(3, size=(256, 128)), np.uint8)[None]
    with pytest.raises(ReadError, match="frame 3 has 128 × 256 pixels"):
        read_numbers(other, parse_header(first), signature(first), "x.mib")


def test_frames_shorter_than_a_header_have_no_number(make_header):
    header = make_header()
    frames = np.frombuffer(header[:40], np.uint8)[None]
    assert read_numbers(frames, parse_header(header), signature(header), "x.mib").tolist() == [-1]
