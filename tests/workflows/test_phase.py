import json

import numpy as np
import pytest
import yaml
from phase_data import CENTRE, RADIUS, TICKS_PER_US, as_electrons, phantom, plan_of

from crewe import io
from crewe.axes import Axis, calibrated_array, length_unit, sampling
from crewe.errors import CalibrationError, ImageError, PlanError, ReadError, WriteError
from crewe.physics.electron import wavelength_angstrom
from crewe.sources.memory import ArraySource
from crewe.stem4d.methods import Methods, MethodSettings
from crewe.stem4d.reduction import reduce
from crewe.testing.timepix3_encoding import (
    FALLING_1,
    RISING_1,
    encode_tpx3,
    write_t3p,
    write_tpx3,
)
from crewe.workflows.observer import Recorder
from crewe.workflows.phase import make_images, phase_unless_finished, run_phase


@pytest.fixture(scope="session")
def patterns():
    return phantom()


@pytest.fixture
def data(patterns, tmp_path):
    """A calibrated set of 0.2 Å steps in a folder of its own."""
    axes = (Axis("y", 0.2, 0, "Å"), Axis("x", 0.2, 0, "Å"), Axis("ky"), Axis("kx"))
    io.write(tmp_path / "gold.hspy", calibrated_array(patterns, axes))
    return tmp_path / "gold.hspy"


def test_images_are_those_of_the_methods(data, patterns):
    names = ("ricom", "com", "adf", "total")
    plan = plan_of(
        data,
        methods=names,
        centre=CENTRE,
        radius_px=RADIUS,
        beam_energy_kev=200,
        semi_angle_mrad=20,
    )
    result = run_phase(plan)
    source = ArraySource(patterns, result.calibration.scan)
    settings = MethodSettings(source.scan, CENTRE, RADIUS, result.calibration.known)
    methods = Methods(names, settings, source.detector_shape)
    reduce(source, methods.reduction)
    expected = methods.images()
    assert expected.keys() == result.images.keys()
    for name, image in expected.items():
        np.testing.assert_array_equal(result.images[name], image)
        written = io.read(plan.output / f"{name}.tif")
        np.testing.assert_allclose(written, image, rtol=1e-6)
        assert sampling(written) == pytest.approx((0.2, 0.2))
        assert length_unit(written) == "Å"
    assert result.images["ricom"].attrs["units"] == "rad"


def test_threads_change_nothing(data):
    plan = plan_of(data, methods=("ricom", "haadf", "icom"))
    one = make_images(plan)
    four = make_images(plan.model_copy(update={"threads": 4}))
    for name, image in one.images.items():
        np.testing.assert_array_equal(four.images[name], image)
    assert one.counters == four.counters


def test_disk_is_found_and_calibrates_the_detector(data):
    plan = plan_of(data, methods=("com",), beam_energy_kev=200, semi_angle_mrad=20)
    found = make_images(plan).calibration
    assert found.centre == pytest.approx(CENTRE, abs=0.15)
    # Shifts wash the edge out.
    assert found.radius_px == pytest.approx(RADIUS, abs=0.6)
    size = 20e-3 / wavelength_angstrom(200) / found.radius_px
    assert found.sampling_inverse_angstrom == pytest.approx((size, size))


@pytest.mark.parametrize(("rotation", "mirrored"), [(0, False), (37, False), (-120, True)])
def test_rotation_and_handedness_are_found(rotation, mirrored, tmp_path):
    np.save(tmp_path / "turned.npy", phantom(rotation, mirrored))
    np.save(tmp_path / "plain.npy", phantom())
    heard = Recorder()
    turned = make_images(plan_of(tmp_path / "turned.npy", rotation_degrees="auto"), heard)
    scan = turned.calibration.scan
    assert scan.rotation_degrees == pytest.approx(rotation, abs=2)
    assert scan.mirrored is mirrored
    assert any("scan rotation" in text for _, text in heard.heard)
    plain = make_images(plan_of(tmp_path / "plain.npy"))
    likeness = np.corrcoef(turned.images["ricom"].values.flat, plain.images["ricom"].values.flat)
    assert likeness[0, 1] > 0.99


