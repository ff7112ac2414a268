from pathlib import Path

import pytest
from simulation_data import LENS, RING

from crewe.errors import PlanError
from crewe.workflows.simulate_plan import simulation_plan

GIVEN = {"specimen": Path("a.xyz"), "output": Path("there/image.tif")}
WITH_OPTICS = {**GIVEN, "optics": LENS, "detectors": {"haadf": RING}}


def test_the_model_decides_what_is_needed():
    assert simulation_plan(WITH_OPTICS).kind == "linear"
    assert simulation_plan({**WITH_OPTICS, "model": "multislice"}).kind == "multislice"
    emulated = simulation_plan({**GIVEN, "model": "here/pt.emulator"})
    assert emulated.kind == "emulator"
    assert emulated.settings()["model"] == "pt.emulator"
    with pytest.raises(PlanError, match="linear needs a lens"):
        simulation_plan(GIVEN)
    with pytest.raises(PlanError, match="multislice needs a detector"):
        simulation_plan({**WITH_OPTICS, "model": "multislice", "detectors": {}})


def test_settings_do_not_tell_where_the_files_lie():
    here = simulation_plan(WITH_OPTICS).settings()
    there = simulation_plan({**WITH_OPTICS, "specimen": Path("/far/a.xyz"), "output": "b.npy"})
    assert here == there.settings()
    assert here["optics"]["beam_energy_kev"] == 200
    assert here["detectors"]["haadf"] == {"inner_mrad": 50.0, "outer_mrad": 150.0}


def test_settings_hold_what_the_model_looks_at():
    linear = simulation_plan(WITH_OPTICS).settings()
    assert linear["exponent"] == 1.7
    assert not {"phonons", "vibration_angstrom", "seed", "force", "device"} & set(linear)
    multislice = simulation_plan({**WITH_OPTICS, "model": "multislice", "device": "cpu"})
    assert multislice.settings()["vibration_angstrom"] == 0
    assert not {"exponent", "probe_sigma_angstrom", "force"} & set(multislice.settings())
    assert multislice.multislice_settings().device == "cpu"
    emulated = simulation_plan({**GIVEN, "model": "pt.emulator"}).settings()
    assert emulated["force"] is False
    assert not {"exponent", "phonons", "slice_angstrom"} & set(emulated)


def test_errors_go_beside_the_image():
    plan = simulation_plan({**GIVEN, "model": "pt.emulator", "errors": True})
    assert plan.error_path == Path("there/image_error.tif")


def test_the_probe_may_be_that_of_the_optics():
    plan = simulation_plan({**WITH_OPTICS, "probe_sigma_angstrom": None, "exponent": 2.0})
    how = plan.convolution(RING)
    assert how.probe_sigma_angstrom is None
    assert (how.optics, how.exponent, how.pixel_size_angstrom) == (LENS, 2.0, 0.1)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"pixel_size_angstrom": -1}, "pixel_size_angstrom = -1: Input should be greater than 0"),
        ({"shape": (0, 5)}, "greater than 0"),
        ({"phonons": 0}, "phonons = 0"),
        ({"model": "multislice", "phonons": 4}, "all the same: give a vibration"),
        ({"errors": True}, "standard errors come from several phonon configurations"),
        ({"model": "multislice", "errors": True}, "standard errors come from several"),
        ({"thickness": 3}, "thickness"),
        ({"vibration_angstrom": float("nan")}, "finite"),
        ({"vibration_angstrom": 0.1}, "--vibration is an option of multislice, and the model is l"),
        (
            {"phonons": 3, "seed": 1},
            "--phonons is .* multislice, --seed is an option of multislice",
        ),
        ({"thicknesses_angstrom": (2.0,)}, "--thickness is an option of multislice"),
        ({"window_angstrom": 8.0}, "--window is an option of multislice"),
        ({"device": "cpu"}, "--device is an option of multislice"),
        ({"force": True}, "--force is an option of emulator"),
        ({"model": "multislice", "exponent": 2.0}, "--exponent is an option of linear"),
        ({"model": "pt.emulator", "phonons": 4}, "multislice, and the model is emulator"),
        ({"model": "pt.emulator", "probe_sigma_angstrom": 0.5}, "--sigma or .* option of linear"),
        ({"model": "multislice", "device": "cuda"}, "device"),
    ],
)
def test_mistakes_are_named(wrong, words):
    with pytest.raises(PlanError, match=words):
        simulation_plan({**WITH_OPTICS, **wrong})
