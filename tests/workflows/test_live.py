import http.client
import json
import os
import signal
import threading
import time

import numpy as np
import pytest
import yaml
from live_data import DETECTOR, SHAPE, Detector, lattice

import crewe
from crewe.errors import CreweError, SourceError, WriteError
from crewe.sources import Known, Scan
from crewe.stem4d.methods import Methods, MethodSettings
from crewe.stem4d.reduction import reduce
from crewe.testing.fake_merlin import FakeMerlin, Fault
from crewe.web.live_page import LivePage
from crewe.workflows import first_batches
from crewe.workflows.live import run_live
from crewe.workflows.live_plan import live_plan
from crewe.workflows.observer import Recorder

CENTRE, RADIUS = (7.5, 7.5), 4.0
GIVEN = {"centre": CENTRE, "radius_px": RADIUS, "kernel": 7, "step_angstrom": (0.2, 0.2)}


def plan(**more):
    methods = ("ricom", "adf", "com")
    return live_plan(
        {"address": "merlin://127.0.0.1", "scan": SHAPE, "methods": methods, **GIVEN, **more}
    )


def images_of(data, **changes):
    """The same images made of an array, with these settings from the start."""
    settings = {"scan": Scan(SHAPE, step_angstrom=(0.2, 0.2)), "kernel_size": 7}
    settings |= {"centre": CENTRE, "radius_px": RADIUS, **changes}
    methods = Methods(("ricom", "adf", "com"), MethodSettings(**settings), DETECTOR)
    reduce(Detector(data), methods.reduction)
    return methods.images()


def same(images, wanted):
    assert set(images) == set(wanted)
    for name, image in wanted.items():
        scale = np.nanmax(np.abs(image.values))
        difference = np.abs(images[name].values - image.values)
        np.testing.assert_array_equal(np.isnan(images[name].values), np.isnan(image.values))
        assert np.nanmax(difference) <= 1e-9 * scale


@pytest.mark.parametrize("threads", [1, 3])
def test_live_is_file(threads):
    data = lattice()
    result = run_live(plan(threads=threads), source=Detector(data))
    same(result.images, images_of(data))
    assert result.summary["measured_share"] == 1


def test_the_newest_scan_is_shown_and_the_sum_on_request():
    first, second = lattice(1), lattice(2)
    both = np.concatenate([first, second])

    class Two(Detector):
        def batches(self):
            self.scans, self._data = 1, first
            yield from super().batches()
            for batch in Detector(second).batches():
                yield type(batch)(batch.positions, batch.patterns, 1)

    same(run_live(plan(), source=Two(first, scans=2)).images, images_of(second))
    summed = run_live(plan(repeats="sum"), source=Two(first, scans=2))
    counts = both.reshape(2, *first.shape).sum(axis=0)
    same({"adf": summed.images["adf"]}, {"adf": images_of(counts)["adf"]})


def test_the_disk_is_found_in_the_first_patterns():
    told = Recorder()
    result = run_live(plan(centre="auto", radius_px="auto"), told, source=Detector(lattice()))
    assert result.settings.centre == pytest.approx(CENTRE, abs=0.5)
    assert np.isfinite(result.images["adf"].values).all()
    assert any("bright-field disk about" in text for _, text in told.heard)


def test_without_a_disk_it_goes_on_and_says_so():
    told = Recorder()
    data = np.full((*SHAPE, *DETECTOR), 3, np.uint16)
    result = run_live(plan(centre="auto", radius_px="auto"), told, source=Detector(data))
    assert ("warning", "no bright-field disk found") in [
        (kind, text[:26]) for kind, text in told.heard
    ]
    assert result.settings.centre == (7.5, 7.5)


FLAT = np.full((*SHAPE, *DETECTOR), 3, np.uint16)
BEAM = {"beam_energy_kev": 200, "semi_angle_mrad": 20}


