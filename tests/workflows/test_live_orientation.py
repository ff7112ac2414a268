import threading

import numpy as np
import pytest
from live_data import Detector, lattice

from crewe.errors import PlanError
from crewe.sources import Frames, Scan
from crewe.workflows.live import run_live
from crewe.workflows.live_plan import live_plan
from crewe.workflows.live_session import LiveSession
from crewe.workflows.observer import Recorder

SHAPE, ANGLE = (40, 44), 25.0
GIVEN = {"centre": (7.5, 7.5), "radius_px": 4.0, "kernel": 7}


def patterns(angle=ANGLE, mirrored=False, seed=0):
    """Counts whose centres of mass are the gradient of disordered atoms, turned to the detector."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(SHAPE)
    phase = np.zeros(SHAPE)
    for row in np.arange(4, SHAPE[0], 9.0):
        for column in np.arange(4, SHAPE[1], 10.0):
            at = np.array([row, column]) + rng.normal(size=2)
            phase += rng.uniform(0.3, 1) * np.exp(-((y - at[0]) ** 2 + (x - at[1]) ** 2) / 6)
    along_y, along_x = np.gradient(phase)
    turn = np.deg2rad(angle)
    kx = along_x * np.cos(turn) - along_y * np.sin(turn)
    ky = along_x * np.sin(turn) + along_y * np.cos(turn)
    shifts = np.stack([-ky if mirrored else ky, kx]) / np.abs([along_y, along_x]).max() / 2
    shifts += 0.02 * rng.normal(size=shifts.shape)
    counts = np.zeros((*SHAPE, 16, 16), np.uint16)
    counts[..., 7:9, 7:9] = 10000
    counts[..., 8, 7] += np.round(10000 * (1 + shifts[0])).astype(np.uint16)
    counts[..., 6, 7] += np.round(10000 * (1 - shifts[0])).astype(np.uint16)
    counts[..., 7, 8] += np.round(10000 * (1 + shifts[1])).astype(np.uint16)
    counts[..., 7, 6] += np.round(10000 * (1 - shifts[1])).astype(np.uint16)
    return counts


class Watched(Detector):
    """Tells how far each scan is, as detectors do; a second scan comes after the first."""

    def __init__(self, data, scans=1, hold=None):
        super().__init__(data, scans, batch=data.shape[1])
        self.hold = hold

    def batches(self):
        for batch in super().batches():
            if self.hold is not None and batch.scan == 1 and batch.positions[0] > 100:
                self.hold(batch)
            end = int(batch.positions[-1]) + 1
            yield Frames(batch.positions, batch.patterns, batch.scan, end)


def run(data, told=None, viewer=None, scans=1, hold=None, **more):
    shape = data.shape[:2]
    settings = {"address": "merlin://127.0.0.1", "scan": shape, "rotation_degrees": "auto"}
    plan = live_plan({**settings, **GIVEN, **more})
    return run_live(plan, told, source=Watched(data, scans, hold), viewer=viewer)


class Viewer:
    def __init__(self, sessions):
        self.sessions = sessions

    def __call__(self, session):
        self.sessions.append(session)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.mark.parametrize("mirrored", [False, True])
def test_rotation_and_handedness_are_found_after_the_first_scan(mirrored):
    data, sessions, seen = patterns(mirrored=mirrored), [], []
    told = Recorder()
    result = run(
        data, told, Viewer(sessions), 2, lambda _: seen.append(sessions[0].settings().copy())
    )
    # Found while the second scan goes on, and applied to the images.
    assert seen[0]["rotation_degrees"] == pytest.approx(ANGLE, abs=2)
    assert seen[0]["mirrored"] == mirrored
    angle = result.settings.scan.rotation_degrees
    given = run(data, rotation_degrees=angle, mirrored=mirrored)
    np.testing.assert_allclose(result.images["ricom"].values, given.images["ricom"].values)
    note = result.summary["calibration"]["orientation_found"]
    assert note["rotation_degrees"] == pytest.approx(angle, abs=1e-3)
    assert sum("scan rotation 2" in text for _, text in told.heard) == 1


def test_a_scan_that_is_the_last_is_asked_too_and_given_handedness_is_kept():
    result = run(patterns())
    assert result.settings.scan.rotation_degrees == pytest.approx(ANGLE, abs=2)
    kept = run(patterns(mirrored=True), mirrored=True)
    assert kept.settings.scan.mirrored
    assert kept.settings.scan.rotation_degrees == pytest.approx(ANGLE, abs=2)


def test_data_that_do_not_tell_turn_nothing_and_warn_once():
    """The gradient of a lattice of cosines has no curl in either handedness."""
    told = Recorder()
    result = run(lattice(shape=(24, 24)), told, scans=3)
    assert result.settings.scan == Scan((24, 24))
    assert result.summary["calibration"]["orientation_found"] is None
    warned = [text for kind, text in told.heard if kind == "warning"]
    assert len(warned) == 1
    assert "do not tell the scan rotation" in warned[0]


def test_who_turns_it_on_the_page_has_it_so():
    sessions, turned = [], threading.Event()

    class Turning(Watched):
        def batches(self):
            for number, batch in enumerate(super().batches()):
                if number == 5:
                    sessions[0].change({"rotation_degrees": 3.0})
                    turned.set()
                yield batch

    plan = {"address": "merlin://127.0.0.1", "scan": SHAPE, "rotation_degrees": "auto", **GIVEN}
    result = run_live(live_plan(plan), source=Turning(patterns()), viewer=Viewer(sessions))
    assert turned.is_set()
    assert result.settings.scan.rotation_degrees == 3.0


def test_the_button_finds_it_and_turning_by_hand_forgets_what_was_found():
    sessions: list[LiveSession] = []
    run(patterns(), viewer=Viewer(sessions), rotation_degrees=0.0)
    session = sessions[0]
    assert session.settings()["rotation_degrees"] == 0.0
    session.change({"rotation_degrees": "auto"})
    assert session.settings()["rotation_degrees"] == pytest.approx(ANGLE, abs=2)
    session.change({"kernel_size": 5})
    assert session.knobs.orientation is not None
    session.change({"rotation_degrees": 10.0})
    assert session.knobs.orientation is None
    run(lattice(shape=(24, 24)), viewer=Viewer(sessions), rotation_degrees=0.0)
    with pytest.raises(PlanError, match="do not tell the scan rotation"):
        sessions[1].change({"rotation_degrees": "auto", "kernel_size": 5})
    assert sessions[1].settings()["kernel_size"] == 7
