import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewe.errors import PlanError
from crewe.sources import Scan
from crewe.sources.frame_count import check_frame_count, shapes_of


@pytest.mark.parametrize(
    ("frames", "scan"),
    [
        (12, Scan((3, 4))),
        (36, Scan((3, 4))),
        (15, Scan((3, 4), flyback_per_line=1)),
        (14, Scan((3, 4), flyback_per_line=1)),
        (17, Scan((3, 4), flyback_per_line=1, flyback_per_scan=2)),
        (14, Scan((3, 4), sync_offset=2)),
        (10, Scan((3, 4), sync_offset=-2)),
    ],
)
def test_whole_scans_pass(frames, scan):
    check_frame_count(frames, scan)


@pytest.mark.parametrize(
    ("frames", "scan", "said"),
    [
        (11, Scan((3, 4)), "11 frames are no whole number"),
        (2, Scan((3, 4), sync_offset=3), "from frame 3 on"),
        (18, Scan((3, 4)), "--scan 3x4 --flyback-line 2, --scan 3x6"),
        (13, Scan((3, 4)), "--scan 3x4 --flyback-scan 1"),
        (16, Scan((3, 4), flyback_per_line=1), r"\(15 frames with flyback\)"),
    ],
)
def test_others_are_refused_with_a_way_out(frames, scan, said):
    with pytest.raises(PlanError, match=said):
        check_frame_count(frames, scan, "a.npy")


@given(st.integers(1, 10**6))
def test_suggested_shapes_fit(frames):
    for rows, columns in shapes_of(frames):
        assert rows * columns == frames
        assert 1 < rows <= columns <= 8 * rows
