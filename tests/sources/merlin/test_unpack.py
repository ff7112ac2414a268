import numpy as np
import pytest

from crewe.errors import ReadError
from crewe.sources.merlin.header import parse_header
from crewe.sources.merlin.unpack import unpack as unpack_upright

ROWS, GAP = 5, 384
ARRANGEMENTS = {1: "1x1", 2: "Nx1", 4: "2x2"}


def unpack(payload, header):
    """Rows in the order of the wire, as the packing of these tests has them."""
    return unpack_upright(payload, header)[:, ::-1]


@pytest.fixture
def raw_header(make_header):
    def header(depth, chips, rows=ROWS, layout=None):
        width = 256 * chips * (2 if depth == 24 else 1)
        layout = layout or ARRANGEMENTS[chips]
        return parse_header(make_header(1, (width, rows), "R64", layout, chips, depth))

    return header


def naive_chip_row(content, depth):
    """The 256 pixels of one row of a chip, as the format is described in words."""
    pixels = [0] * 256
    if depth == 1:
        for stripe in range(4):
            for byte in range(8):
                for bit in range(8):
                    value = content[8 * stripe + 7 - byte]
                    pixels[64 * stripe + 8 * byte + bit] = value >> bit & 1
        return pixels
    group = 8 if depth == 6 else 4
    for place in range(256):
        first = place // group * group
        wire = first + (group - 1 - (place - first))
        if depth == 6:
            pixels[place] = content[wire]
        else:
            pixels[place] = content[2 * wire] * 256 + content[2 * wire + 1]
    return pixels


def naive_frame(content, depth, chips, rows):
    """One frame, chip by chip; for 24 bits from two images of 12."""
    if depth == 24:
        half = len(content) // 2
        high, low = (
            naive_frame(part, 12, chips, rows) for part in (content[:half], content[half:])
        )
        return high.astype(np.int64) * 4096 + low
    length = {1: 32, 6: 256, 12: 512}[depth]
    segments = np.zeros((chips, rows, 256), np.int64)
    for row in range(rows):
        for segment in range(chips):
            start = (row * chips + segment) * length
            segments[segment, row] = naive_chip_row(content[start : start + length], depth)
    if chips == 4:
        upper = np.hstack([segments[3], segments[2]])
        lower = np.hstack([np.rot90(segments[1], 2), np.rot90(segments[0], 2)])
        return np.vstack([upper, lower])
    return np.hstack(segments[::-1])


def packed(pattern, depth, chips):
    """The bytes of a frame whose chips show `pattern`: the inverse of unpacking."""
    if depth == 24:
        return packed(pattern >> 12, 12, chips) + packed(pattern & 4095, 12, chips)
    if chips == 4:
        upper, lower = np.vsplit(pattern, 2)
        lower = np.rot90(lower, 2)
        # Turned by 180° as a whole, the two lower chips have changed places as well.
        last_first = [*np.hsplit(lower, 2), *np.hsplit(upper, 2)[::-1]]
    else:
        last_first = np.hsplit(pattern, chips)[::-1]
    rows = np.hstack(last_first)
    if depth == 1:
        bits = rows.reshape(-1, 64)[:, ::-1]
        return np.packbits(bits.astype(np.uint8)).tobytes()
    group, dtype = (8, "u1") if depth == 6 else (4, ">u2")
    return rows.reshape(-1, group)[:, ::-1].astype(dtype).tobytes()


@pytest.mark.parametrize("chips", [1, 2, 4])
@pytest.mark.parametrize("depth", [1, 6, 12, 24])
def test_raw_pixels_go_where_the_format_says(raw_header, depth, chips):
    header = raw_header(depth, chips)
    generator = np.random.default_rng(depth + chips)
    buffer = generator.integers(0, 256, (3, GAP + header.frame_bytes), dtype=np.uint8)
    if depth == 24:
        buffer[:, GAP::2] &= 15
    expected = [naive_frame(frame[GAP:].tobytes(), depth, chips, ROWS) for frame in buffer]
    patterns = unpack(buffer[:, GAP:], header)
    assert patterns.shape == (3, *header.shape)
    assert patterns.dtype == header.dtype
    assert np.array_equal(patterns, expected)
    for other in (np.asfortranarray(buffer)[:, GAP:], buffer[::-1][:, GAP:][::-1]):
        assert np.array_equal(unpack(other, header), expected)
    assert np.array_equal(unpack(buffer[1:2, GAP:], header), expected[1:2])
    assert unpack(buffer[:0, GAP:], header).shape == (0, *header.shape)


