"""The compiled decoder against a loop that takes each word apart by the manual."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from crewe.sources import Counters
from crewe.sources.timepix3.chunks import ChunkDecoder
from crewe.sources.timepix3.store import EventStore
from crewe.testing.timepix3_encoding import encode_tpx3, pixel_words, tdc_words

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "4dstem"
REAL = ("tpx3_suann_background_serval32.tpx3", "tpx3_nsls_raw_00.tpx3")
PIXEL_ROLL, TDC_ROLL = 6 << 34, 6 << 36


def real(name):
    path = DATA / name
    if not path.exists():
        pytest.skip("shared data are not there")
    return np.fromfile(path, "<u8")


def nearest(reading, reference, roll):
    return reading + roll * round((reference - reading) / roll)


def naive(words):
    """Electrons (time in ticks, pixel on a quad), edges and kinds, word by word."""
    sign, base_x, base_y = (1, -1, -1, 1), (256, 511, 255, 0), (0, 511, 511, 0)
    electrons, edges, kinds = [], [], Counter()
    latest, left, chip = 0, 0, None
    for word in map(int, words):
        if left == 0:
            assert word & 0xFFFFFFFF == int.from_bytes(b"TPX3", "little")
            chip, left = (word >> 32) & 0xFF, (word >> 48) // 8
            continue
        left -= 1
        kind = word >> 60
        kinds[kind] += 1
        if kind == 0xB:
            address = (word >> 44) & 0xFFFF
            dcol, spix, pix = (address & 0xFE00) >> 8, (address & 0x1F8) >> 1, address & 7
            x, y = dcol + (pix >> 2), spix + (pix & 3)
            time = ((word & 0xFFFF) << 14 | (word >> 30) & 0x3FFF) * 96 - 6 * ((word >> 16) & 0xF)
            latest = nearest(time, latest, PIXEL_ROLL)
            row, column = sign[chip] * y + base_y[chip], sign[chip] * x + base_x[chip]
            electrons.append((latest, row * 512 + column))
        elif kind == 0x6:
            time = ((word >> 9) & (2**35 - 1)) * 12 + ((word >> 5) & 0xF) - 1
            latest = nearest(time, latest, TDC_ROLL)
            edges.append((latest, (word >> 56) & 0xF, chip, (word >> 44) & 0xFFF))
    return electrons, edges, kinds


def decoded(words, chips=4, piece=1 << 40, edges_at_once=1 << 14):
    counters = Counters()
    decoder, store = ChunkDecoder(chips, counters, edges_at_once), EventStore(1)
    data, begin, found = words.view(np.uint8), 0, []
    for end in [*range(piece, len(data), piece), len(data)]:
        while end - begin >= 8:
            begin, edges = decoder.decode(data, begin, end, store)
            found += [tuple(edge) for edge in edges.tolist()]
    decoder.end_of_stream(len(data) - begin)
    electrons = list(zip(store.times.tolist(), store.pixels.tolist(), strict=True))
    return electrons[: store.count], found, decoder.kinds, counters


@pytest.mark.parametrize("name", REAL)
def test_real_files_decode_as_word_by_word(name):
    words = real(name)
    electrons, edges, kinds = naive(words)
    got, got_edges, got_kinds, counters = decoded(words)
    assert got == electrons
    assert got_edges == edges
    assert {kind: n for kind, n in enumerate(got_kinds.tolist()) if n} == dict(kinds)
    assert not counters.faults
    assert counters.received == len(electrons)


def test_real_file_has_the_words_that_its_index_lists():
    words = real(REAL[0])
    kinds = decoded(words)[2]
    listed = {0x4: 966, 0x5: 81883, 0x6: 28800, 0x7: 3864, 0xB: 98548}
    assert {kind: n for kind, n in enumerate(kinds.tolist()) if n} == listed
    assert len(words) - sum(listed.values()) == 81399  # chunk headers


def test_clocks_of_a_real_file_run_on_through_four_roll_overs_of_the_pixels_and_one_of_the_tdc():
    electrons, edges, _, _ = decoded(real(REAL[0]))
    period = np.diff([time for time, _, chip, _ in edges if chip == 0]) / 3840e3
    assert abs(period - 50 / 3).max() < 2e-4  # the mains, 60 Hz, in ms
    times = np.array([time for time, _ in electrons]) / 3840e6
    assert 119.9 < times.max() < 120.1
    assert np.diff(times).min() > -2e-3  # out of order by little more than a millisecond


def test_edges_that_do_not_fit_at_once_come_with_the_next_call():
    words = real(REAL[0])
    assert decoded(words, edges_at_once=7)[:2] == decoded(words)[:2]


def random_stream(chips, seed=0, number=3000, duration=40 * 3840_000_000):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(0, duration, number)) // 6 * 6
    pixels = rng.integers(0, 65536 * chips, number).astype(np.uint32)
    edges = np.sort(rng.integers(0, duration, 64))
    kinds, counts = rng.choice([0xF, 0xA, 0xE, 0xB], 64), np.arange(64)
    return times, pixels, (edges, kinds, counts)


@pytest.mark.parametrize("chips", [1, 4])
@pytest.mark.parametrize("start_s", [0, 20, 100])
def test_what_is_encoded_is_decoded_through_roll_overs(chips, start_s):
    times, pixels, (edges, kinds, counts) = random_stream(chips)
    start = start_s * 3840_000_000
    words = encode_tpx3(
        times + start, pixels, (edges + start, kinds, counts), chips=chips, chunk_words=9
    )
    got, got_edges, _, counters = decoded(words, chips)
    # The clock begins anywhere, but for both kinds of words at the same place.
    shift = got_edges[0][0] - min(edges + start)
    assert shift % PIXEL_ROLL == 0
    expected = zip((times + start + shift).tolist(), pixels.tolist(), strict=True)
    assert sorted(got) == sorted(expected)
    expected = {
        (time + start + shift, kind, count)
        for time, kind, count in zip(edges, kinds, counts, strict=True)
    }
    assert {(time, kind, count) for time, kind, _, count in got_edges} == expected
    assert len(got_edges) == chips * len(edges)
    assert not counters.faults


@pytest.mark.parametrize("piece", [1, 7, 8, 64, 1001])
def test_pieces_of_any_length_decode_alike(piece):
    words = encode_tpx3(*random_stream(4, number=300), chips=4, chunk_words=100)
    assert decoded(words, piece=piece)[:2] == decoded(words)[:2]


def test_random_words_decode_as_word_by_word():
    rng = np.random.default_rng(3)
    kinds = rng.choice([0x4, 0x5, 0x6, 0x7, 0xB], 20_000, p=[0.1, 0.1, 0.1, 0.1, 0.6])
    payload = rng.integers(0, 1 << 60, len(kinds), dtype=np.uint64)
    # All times near to each other: what is far is another test's.
    clock = np.uint64((0x3FFF << 30) | 0xFFFF | ((0x7FFFFFFFF ^ 0xFFF) << 9))
    payload = np.where(np.isin(kinds, (0x6, 0xB)), payload & ~clock, payload)
    fine = np.uint64(0xF << 5)
    payload = np.where(kinds == 0x6, payload & ~fine | np.uint64(3 << 5), payload)
    body = payload | (kinds.astype(np.uint64) << np.uint64(60))
    words = []
    for first in range(0, len(body), 500):
        chip = rng.integers(4)
        words += [np.array([(4000 << 48) | (int(chip) << 32) | 0x33585054], np.uint64)]
        words += [body[first : first + 500]]
    words = np.concatenate(words)
    assert decoded(words)[:2] == naive(words)[:2]


def test_one_damaged_time_does_not_carry_the_clock_away():
    times = np.arange(2000, dtype=np.int64) * 96 * 40
    zeros = np.zeros(2000, np.int64)
    words = pixel_words(times, zeros, zeros)
    for place in (200, 900, 901, 1500):
        words[place] = pixel_words(times[place] + 13 * 3840_000_000, zeros[0], zeros[0])
    chunk = np.insert(words, 0, np.uint64((16000 << 48) | 0x33585054))
    got = [time for time, _ in decoded(chunk, 1)[0]]
    assert sum(a != b for a, b in zip(got, times.tolist(), strict=True)) == 4


def test_integrated_and_unknown_words_are_counted_and_told():
    odd = np.array([0xA << 60, 0x1 << 60, 0xC << 60], np.uint64)
    header = np.array([(24 << 48) | 0x33585054], np.uint64)
    electron = encode_tpx3(np.array([96]), np.array([5], np.uint32))
    got, _, _, counters = decoded(np.concatenate([header, odd, electron]), 1)
    assert len(got) == 1
    assert (counters.received, counters.unreadable) == (4, 3)
    assert counters.faults["words of unknown kind"] == 2
    assert any("integrated" in kind for kind in counters.faults)


def test_fine_time_of_an_edge_is_a_twelfth_of_its_coarse_step():
    words = tdc_words(np.arange(24), np.full(24, 0xF), np.arange(24))
    chunk = np.insert(words, 0, np.uint64((8 * 24 << 48) | 0x33585054))
    assert [edge[0] for edge in decoded(chunk, 1)[1]] == list(range(24))
