import json

import numpy as np
import pytest
from simulation_data import (
    DARK,
    HOW,
    NARROW,
    PIXEL,
    RING,
    one_atom,
    particle,
    plan,
    small_emulator,
    written,
)

from crewe import io
from crewe.axes import sampling
from crewe.errors import CalibrationError, PlanError, ReadError, WriteError
from crewe.simulation.multislice_detectors import AnnularDetector
from crewe.workflows.observer import Recorder
from crewe.workflows.simulate import run_simulation, simulate


@pytest.fixture
def platinum(tmp_path):
    return written(tmp_path / "pt.xyz", particle())


@pytest.mark.parametrize("suffix", ["zarr", "tif", "hspy", "npz"])
def test_the_image_is_written_with_its_making(platinum, suffix):
    request = plan(platinum, f"image.{suffix}")
    result = run_simulation(request)
    stored = io.read(request.output)
    np.testing.assert_array_equal(stored.values, result.image.values)
    assert sampling(stored) == pytest.approx((PIXEL, PIXEL))
    note = json.loads(stored.attrs["simulation"])
    assert note["plan"]["probe_sigma_angstrom"] == 0.38
    assert note["result"]["maximum"] == pytest.approx(float(stored.max()))
    assert stored.attrs["units"] == "fraction of beam"


def test_several_detectors_are_a_stack(platinum):
    rings = {"a": AnnularDetector(50, 150), "b": AnnularDetector(80, 150)}
    result = run_simulation(plan(platinum, "image.tif", detectors=rings))
    assert result.image.dims == ("detector", "y", "x")
    stored = io.read(plan(platinum, "image.tif").output)
    assert stored.shape == result.image.shape
    assert json.loads(stored.attrs["detectors_mrad"]) == {"a": [50, 150], "b": [80, 150]}
    assert float(result.image[1].max()) < float(result.image[0].max())


def test_the_summary_is_said(platinum):
    listener = Recorder()
    result = run_simulation(plan(platinum), listener)
    assert json.loads(json.dumps(result.summary)) == result.summary
    (said,) = [text for kind, text in listener.heard if kind == "finished"]
    assert f"mean {result.summary['mean']:.4g}, maximum" in said
    assert "(fraction of beam)" in said
    assert str(plan(platinum).output) in said


def test_nothing_is_overwritten_unless_asked(platinum):
    request = plan(platinum)
    run_simulation(request)
    with pytest.raises(WriteError, match="exists"):
        run_simulation(request)
    run_simulation(request, overwrite=True)


def test_where_nothing_can_be_written_nothing_is_simulated(platinum, tmp_path):
    with pytest.raises(WriteError, match=r"no format '\.jpg'"):
        run_simulation(plan(platinum, "image.jpg"))
    with pytest.raises(WriteError, match="its folder does not exist"):
        run_simulation(plan(platinum, "none/image.tif"))
    with pytest.raises(WriteError, match=r"a picture is a \.png"):
        run_simulation(plan(platinum), picture=tmp_path / "a.tif")