def test_without_a_disk_nothing_is_calibrated_and_the_note_says_so(tmp_path):
    settings = BEAM | {"centre": "auto", "radius_px": "auto", "output": tmp_path}
    result = run_live(plan(**settings), source=Detector(FLAT))
    assert result.images["ricom"].attrs["units"] == "px·Å"
    assert result.images["com_y"].attrs["units"] == "px"
    note = yaml.safe_load((tmp_path / "phase.yaml").read_text("utf-8"))
    assert note["calibration"]["radius_from"] == "undetermined"
    assert note["calibration"]["radius_px"] is None
    assert note["beam"]["convergence_semi_angle_mrad"] is None
    given = run_live(plan(**BEAM, centre="auto"), source=Detector(FLAT))
    assert given.images["ricom"].attrs["units"] == "rad"
    assert given.summary["calibration"]["radius_from"] == "given"


def test_a_radius_given_on_the_page_calibrates_what_a_missing_disk_could_not(
    monkeypatch,
):
    monkeypatch.setattr(first_batches, "MOST_BYTES", 1)
    data = lattice()
    data[0, :8] = 3
    source = Detector(data, gates={10: threading.Event()})

    class Watched:
        def __init__(self, session):
            self.thread = threading.Thread(target=self.turn, args=(session,))

        def turn(self, session):
            assert source.reached[10].wait(10)
            units.append(session.images()["ricom"].attrs["units"])
            told.append(session.report()["latest_fault"])
            session.change({"centre": [7.5, 7.5]})
            units.append(session.images()["ricom"].attrs["units"])
            session.change({"radius_px": 4.0})
            units.append(session.images()["ricom"].attrs["units"])
            told.append(session.report()["latest_fault"])
            source.gates[10].set()

        def __enter__(self):
            self.thread.start()

        def __exit__(self, *_):
            self.thread.join()

    units, told = [], []
    result = run_live(plan(**BEAM, centre="auto", radius_px="auto"), viewer=Watched, source=source)
    assert units == ["px·Å", "px·Å", "rad"]
    assert "no bright-field disk" in told[0]
    assert told[1] == ""
    wanted = images_of(data, known=Known(None, 200, 20))
    same(result.images, wanted)


@pytest.mark.parametrize(
    "wanted",
    [{"methods": ("ssb",)}, {"detectors": {"ring": {"inner": 30, "outer": 60, "unit": "mrad"}}}],
)
def test_what_cannot_be_without_a_disk_is_told(wanted):
    settings = BEAM | {"centre": "auto", "radius_px": "auto"} | wanted
    with pytest.raises(CreweError, match=r"no bright-field disk found.*give --centre and --radius"):
        run_live(plan(**settings), source=Detector(FLAT))


def test_settings_changed_over_http_are_as_if_from_the_start():
    data, gate = lattice(), threading.Event()
    source, pages = Detector(data, gates={10: gate}), []

    def viewer(session):
        pages.append(LivePage(session, 0))
        return pages[0]

    def turn():
        assert source.reached[10].wait(10)
        wanted = {"kernel_size": 11, "rotation_degrees": 25.0, "mirrored": True}
        wanted |= {"band": [0.2, None], "reference": "centre", "centre": [7.1, 7.9]}
        connection = http.client.HTTPConnection("127.0.0.1", pages[0].port, timeout=10)
        headers = {"X-Crewe-Token": pages[0].token}
        for content, status in ((wanted, 200), ({"kernel_size": 8}, 422)):
            connection.request("POST", "/settings", json.dumps(content), headers)
            answer = connection.getresponse()
            said.append((answer.status, json.loads(answer.read())))
            assert answer.status == status
        connection.close()
        gate.set()

    said = []
    turner = threading.Thread(target=turn)
    turner.start()
    result = run_live(plan(methods=("ricom", "com")), viewer=viewer, source=source)
    turner.join()
    settings = said[0][1]["settings"]
    assert settings["band"] == pytest.approx([0.2, None])
    assert settings["kernel_size"] == 11
    assert "8 × 8" in said[1][1]["error"]
    scan = Scan(SHAPE, step_angstrom=(0.2, 0.2), rotation_degrees=25.0, mirrored=True)
    changed = {"scan": scan, "kernel_size": 11, "band": (0.04, None)}
    wanted = images_of(data, **changed, reference=(7.1, 7.9), centre=(7.1, 7.9))
    del wanted["adf"]
    same(result.images, wanted)
    assert result.summary["calibration"]["centre"] == [7.1, 7.9]