@pytest.mark.parametrize("chips", [1, 2, 4])
@pytest.mark.parametrize("depth", [1, 6, 12, 24])
def test_packing_is_undone(raw_header, depth, chips):
    header = raw_header(depth, chips, rows=8)
    generator = np.random.default_rng(depth * chips)
    patterns = generator.integers(0, 2**depth, (4, *header.shape))
    wire = b"".join(packed(pattern, depth, chips) for pattern in patterns)
    payload = np.frombuffer(wire, np.uint8).reshape(4, -1)
    assert payload.shape[1] == header.frame_bytes
    assert np.array_equal(unpack(payload, header), patterns)


@pytest.mark.parametrize("kind", ["U08", "U16", "U32"])
def test_processed_pixels_are_not_copied(make_header, kind):
    header = parse_header(make_header(1, (514, 514), kind, "2x2G", 4))
    generator = np.random.default_rng(0)
    expected = generator.integers(0, 256, (2, 514, 514)).astype(header.dtype)
    buffer = np.zeros((2, 768 + header.frame_bytes + 7), np.uint8)
    buffer[:, 768:-7] = expected.reshape(2, -1).view(np.uint8)
    patterns = unpack(buffer[:, 768:], header)
    assert np.array_equal(patterns, expected)
    assert patterns.dtype == np.dtype(f">u{header.dtype.itemsize}")
    assert np.shares_memory(patterns, buffer)
    assert patterns[0].flags.c_contiguous


def test_cut_frames_are_refused(raw_header):
    header = raw_header(12, 4)
    with pytest.raises(ReadError, match="cut off"):
        unpack(np.zeros((2, header.frame_bytes - 1), np.uint8), header)
    with pytest.raises(ReadError, match="cut off"):
        unpack(np.zeros(header.frame_bytes, np.uint8), header)


def frames_of(path, header_of):
    header = header_of(path)
    content = np.fromfile(path, np.uint8)
    step = header.header_bytes + header.frame_bytes
    return unpack(content.reshape(-1, step)[:, header.header_bytes :], header)


@pytest.mark.parametrize("frames", [1, 9])
@pytest.mark.parametrize("assembly", ["Single", "Quad"])
def test_raw_and_processed_digits_are_the_same(samples, header_of, assembly, frames):
    """Test patterns with a digit on each chip: exposures differ in a few noisy pixels only."""
    name = f"{assembly}_{frames}_Frame_CounterDepth_1_Rows_256"
    processed = frames_of(samples / f"{name}.mib", header_of)
    raw = frames_of(samples / f"{name}RAW.mib", header_of)
    assert raw.shape == processed.shape
    assert np.mean(raw != processed) < 0.001
    for top, left in np.ndindex(raw.shape[1] // 256, raw.shape[2] // 256):
        chip = np.s_[256 * top : 256 * (top + 1), 256 * left : 256 * (left + 1)]
        for wrong in (np.flipud, np.fliplr, np.transpose, lambda image: np.rot90(image, 2)):
            assert np.mean(raw[0][chip] != wrong(processed[0][chip])) > 0.01


def test_dark_raw_frames(samples, header_of):
    """Exposures without electrons: at most one hot pixel, of the lowest value."""
    for depth, dtype in ((1, "u1"), (6, "u1"), (12, "u2"), (24, "u4")):
        pattern = frames_of(samples / f"mib_epsic_test_{depth}bit_RAW_1frame.mib", header_of)
        assert pattern.shape == (1, 512, 512)
        assert pattern.dtype == dtype
        assert pattern.sum() == (depth > 6)
