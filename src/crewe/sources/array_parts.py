"""How an array is cut into parts: about a scan line each, every stored chunk read once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise

from crewe.sources.scan import Scan

PART_BYTES = 4 * 2**20
"""Enough that threads seldom wait for each other, few enough to stay near the processor."""
LARGEST_PART_BYTES = 256 * 2**20
"""Chunks that hold more patterns than this are read in several passes, to bound the memory."""

Edges = Sequence[int]


def chunk_edges(size: int, chunk: int | Sequence[int]) -> list[int]:
    """Return where the chunks along an axis begin and the last one ends."""
    if isinstance(chunk, int):
        return [*range(0, size, chunk), size]
    edges = [0]
    for length in chunk:
        edges.append(edges[-1] + int(length))
    return edges


def grid_parts(rows: Edges, columns: Edges, frame_bytes: int) -> Iterator[tuple[slice, slice]]:
    """Yield the rectangles of a scan, given the edges of its chunks, line by line.

    Chunks side by side are joined up to PART_BYTES, whole lines of small ones too.
    """
    tallest = min(_longest(rows), max(1, LARGEST_PART_BYTES // (frame_bytes * _longest(columns))))
    across = _joined(columns, frame_bytes * tallest)
    height = frame_bytes * columns[-1] if len(across) == 2 else LARGEST_PART_BYTES
    down = _joined(rows, height, tallest)
    for top, bottom in pairwise(down):
        for left, right in pairwise(across):
            yield slice(top, bottom), slice(left, right)


def flat_parts(frames: int, chunks: Edges | None, scan: Scan, frame_bytes: int) -> Iterator[slice]:
    """Yield ranges of a stack of frames, none of which reaches from one scan into the next.

    Without chunks, ranges hold no flyback frames either, so that nothing need be copied.
    """
    for begin in range(scan.sync_offset, frames, scan.frames_per_scan):
        if chunks is not None:
            inside = _within(chunks, begin, begin + scan.frames_per_scan - scan.flyback_per_scan)
            yield from _slices(_joined(inside, frame_bytes))
        elif scan.flyback_per_line:
            for row in range(scan.shape[0]):
                line = begin + row * scan.frames_per_line
                yield from _slices(_line_pieces(line, scan.shape[1], 1, frames, frame_bytes))
        else:
            yield from _slices(_line_pieces(begin, *scan.shape[::-1], frames, frame_bytes))


def _line_pieces(begin: int, columns: int, rows: int, frames: int, frame_bytes: int) -> list[int]:
    """Cut lines that follow each other: several small ones together, a large one into equal parts.

    Only what lies in 0…frames is kept: the first frames may never have been recorded.
    """
    most = max(1, PART_BYTES // frame_bytes)
    step = most // columns * columns
    if step == 0:
        step = -(-columns // -(-columns // most))
        steps = [row * columns + start for row in range(rows) for start in range(0, columns, step)]
    else:
        steps = list(range(0, rows * columns, step))
    edges = [begin + start for start in [*steps, rows * columns]]
    return sorted({min(max(edge, 0), frames) for edge in edges})


def _within(chunks: Edges, begin: int, end: int) -> list[int]:
    """Keep the chunk edges between two frames, and these as further edges."""
    begin, end = max(begin, 0), min(end, chunks[-1])
    if begin >= end:
        return []
    return [begin, *chunks[bisect_right(chunks, begin) : bisect_left(chunks, end)], end]


def _joined(edges: Edges, unit_bytes: int, longest: int | None = None) -> list[int]:
    """Join neighbouring chunks up to PART_BYTES; cut those that are longer than memory allows."""
    if len(edges) < 2:
        return []
    longest = longest or max(1, LARGEST_PART_BYTES // unit_bytes)
    kept = [edges[0]]
    for start, stop in pairwise(edges):
        full = (stop - kept[-1]) * unit_bytes > PART_BYTES or stop - start > longest
        if kept[-1] != start and full:
            kept.append(start)
        while stop - start > longest and stop - kept[-1] > longest:
            kept.append(kept[-1] + longest)
    return kept if kept[-1] == edges[-1] else [*kept, edges[-1]]


def _longest(edges: Edges) -> int:
    return max((stop - start for start, stop in pairwise(edges)), default=1)


def _slices(edges: Edges) -> Iterator[slice]:
    for start, stop in pairwise(edges):
        yield slice(start, stop)