def test_other_radii_begin_anew_with_the_next_position():
    data, gate = lattice(), threading.Event()
    source, sessions = Detector(data, scans=2, gates={30: gate}), []

    class Watched:
        def __init__(self, session):
            sessions.append(session)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    def turn():
        assert source.reached[30].wait(10)
        sessions[0].change({"detectors": {"adf": [5.0, 6.5]}})
        images.update(sessions[0].images())
        gate.set()

    images = {}
    turner = threading.Thread(target=turn)
    turner.start()
    result = run_live(plan(), viewer=Watched, source=source)
    turner.join()
    assert np.isnan(images["adf"].values).all()
    assert np.isfinite(images["ricom"].values).all()
    adf = result.images["adf"].values.ravel()
    ky, kx = np.indices(DETECTOR)
    distance = np.hypot(ky - 7.5, kx - 7.5)
    sums = data.reshape(-1, *DETECTOR)[:, (distance >= 5) & (distance < 6.5)].sum(axis=1)
    assert np.isnan(adf[: 6 * 8]).all()
    np.testing.assert_array_equal(adf[6 * 8 :], sums[6 * 8 :])


def test_files_and_recording(tmp_path):
    data = lattice()
    wanted = plan(output=tmp_path / "out", record=tmp_path / "kept.zarr", beam_energy_kev=200)
    result = run_live(wanted, source=Detector(data))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["adf.tif", "com_x.tif", "com_y.tif", "overview.png", "phase.yaml", "ricom.tif"]
    image = crewe.read(tmp_path / "out" / "ricom.tif")
    np.testing.assert_allclose(image.values, result.images["ricom"].values, rtol=1e-6)
    assert crewe.axes.sampling(image) == pytest.approx((0.2, 0.2))
    note = yaml.safe_load((tmp_path / "out" / "phase.yaml").read_text("utf-8"))
    assert note["counters"]["used"] == 192
    assert note["plan"]["kernel"] == 7
    kept = crewe.read(tmp_path / "kept.zarr")
    np.testing.assert_array_equal(kept.values, data)
    assert kept.attrs["beam_energy_kev"] == 200
    with pytest.raises(WriteError, match="--overwrite"):
        run_live(wanted, source=Detector(data))
    run_live(wanted, source=Detector(data), overwrite=True)


def test_ctrl_c_keeps_what_came(tmp_path):
    data, gate = lattice(), threading.Event()
    source = Detector(data, gates={10: gate})

    def interrupt():
        assert source.reached[10].wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    result = run_live(plan(output=tmp_path, record=tmp_path / "kept.zarr"), source=source)
    thread.join()
    assert result.summary["measured_share"] == pytest.approx(80 / 192)
    adf = crewe.read(tmp_path / "adf.tif").values.ravel()
    assert np.isfinite(adf[:80]).all()
    assert np.isnan(adf[80:]).all()
    attrs = json.loads((tmp_path / "kept.zarr" / "zarr.json").read_text())["attributes"]
    assert not attrs["complete"]
    kept = crewe.read(tmp_path / "kept.zarr").values.reshape(-1, *DETECTOR)
    np.testing.assert_array_equal(kept[:80], data.reshape(-1, *DETECTOR)[:80])


def test_a_detector_that_fails_leaves_what_came_and_says_why(tmp_path):
    data = lattice()
    source = Detector(data, error=SourceError("the detector is silent for 30 s"))
    with pytest.raises(SourceError, match="silent"):
        run_live(plan(output=tmp_path, record=tmp_path / "kept.zarr"), source=source)
    assert np.isfinite(crewe.read(tmp_path / "adf.tif").values).all()
    np.testing.assert_array_equal(crewe.read(tmp_path / "kept.zarr").values, data)