def test_what_the_data_do_not_tell_is_assumed_and_told(tmp_path):
    np.save(tmp_path / "flat.npy", np.random.default_rng(0).poisson(3, (12, 12, 24, 26)))
    heard = Recorder()
    settings = {"rotation_degrees": "auto", "centre": CENTRE, "radius_px": RADIUS}
    found = make_images(plan_of(tmp_path / "flat.npy", **settings), heard).calibration
    assert (found.scan.rotation_degrees, found.scan.mirrored) == (0, False)
    assert found.note()["rotation_from"] == found.note()["mirrored_from"] == "undetermined"
    assert any(kind == "warning" and "0 is assumed" in text for kind, text in heard.heard)


def test_a_given_handedness_is_kept_when_the_rotation_is_sought(tmp_path):
    np.save(tmp_path / "turned.npy", phantom(37, True))
    plan = plan_of(tmp_path / "turned.npy", rotation_degrees="auto", mirrored=True)
    scan = make_images(plan).calibration.scan
    assert scan.rotation_degrees == pytest.approx(37, abs=2)
    assert scan.mirrored


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_handedness_at_a_given_rotation_is_found(mirrored, tmp_path):
    np.save(tmp_path / "turned.npy", phantom(37, mirrored))
    heard = Recorder()
    found = make_images(plan_of(tmp_path / "turned.npy", rotation_degrees=37), heard).calibration
    assert (found.scan.rotation_degrees, found.scan.mirrored) == (37, mirrored)
    note = found.note()
    assert (note["rotation_from"], note["mirrored_from"]) == ("given", "from the least curl")
    assert not [text for kind, text in heard.heard if kind == "warning"]
    assert any("mirrored, by the least curl at 37°" in text for _, text in heard.heard)
    both = plan_of(tmp_path / "turned.npy", rotation_degrees=37, mirrored=not mirrored)
    kept = make_images(both).calibration
    assert kept.scan.mirrored is not mirrored
    assert kept.note()["mirrored_from"] == "given"


def test_a_handedness_that_the_data_do_not_tell_is_told(tmp_path):
    np.save(tmp_path / "flat.npy", np.random.default_rng(0).poisson(3, (20, 20, 24, 26)))
    heard = Recorder()
    plan = plan_of(tmp_path / "flat.npy", rotation_degrees=12, centre=CENTRE, radius_px=RADIUS)
    found = make_images(plan, heard).calibration
    assert (found.scan.rotation_degrees, found.scan.mirrored) == (12, False)
    note = found.note()
    assert (note["rotation_from"], note["mirrored_from"]) == ("given", "undetermined")
    said = [text for kind, text in heard.heard if kind == "warning"]
    assert any("not mirrored is assumed" in text and "--no-mirrored" in text for text in said)


def test_one_damaged_pattern_spoils_one_position(patterns, data, tmp_path):
    damaged = patterns.astype(np.float32)
    damaged[3, 4] = np.nan
    damaged[20, 5, 11, 12] = np.inf
    np.save(tmp_path / "damaged.npy", damaged)
    methods = ("com", "ricom", "icom", "adf", "ssb")
    known = {"beam_energy_kev": 200, "semi_angle_mrad": 20, "step_angstrom": (0.2, 0.2)}
    whole, most = (
        make_images(plan_of(path, methods=methods, **known))
        for path in (data, tmp_path / "damaged.npy")
    )
    assert most.calibration.radius_px == pytest.approx(whole.calibration.radius_px, abs=0.02)
    for name in ("com_y", "adf", "ssb_phase"):
        lost = ~np.isfinite(most.images[name].values)
        assert lost[3, 4]
        assert lost.sum() <= 2
    for name in ("ricom", "icom", "ssb_phase"):
        one, other = whole.images[name].values, most.images[name].values
        known = np.isfinite(other)
        assert np.corrcoef(one[known], other[known])[0, 1] > 0.99


def test_ssb_takes_its_settings_from_the_plan(data):
    known = {"beam_energy_kev": 200, "semi_angle_mrad": 20, "step_angstrom": (0.2, 0.2)}
    flat, natural, binned = (
        make_images(plan_of(data, methods=("ssb",), **known, **more)).images["ssb_phase"]
        for more in ({}, {"ssb_transfer": "natural"}, {"ssb_across": 8})
    )
    assert not np.allclose(flat, natural)
    assert not np.allclose(flat, binned)
    with pytest.raises(PlanError, match="GiB"):
        make_images(plan_of(data, methods=("ssb",), **known, ssb_memory_gib=1e-6))


