import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.sources import Scan
from crewe.sources import array_parts as parts_module
from crewe.sources.array_parts import chunk_edges, flat_parts, grid_parts

SIZES = st.integers(1, 40)


@given(SIZES, SIZES, SIZES, SIZES, st.integers(1, 2**24))
def test_rectangles_cover_the_scan_once_within_the_memory(rows, columns, high, wide, frame_bytes):
    covered = np.zeros((rows, columns), int)
    edges = chunk_edges(rows, high), chunk_edges(columns, wide)
    for part in grid_parts(*edges, frame_bytes):
        covered[part] += 1
        size = covered[part].size * frame_bytes
        assert size <= max(parts_module.LARGEST_PART_BYTES, frame_bytes)
        if min(high, rows) * min(wide, columns) * frame_bytes <= parts_module.LARGEST_PART_BYTES:
            assert {part[0].start, part[0].stop} <= set(edges[0])
            assert {part[1].start, part[1].stop} <= set(edges[1])
    assert (covered == 1).all()


@given(SIZES, SIZES, st.integers(0, 3), st.integers(0, 5), st.integers(-9, 9), SIZES, SIZES)
def test_ranges_cover_the_probe_positions_of_each_scan_once(
    rows, columns, per_line, per_scan, offset, chunk, count
):
    scan = Scan((rows, columns), per_line, per_scan, offset)
    scans, positions = scan.place(np.arange(count * 7))
    chunks = (None, chunk_edges(count * 7, chunk))
    for covered in (np.zeros(count * 7, int), np.zeros(count * 7, int)):
        for part in flat_parts(count * 7, chunks[0], scan, 4096):
            covered[part] += 1
            assert len(set(scans[part])) == 1
            assert chunks[0] is not None or (positions[part] >= 0).all()
        assert covered.max(initial=0) <= 1
        assert (covered[positions >= 0] == 1).all()
        chunks = chunks[::-1]


def test_a_part_is_about_a_scan_line():
    scan = Scan((64, 64))
    sizes = [part.stop - part.start for part in flat_parts(4096, None, scan, 2 * 256**2)]
    assert set(sizes) == {32}
    assert {part.stop - part.start for part in flat_parts(4096, None, scan, 2 * 64**2)} == {512}


@pytest.mark.parametrize("chunk", [3, (3, 3, 1)])
def test_edges_of_chunks(chunk):
    assert chunk_edges(7, chunk) == [0, 3, 6, 7]