def test_a_recording_that_fails_leaves_the_images(tmp_path, monkeypatch):
    from crewe.workflows import pattern_store

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pattern_store, "_created", full)
    with pytest.raises(WriteError, match="No space left"):
        run_live(plan(output=tmp_path, record=tmp_path / "kept.zarr"), source=Detector(lattice()))
    assert np.isfinite(crewe.read(tmp_path / "adf.tif").values).any()


@pytest.mark.parametrize("centre", ["auto", CENTRE])
def test_nothing_came(centre, tmp_path):
    with pytest.raises(SourceError, match=r"no (pattern of a scan|data)"):
        run_live(plan(centre=centre, output=tmp_path), source=Detector(lattice(), scans=0))
    assert not list(tmp_path.iterdir())


def merlin_plan(merlin, **more):
    places = {"address": f"merlin://127.0.0.1:{merlin.data_port}"}
    return plan(**places, command_port=merlin.command_port, patience_s=5, **more)


def test_a_merlin_over_tcp_equals_the_array(tmp_path):
    data = lattice()
    with FakeMerlin(data) as merlin:
        wanted = merlin_plan(merlin, scans=1, counter_depth=12, record=tmp_path / "kept.zarr")
        result = run_live(wanted)
    same(result.images, images_of(data))
    assert result.counters.used == 192
    assert result.counters.dropped == 0
    kept = crewe.read(tmp_path / "kept.zarr")
    np.testing.assert_array_equal(kept.values, data)


def test_lost_frames_leave_holes_in_images_and_recording(tmp_path):
    data = lattice()
    with FakeMerlin(data, faults=[Fault(50, "skip", 9)]) as merlin:
        wanted = merlin_plan(merlin, scans=1, record=tmp_path / "kept.zarr")
        result = run_live(wanted)
    assert result.counters.dropped == 9
    adf, whole = result.images["adf"].values.ravel(), images_of(data)["adf"].values.ravel()
    hole = np.zeros(192, bool)
    hole[50:59] = True
    np.testing.assert_array_equal(np.isnan(adf), hole)
    np.testing.assert_array_equal(adf[~hole], whole[~hole])
    measured = crewe.read(tmp_path / "kept.zarr", "measured_0").values.ravel()
    np.testing.assert_array_equal(measured, ~hole)


def test_without_scans_a_commanded_merlin_is_followed_until_it_is_stopped():
    """The announced frames, here those of one scan, are not the end of it."""
    data, watched = lattice(), []

    class Watched:
        def __init__(self, session):
            watched.append(threading.Thread(target=self.stop, args=(session,)))

        def stop(self, session):
            while session.counters.used < 900:
                time.sleep(0.01)
            session.stop()

        def __enter__(self):
            watched[0].start()

        def __exit__(self, *_):
            watched[0].join()

    with FakeMerlin(data, frames=192) as merlin:
        result = run_live(merlin_plan(merlin), viewer=Watched)
        assert merlin.commands.number("NUMFRAMESTOACQUIRE") == (2**31 - 1) // 192 * 192
    assert result.counters.used >= 900
    assert result.counters.dropped == 0
    same(result.images, images_of(data))


def test_stop_by_the_page_ends_an_endless_detector():
    data, stoppers = lattice(), []

    def viewer(session):
        page = LivePage(session, 0)
        stoppers.append(threading.Thread(target=stop, args=(session, page)))
        stoppers[0].start()
        return page

    def stop(session, page):
        while session.counters.used < 400:
            time.sleep(0.01)
        connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
        connection.request("POST", "/stop", "{}", {"X-Crewe-Token": page.token})
        assert connection.getresponse().read()
        connection.close()

    with FakeMerlin(data, continuous=True, rate_hz=5000, frames=192 * 50, wait=False) as merlin:
        wanted = merlin_plan(merlin).model_copy(update={"command_port": None})
        result = run_live(wanted, viewer=viewer)
        stoppers[0].join()
    assert result.counters.used > 192
    same(result.images, images_of(data))