def test_a_disk_is_asked_for_only_where_it_is_needed(tmp_path):
    np.save(tmp_path / "flat.npy", np.ones((10, 12, 24, 26), np.uint8))
    note = make_images(plan_of(tmp_path / "flat.npy", methods=("total",))).calibration.note()
    assert (note["radius_px"], note["radius_from"]) == (None, "undetermined")
    with pytest.raises(ImageError, match=r"no bright-field disk.*--radius 40"):
        make_images(plan_of(tmp_path / "flat.npy", methods=("adf",)))


def test_radius_of_a_calibrated_detector_without_a_round_disk(tmp_path):
    frames = np.ones((10, 12, 16, 18), np.uint8)
    pixel = 0.1
    axes = (Axis("y"), Axis("x"), Axis("ky", pixel, 0, "1/Å"), Axis("kx", pixel, 0, "1/Å"))
    beam = {"beam_energy_kev": 100.0, "convergence_semi_angle_mrad": 15.0}
    io.write(tmp_path / "even.hspy", calibrated_array(frames, axes, attrs=beam))
    heard = Recorder()
    found = make_images(plan_of(tmp_path / "even.hspy", methods=("bf",)), heard).calibration
    assert found.radius_px == pytest.approx(15e-3 / wavelength_angstrom(100) / pixel)
    assert found.centre == pytest.approx((7.5, 8.5))
    assert any("by the semi-angle" in text for _, text in heard.heard)


def test_detectors_of_their_own_radii_in_every_unit(data, patterns):
    rings = {
        "inner": {"inner": 0, "outer": 0.5},
        "pixels": {"inner": 0, "outer": 3, "unit": "px"},
        "angles": {"inner": 0, "outer": 10, "unit": "mrad"},
    }
    settings = {"methods": (), "detectors": rings, "centre": CENTRE, "radius_px": RADIUS}
    images = make_images(plan_of(data, **settings, beam_energy_kev=200, semi_angle_mrad=20)).images
    ky, kx = np.mgrid[:24, :26]
    mask = np.hypot(ky - CENTRE[0], kx - CENTRE[1]) < 3
    for name in rings:
        np.testing.assert_array_equal(images[name], patterns[..., mask].sum(-1))
    with pytest.raises(PlanError, match=r"detector angles: .* need --semi-angle"):
        make_images(plan_of(data, **settings))


def test_the_note_holds_plan_calibration_and_counters(data):
    plan = plan_of(data, methods=("ricom", "bf"), band={"low": 0.02, "high": 0.3}, format="hspy")
    run_phase(plan)
    note = yaml.safe_load((plan.output / "phase.yaml").read_text())
    assert note["plan"]["band"] == {"low": 0.02, "high": 0.3, "unit": "1/step"}
    assert note["calibration"]["centre_from"] == "from the mean pattern"
    assert note["counters"]["used"] == note["counters"]["received"] == 30 * 34
    assert note["files"] == ["bf.hspy", "ricom.hspy"]
    assert note["measured_share"] == 1
    attrs = io.read(plan.output / "ricom.hspy").attrs
    assert json.loads(attrs["phase"]) == note
    assert (plan.output / "overview.png").read_bytes().startswith(b"\x89PNG")


def test_a_result_is_kept_until_it_may_be_replaced(data):
    plan, heard = plan_of(data, methods=("total", "bf")), Recorder()
    first = phase_unless_finished(plan, heard)
    again = phase_unless_finished(plan, heard)
    assert again.skipped
    assert not first.skipped
    assert again.summary["measured_share"] == 1
    other = plan.model_copy(update={"methods": ("total",)})
    with pytest.raises(WriteError, match="--overwrite"):
        phase_unless_finished(other, heard)
    assert not phase_unless_finished(other, heard, overwrite=True).skipped
    assert not (plan.output / "bf.tif").exists()
    (plan.output / "total.tif").unlink()
    with pytest.raises(WriteError, match="--overwrite"):
        phase_unless_finished(other, heard)


def test_interrupted_and_empty_scans_are_told(data, tmp_path):
    heard = Recorder()
    with pytest.raises(PlanError, match="no whole number of scans"):
        make_images(plan_of(data, scan=(30, 35)), heard)
    half = make_images(plan_of(data, methods=("total",), scan=(60, 34), partial=True), heard)
    assert half.summary["measured_share"] == 0.5
    scan = {"scan": (30, 36), "sync_offset": -60}
    late = make_images(plan_of(data, methods=("total",), **scan), heard)
    assert late.summary["measured_share"] == pytest.approx(1020 / 1080)
    assert np.isnan(late.images["total"].values[0]).all()
    assert ("warning", "5.6 % of the probe positions were not measured") in heard.heard


