import numpy as np
import pytest

from crewe.sources.timepix3 import words


def test_quad_covers_every_pixel_once_with_chips_where_ricom_puts_them():
    placement, shape = words.placement(4)
    assert shape == (512, 512)
    inside = np.arange(256)[:, None] * 512 + np.arange(256)
    pixels = placement[:, 1, None, None] + placement[:, 0, None, None] * inside
    assert sorted(pixels.ravel()) == list(range(512 * 512))
    corners = [divmod(int(chip[0, 0]), 512) for chip in pixels]
    assert corners == [(0, 256), (511, 511), (511, 255), (0, 0)]


def test_addresses_cover_a_chip():
    address = np.arange(65536)
    places = [words.pixel_place.py_func(int(a) << 44, 256) for a in address]
    assert sorted(places) == list(range(65536))


@pytest.mark.parametrize("bits", [34, 36])
def test_nearest_time_is_within_half_a_turn_and_reads_the_same(bits):
    rng = np.random.default_rng(bits)
    for _ in range(200):
        reference = int(rng.integers(-(1 << 40), 1 << 50))
        reading = int(rng.integers(0, 1 << bits))
        time = int(words.nearest(np.int64(reading), np.int64(reference), bits))
        assert (time - reading) % (1 << bits) == 0
        assert abs(time - reference) <= 1 << (bits - 1)


def test_a_header_needs_its_letters_a_chip_and_whole_words():
    def header(chip=0, size=16, letters=b"TPX3"):
        return size << 48 | chip << 32 | int.from_bytes(letters, "little")

    assert words.is_header.py_func(header(), 1)
    assert words.is_header.py_func(header(chip=3), 4)
    assert not words.is_header.py_func(header(chip=1), 1)
    assert not words.is_header.py_func(header(size=15), 1)
    assert not words.is_header.py_func(header(letters=b"TPX4"), 1)
