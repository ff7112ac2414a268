import numpy as np
import pytest

from crewe.errors import PlanError
from crewe.sources import NOWHERE, Scan


def walked(scan, scans):
    """Every frame of some scans, as the probe goes."""
    places = []
    for number in range(scans):
        for row in range(scan.shape[0]):
            places += [(number, row * scan.shape[1] + column) for column in range(scan.shape[1])]
            places += [(number, NOWHERE)] * scan.flyback_per_line
        places += [(number, NOWHERE)] * scan.flyback_per_scan
    return places


@pytest.mark.parametrize("flyback", [(0, 0), (2, 0), (0, 3), (1, 5)])
def test_frames_are_placed_as_the_probe_goes(flyback):
    scan = Scan((3, 4), *flyback)
    expected = walked(scan, 2)
    numbers, positions = scan.place(np.arange(2 * scan.frames_per_scan))
    assert list(zip(numbers.tolist(), positions.tolist(), strict=True)) == expected


def test_sync_offset_moves_the_first_position():
    late = Scan((2, 3), sync_offset=2)
    assert late.place(np.arange(4))[1].tolist() == [NOWHERE, NOWHERE, 0, 1]
    assert Scan((2, 3), sync_offset=-2).place(np.arange(2))[1].tolist() == [2, 3]


@pytest.mark.parametrize("scan", [Scan((3, 4)), Scan((3, 4), 2, 5), Scan((3, 4), 1, 0, 7)])
def test_positions_before_a_frame_are_finished(scan):
    scans, positions = scan.place(np.arange(3 * scan.frames_per_scan))
    for number in range(3 * scan.frames_per_scan):
        current, finished = scan.finished_before(number)
        seen = positions[:number][(scans[:number] == current) & (positions[:number] >= 0)]
        assert finished == len(seen)


@pytest.mark.parametrize(
    "wrong",
    [
        {"shape": (0, 4)},
        {"shape": (4, 4), "flyback_per_line": -1},
        {"shape": (4, 4), "step_angstrom": (0.1, 0.0)},
        {"shape": (4, 4), "dwell_time_us": float("nan")},
    ],
)
def test_impossible_scans_are_refused(wrong):
    with pytest.raises(PlanError):
        Scan(**wrong)
