from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.errors import ReadError
from crewe.sources.merlin.header import parse_hdr, parse_header

# As a quad wrote it in 2019, without the thresholds that other versions write.
RAW_QUAD = (
    b"MQ1,000001,00768,04,1024,0256,R64,   2x2,0F,2019-09-18 11:15:08.157060,0.010000,0,0,0,,"
    b"MQ1A,2019-09-18T10:15:08.157060199Z,10000000ns,12,"
).ljust(768, b"\0")
HDR = (
    "HDR,\t\r\nTime and Date Stamp (day, mnth, yr, hr, min, s):\t07/05/2021 18:56:38\r\n"
    "Counter Depth (number):\t6\r\nFrames in Acquisition (Number):\t65536\r\n"
    "Frames per Trigger (Number):\t256\r\nSoftware Version:\t0.76.1.101\r\nEnd\t       "
)


def test_header_of_a_raw_quad():
    header = parse_header(RAW_QUAD)
    assert (header.number, header.header_bytes, header.chips) == (1, 768, 4)
    assert (header.width, header.height, header.shape) == (1024, 256, (512, 512))
    assert header.raw
    assert header.quad
    assert header.frame_bytes == 1024 * 256 * 2
    assert (header.chip_mask, header.bit_depth, header.thresholds_kev) == (15, 12, ())
    assert header.exposure_us == pytest.approx(10_000)
    assert header.time == "2019-09-18T10:15:08.157060199Z"


@pytest.mark.parametrize(
    ("size", "pixel_type", "depth", "layout", "chips", "frame_bytes", "shape", "dtype"),
    [
        ((256, 256), "U08", 1, "1x1", 1, 2**16, (256, 256), ">u1"),
        ((256, 64), "U08", 6, "1x1", 1, 2**14, (64, 256), ">u1"),
        ((256, 256), "U16", 12, "2x2", 1, 2**17, (256, 256), ">u2"),
        ((512, 512), "U32", 24, "2x2", 4, 2**20, (512, 512), ">u4"),
        ((514, 514), "U16", 12, "2x2G", 4, 2 * 514**2, (514, 514), ">u2"),
        ((1024, 256), "U16", 12, "Nx1", 4, 2**19, (256, 1024), ">u2"),
        ((256, 256), "R64", 1, "1x1", 1, 2**13, (256, 256), "u1"),
        ((256, 256), "R64", 6, "1x1", 1, 2**16, (256, 256), "u1"),
        ((256, 256), "R64", 12, "1x1", 1, 2**17, (256, 256), "u2"),
        ((512, 256), "R64", 24, "1x1", 1, 2**18, (256, 256), "u4"),
        ((1024, 256), "R64", 1, "2x2", 4, 2**15, (512, 512), "u1"),
        ((1024, 64), "R64", 12, "2x2", 4, 2**17, (128, 512), "u2"),
        ((2048, 256), "R64", 24, "2x2", 4, 2**20, (512, 512), "u4"),
        ((1024, 256), "R64", 6, "Nx1", 4, 2**18, (256, 1024), "u1"),
    ],
)
def test_sizes(make_header, size, pixel_type, depth, layout, chips, frame_bytes, shape, dtype):
    text = make_header(1, size, pixel_type, layout, chips, depth)
    header = parse_header(text)
    assert (header.frame_bytes, header.shape) == (frame_bytes, shape)
    assert header.dtype == np.dtype(dtype)
    assert header.header_bytes == len(text) == 256 + 128 * chips


def test_frame_numbers_outgrow_six_digits(make_header):
    text = make_header(12_345_678)
    assert parse_header(text).number == 12_345_678
    assert parse_header(text).form == parse_header(make_header(2)).form


def test_what_follows_the_header_does_not_matter(make_header):
    content = make_header() + b"\xff" * 10_000
    assert parse_header(memoryview(content)) == parse_header(make_header())


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (b"MQ1,", b"MPX,", "begin with"),
        (b",00384,", b",99999,", "length of header"),
        (b",00384,", b",00010,", "length of header"),
        (b",00384,", b",00512,", "cut off after 384"),
        (b",01,0256", b",00,0256", "number of chips"),
        (b",01,0256", b",17,0256", "number of chips"),
        (b",0256,0256,", b",9999,0256,", "width"),
        (b",0256,0256,", b",0256,0000,", "height"),
        (b",0256,0256,", b",-256,0256,", "width"),
        (b",0256,0256,", b",2_56,0256,", "width"),
        (b"U16", b"F32", "pixel type"),
        (b",000001,", b",00000A,", "frame number"),
        (b"835428351Z", b"83542835\xffZ", "no letter"),
        (b"U16", b"R64", "do not divide"),
    ],
)
def test_lies_are_refused(make_header, before, after, message):
    text = (
        make_header(size=(256, 256)) if message != "do not divide" else make_header(size=(250, 9))
    )
    assert before in text
    with pytest.raises(ReadError, match=message):
        parse_header(text.replace(before, after, 1))


def test_raw_data_need_a_depth_and_a_known_arrangement(make_header):
    with pytest.raises(ReadError, match="counter depth '7'"):
        parse_header(make_header(pixel_type="R64", depth=7))
    with pytest.raises(ReadError, match="cannot be arranged"):
        parse_header(make_header(1, (768, 256), "R64", "2x2", 3))


def test_processed_data_need_no_depth(make_header):
    assert parse_header(make_header(depth="")).bit_depth == 12


def test_cut_off_headers_are_refused(make_header):
    text = make_header()
    for length in (0, 3, 4, 20, 63, 64, 200, 383):
        with pytest.raises(ReadError):
            parse_header(text[:length])


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=8),
    st.integers(0, 400),
)
def test_damaged_headers_are_read_or_refused(make_header, damage, length):
    text = bytearray(make_header(pixel_type="R64", layout="2x2", chips=4, size=(1024, 256)))
    for place, value in damage:
        text[place] = value
    for content in (bytes(text), bytes(text[:length])):
        try:
            header = parse_header(content)
        except ReadError as error:
            assert len(str(error)) < 300  # noqa: PT017 - success is as good
            continue
        assert 0 < header.frame_bytes <= 4 * 8192**2
        assert header.header_bytes <= len(content)
        assert min(header.shape) > 0


@given(st.lists(st.text("0123456789ABRUx.,- \n\0é", max_size=9), max_size=30))
def test_any_fields_are_read_or_refused(fields):
    try:
        header = parse_header(("MQ1," + ",".join(fields)).encode("latin-1").ljust(500, b"\0"))
    except ReadError:
        return
    assert header.frame_bytes > 0


def test_acquisition_header():
    for content in (HDR, HDR.encode()):
        acquisition = parse_hdr(content)
        assert (acquisition.frames, acquisition.frames_per_trigger) == (65536, 256)
        assert acquisition.counter_depth == 6
        assert acquisition.entries["Software Version"] == "0.76.1.101"
    with pytest.raises(ReadError, match="HDR"):
        parse_hdr("MQ1,")


@given(st.binary(max_size=200))
def test_any_acquisition_header_is_read(content):
    assert parse_hdr(b"HDR,\n" + content).frames is None


def test_real_headers(samples):
    for path in sorted(Path(samples).glob("*.mib")):
        content = path.read_bytes()
        header = parse_header(content)
        frames, rest = divmod(len(content), header.header_bytes + header.frame_bytes)
        assert frames in (1, 2, 8, 9)
        assert rest == 0
        hdr = path.with_suffix(".hdr")
        if hdr.exists():
            acquisition = parse_hdr(hdr.read_bytes())
            assert acquisition.counter_depth == header.bit_depth
            assert acquisition.frames == frames