def test_a_picture_is_drawn(platinum, tmp_path):
    run_simulation(plan(platinum), picture=tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_an_emulators_errors_go_beside_its_image(platinum, tmp_path):
    model = small_emulator(tmp_path / "pt.emulator")
    request = plan(platinum, model=str(model), errors=True, pixel_size_angstrom=None)
    result = run_simulation(request)
    errors = io.read(request.error_path)
    assert errors.shape == io.read(request.output).shape
    assert float(errors.mean()) > 0
    assert result.summary["inside_domain"]
    assert sampling(result.image) == pytest.approx((HOW.pixel_size_angstrom,) * 2)


def test_an_emulated_image_names_its_own_detector_alone(platinum, tmp_path):
    model = small_emulator(tmp_path / "pt.emulator")
    rings = {"bf": AnnularDetector(0, 20), "dark": RING, "adf": AnnularDetector(30, 60)}
    listener = Recorder()
    request = plan(platinum, model=str(model), detectors=rings)
    result = run_simulation(request, listener, picture=tmp_path / "a.png")
    assert json.loads(result.image.attrs["detectors_mrad"]) == {"dark": [50, 150]}
    said = [text for kind, text in listener.heard if kind == "warning"]
    assert said == ["an emulator makes the image of one detector: bf, adf left out"]
    alone = simulate(plan(platinum, model=str(model), detectors={}, optics=None))
    assert json.loads(alone.image.attrs["detectors_mrad"]) == {"emulator": [50, 150]}


def test_only_multislice_keeps_configurations(platinum, tmp_path):
    with pytest.raises(PlanError, match="keeps no configurations"):
        run_simulation(plan(platinum), checkpoint=tmp_path / "kept")


def test_models_that_are_none_are_told(platinum, tmp_path):
    with pytest.raises(ReadError, match=r"no model multi-slice: give linear, multislice or"):
        simulate(plan(platinum, model="multi-slice"))
    (tmp_path / "bad.emulator").write_bytes(b"PK\x03\x04")
    with pytest.raises(ReadError, match="bad"):
        simulate(plan(platinum, model=str(tmp_path / "bad.emulator")))


def test_an_emulator_that_does_not_know_its_images_takes_no_atoms(platinum, tmp_path):
    from dataclasses import replace

    from crewe.simulation.emulator.store import load_emulator, save_emulator

    known = load_emulator(small_emulator(tmp_path / "pt.emulator"))
    path = save_emulator(tmp_path / "blind.emulator", replace(known, convolution=None))
    with pytest.raises(CalibrationError, match="takes no atoms"):
        simulate(plan(platinum, model=str(path)))


class TestMultislice:
    @pytest.fixture(autouse=True)
    def _with_abtem(self):
        pytest.importorskip("abtem")

    def request(self, tmp_path):
        settings = {"model": "multislice", "optics": NARROW, "detectors": {"dark": DARK}}
        phonons = {"phonons": 3, "vibration_angstrom": 0.1, "errors": True}
        return plan(one_atom(tmp_path / "pt.xyz"), **settings, **phonons)

    def test_an_interrupted_run_goes_on_with_the_same_numbers(self, tmp_path):
        request = self.request(tmp_path)
        part = tmp_path / "image.npz.part"

        class Stopping(Recorder):
            def advanced(self, stage, fraction):
                if fraction > 0.6:
                    raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_simulation(request, Stopping())
        assert (part / "00_00.npy").exists()
        assert not request.output.exists()
        resumed = run_simulation(request)
        assert not part.exists()
        at_once = simulate(request, checkpoint=tmp_path / "other")
        np.testing.assert_array_equal(resumed.image.values, at_once.image.values)
        np.testing.assert_array_equal(resumed.errors.values, at_once.errors.values)

    def test_depths_are_those_of_the_slices(self, tmp_path):
        atom = one_atom(tmp_path / "pt.xyz")
        settings = {"model": "multislice", "optics": NARROW, "detectors": {"dark": DARK}}
        asked = {"slice_angstrom": 0.5, "thicknesses_angstrom": (0.6, 1.4, 2.0)}
        result = simulate(plan(atom, **settings, **asked))
        assert result.image.attrs["thicknesses_angstrom"] == pytest.approx([0.5, 1.5, 2.0])
        assert result.image.shape[0] == 3

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({}, "do not move"),
            ({"vibration_angstrom": 0.1}, "a single configuration"),
            ({"vibration_angstrom": 0.1, "phonons": 2}, None),
        ],
    )
    def test_too_few_phonons_are_told(self, tmp_path, settings, words):
        atom = one_atom(tmp_path / "pt.xyz")
        usual = {"model": "multislice", "optics": NARROW, "detectors": {"dark": DARK}}
        listener = Recorder()
        simulate(plan(atom, **usual, **settings), listener)
        said = [text for kind, text in listener.heard if kind == "warning"]
        assert len(said) == (words is not None)
        assert words is None or words in said[0]

    def test_what_another_run_keeps_under_the_same_name_stays(self, tmp_path):
        request = self.request(tmp_path)
        part = tmp_path / "image.npz.part"
        more = request.model_copy(update={"phonons": 4})
        simulate(more, checkpoint=part)
        linear = plan(request.specimen, optics=NARROW, detectors={"dark": DARK})
        run_simulation(linear)
        assert len(list(part.glob("*.npy"))) == 4
        listener = Recorder()
        run_simulation(request, listener, overwrite=True)
        assert len(list(part.glob("*.npy"))) == 4
        assert any("holds more than" in text for kind, text in listener.heard if kind == "message")
        run_simulation(more, overwrite=True)
        assert not part.exists()

    def test_a_checkpoint_of_ones_own_is_kept_and_processes_share_it(self, tmp_path):
        request = self.request(tmp_path)
        one = run_simulation(request, checkpoint=tmp_path / "kept", workers=2)
        assert len(list((tmp_path / "kept").glob("*.npy"))) == 3
        two = simulate(request, checkpoint=tmp_path / "alone")
        np.testing.assert_array_equal(one.image.values, two.image.values)
