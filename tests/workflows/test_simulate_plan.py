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
    ],
)
def test_mistakes_are_named(wrong, words):
    with pytest.raises(PlanError, match=words):
        simulation_plan({**WITH_OPTICS, **wrong})
