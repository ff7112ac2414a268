import numpy as np
import pytest
from phase_data import CENTRE, RADIUS, phantom, plan_of

import crewe
from crewe.errors import PlanError
from crewe.testing.merlin_messages import frame_header, pixels
from crewe.workflows.observer import Recorder
from crewe.workflows.phase import make_images

DISK = {"centre": CENTRE, "radius_px": RADIUS, "methods": ("total",)}


@pytest.fixture
def merlin_file(tmp_path):
    """Write a scan of 8 × 12 as a .mib whose header times say nothing."""
    patterns = phantom(scan_shape=(8, 12), electrons=200)

    def written(hdr=None, frames=96):
        stored = pixels(patterns.reshape(-1, 24, 26))
        with (tmp_path / "scan.mib").open("wb") as file:
            for number in range(frames):
                file.write(frame_header((24, 26), number=number + 1) + stored[number].tobytes())
        if hdr is not None:
            (tmp_path / "scan.hdr").write_text(hdr)
        return tmp_path / "scan.mib", patterns.sum((2, 3))

    return written


def messages(heard):
    return [text for kind, text in heard.heard if kind == "message"]


def test_frames_of_which_nothing_is_known_are_no_line(merlin_file):
    path, total = merlin_file()
    suggested = r"scan.mib: a stack of 96 frames .* rows and columns.*--scan 8x12"
    with pytest.raises(PlanError, match=suggested):
        make_images(plan_of(path, **DISK))
    with pytest.raises(PlanError, match=suggested):
        crewe.phase_images(path, "total")
    result = make_images(plan_of(path, scan=(8, 12), **DISK))
    np.testing.assert_array_equal(result.images["total"], total)
    assert result.summary["scan_from"] == "given"
    line = make_images(plan_of(path, scan=(1, 96), **DISK))
    np.testing.assert_array_equal(line.images["total"], total.reshape(1, 96))


def test_a_single_frame_needs_no_scan(merlin_file):
    path, total = merlin_file(frames=1)
    assert make_images(plan_of(path, **DISK)).images["total"].values == total[0, 0]


def test_a_scan_that_was_found_is_told_and_noted(merlin_file):
    hdr = "HDR,\nFrames in Acquisition (Number):\t96\nFrames per Trigger (Number):\t12\nEnd\n"
    path, total = merlin_file(hdr)
    heard = Recorder()
    result = make_images(plan_of(path, **DISK), heard)
    np.testing.assert_array_equal(result.images["total"], total)
    assert result.summary["scan_from"] == "frames per trigger in the .hdr file"
    assert "scan of 8 × 12 from the frames per trigger in the .hdr file" in messages(heard)
    assert not any("scan of" in text for text in messages(_of_array(path.parent)))


def test_a_dwell_time_goes_with_a_scan_that_the_data_know(tmp_path):
    patterns = phantom(scan_shape=(8, 12), electrons=200)
    np.save(tmp_path / "set.npy", patterns)
    result = make_images(plan_of(tmp_path / "set.npy", dwell_time_us=2.5, **DISK))
    assert result.calibration.scan.dwell_time_us == result.summary["scan"]["dwell_time_us"] == 2.5
    np.testing.assert_array_equal(result.images["total"], patterns.sum((2, 3)))
    (tmp_path / "a.t3p").write_bytes(bytes(64))
    with pytest.raises(PlanError, match="does not say how the probe goes"):
        make_images(plan_of(tmp_path / "a.t3p", dwell_time_us=2.5, **DISK))


def _of_array(folder):
    np.save(folder / "set.npy", phantom(scan_shape=(8, 12), electrons=200))
    heard = Recorder()
    result = make_images(plan_of(folder / "set.npy", **DISK), heard)
    assert result.summary["scan_from"] == "the data"
    return heard