def test_electrons_give_the_images_of_frames(tmp_path):
    counts = phantom(scan_shape=(12, 14), electrons=40)
    np.save(tmp_path / "frames.npy", np.pad(counts, ((0, 0), (0, 0), (0, 232), (0, 230))))
    times, pixels = as_electrons(counts)
    write_t3p(tmp_path / "events.t3p", times, pixels)
    lines = np.arange(12) * 14 * TICKS_PER_US
    edges = np.stack([lines, lines + 14 * TICKS_PER_US - 1], axis=1).ravel()
    kinds, numbers = np.tile([RISING_1, FALLING_1], 12), np.arange(24) // 2
    write_tpx3(tmp_path / "events.tpx3", encode_tpx3(times, pixels, (edges, kinds, numbers)))
    names, disk = ("ricom", "total", "adf", "com"), {"centre": CENTRE, "radius_px": RADIUS}
    frames = make_images(plan_of(tmp_path / "frames.npy", methods=names, **disk)).images
    for name in ("events.t3p", "events.tpx3"):
        plan = plan_of(tmp_path / name, methods=names, scan=(12, 14), dwell_time_us=1, **disk)
        if name == "events.tpx3":
            plan = plan.model_copy(update={"source": {"chips": 1}})
        result = make_images(plan)
        assert result.counters.used == counts.sum()
        for kind, image in frames.items():
            np.testing.assert_array_equal(result.images[kind], image)
        early = make_images(plan.model_copy(update={"acceptance_us": 0.5}))
        assert 0.3 < early.counters.used / counts.sum() < 0.7
    with pytest.raises(PlanError, match="'colour' does not apply"):
        make_images(plan.model_copy(update={"source": {"colour": 1}}))


def test_ssb_asks_for_what_it_needs(data):
    with pytest.raises(CalibrationError, match="beam energy, convergence semi-angle"):
        make_images(plan_of(data, methods=("ssb",)))
    plan = plan_of(data, methods=("ssb",), beam_energy_kev=200, semi_angle_mrad=20)
    assert np.isfinite(make_images(plan).images["ssb_phase"]).all()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"methods": ("hubble",)}, "no method 'hubble'"),
        ({"methods": ()}, "name at least one method"),
        ({"kernel": 60}, "give an odd number"),
        ({"kernel": -1}, "kernel = -1"),
        ({"flyback_per_line": 1}, "go with a scan"),
        ({"detectors": {"../adf": {"inner": 1}}}, "cannot be called"),
        ({"detectors": {"adf": {"inner": 2, "outer": 1}}}, "inner radius must be below"),
        ({"step_angstrom": (0.2, -1)}, "step_angstrom.1|step_angstrom"),
        ({"colour": "red"}, "colour"),
        ({"format": "bmp"}, "format = 'bmp'"),
    ],
)
def test_plans_that_cannot_be_run(settings, said, tmp_path):
    with pytest.raises(PlanError, match=said):
        plan_of(tmp_path / "gold.npy", **settings)


def test_bands_in_other_units_and_large_kernels(data):
    with pytest.raises(PlanError, match="most of use"):
        make_images(plan_of(data, kernel=1001))
    as_steps = plan_of(data, band={"low": 0.1, "high": 0.3})
    as_lengths = plan_of(data, band={"low": 0.5, "high": 1.5, "unit": "1/A"})
    as_pixels = plan_of(data, band={"low": 3.4, "high": 10.2, "unit": "px"})
    images = [make_images(plan).images["ricom"] for plan in (as_steps, as_lengths, as_pixels)]
    for image in images[1:]:
        np.testing.assert_allclose(image, images[0], atol=1e-9)
    assert float(abs(images[0] - make_images(plan_of(data)).images["ricom"]).max()) > 1e-3


def test_data_that_cannot_be_read(tmp_path):
    (tmp_path / "empty.npy").touch()
    with pytest.raises(ReadError, match="empty"):
        make_images(plan_of(tmp_path / "empty.npy"))
    io.write(tmp_path / "a.tif", calibrated_array(np.ones((8, 8)), (Axis("y"), Axis("x"))))
    with pytest.raises(ReadError, match="holds no 4D data"):
        make_images(plan_of(tmp_path / "a.tif"))
