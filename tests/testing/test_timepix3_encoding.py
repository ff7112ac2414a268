import numpy as np
import pytest

from crewe.testing.timepix3_encoding import (
    RECORD,
    chip_places,
    encode_tpx3,
    pixel_words,
    tdc_words,
    write_t3p,
)


def test_pixel_word_has_its_bits_where_the_manual_says():
    # ToA 5·2^14 + 7, fToA 3, at x = 201, y = 118
    word = int(
        pixel_words(np.array([((5 << 14) + 7) * 96 - 18]), np.array([201]), np.array([118]))[0]
    )
    assert word >> 60 == 0xB
    assert word & 0xFFFF == 5
    assert (word >> 30) & 0x3FFF == 7
    assert (word >> 16) & 0xF == 3
    address = (word >> 44) & 0xFFFF
    dcol, spix, pix = (address & 0xFE00) >> 8, (address & 0x1F8) >> 1, address & 7
    assert (dcol + (pix >> 2), spix + (pix & 3)) == (201, 118)


def test_tdc_word_has_its_bits_where_the_manual_says():
    word = int(tdc_words(np.array([1234 * 12 + 5]), np.array([0xA]), np.array([4097]))[0])
    assert (word >> 56, (word >> 44) & 0xFFF) == (0x6A, 1)
    assert ((word >> 9) & (2**35 - 1), (word >> 5) & 0xF) == (1234, 6)


@pytest.mark.parametrize("chips", [1, 4])
def test_every_pixel_is_on_one_chip(chips):
    number = 65536 * chips
    chip, x, y = chip_places(np.arange(number, dtype=np.uint32), chips)
    assert len(set(zip(chip.tolist(), x.tolist(), y.tolist(), strict=True))) == number
    assert chip.max() == chips - 1
    assert min(x.min(), y.min()) == 0
    assert max(x.max(), y.max()) == 255


def test_chunks_say_their_chip_and_size():
    words = encode_tpx3(
        np.arange(1, 1001) * 960,
        np.arange(0, 262000, 262, np.uint32)[:1000],
        chips=4,
        chunk_words=64,
    )
    at, chips = 0, set()
    while at < len(words):
        header = int(words[at])
        assert header & 0xFFFFFFFF == 0x33585054
        chips.add((header >> 32) & 0xFF)
        assert 0 < header >> 48 <= 512
        at += 1 + (header >> 48) // 8
    assert at == len(words)
    assert chips == {0, 1, 2, 3}


def test_records_are_16_bytes_of_the_time(tmp_path):
    times = np.array([0, 6, 96, 102, 96 << 40])
    write_t3p(tmp_path / "a.t3p", times[:2], np.arange(2, dtype=np.uint32))
    write_t3p(tmp_path / "a.t3p", times[2:], np.arange(3, dtype=np.uint32), append=True)
    records = np.fromfile(tmp_path / "a.t3p", RECORD)
    assert RECORD.itemsize == 16
    assert (records["toa"].astype(np.int64) * 96 - records["ftoa"] * 6 == times).all()
    assert records["ftoa"].max() < 16
