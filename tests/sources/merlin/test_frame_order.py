import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.errors import ReadError
from crewe.sources.merlin.frame_order import frame_order, read_numbers, signature
from crewe.sources.merlin.header import parse_header


@given(st.sets(st.integers(1, 60), min_size=1), st.integers(0, 80))
def test_the_reach_of_a_file_is_known_from_its_ends(present, expected):
    numbers = sorted(present)
    order = frame_order(numbers[0], (len(numbers) - 1, numbers[-1]), len(numbers), expected)
    assert order.numbered
    assert order.base == (1 if numbers[-1] <= expected else numbers[0])
    assert order.stop == numbers[-1] - order.base + 1
    assert order.before + order.lost == order.stop - len(numbers)


@pytest.mark.parametrize("late_by", [0, 3])
def test_frames_of_places_and_the_numbers_they_should_have(late_by):
    order = frame_order(1 + late_by, (9, 10 + late_by), 10, 20)
    assert (order.before, order.lost) == (late_by, 0)
    assert order.among(late_by + 2, late_by + 5) == (2, 5)
    assert order.among(-4, late_by + 1) == (0, 1)
    assert order.among(late_by + 8, 99) == (8, 10)
    assert order.expected(2, 3).tolist() == [3 + late_by, 4 + late_by, 5 + late_by]


def test_numbers_that_cannot_be_are_not_used():
    order = frame_order(1, (9, 10**17), 10, 10)
    assert not order.numbered
    assert (order.stop, order.before, order.lost) == (10, 0, 0)
    assert [order.among(place, place + 2) for place in (-1, 4, 20)] == [(0, 1), (4, 6), (10, 10)]


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
