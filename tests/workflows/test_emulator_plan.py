from pathlib import Path

import pytest
from emulator_data import CONVOLUTION

from crewe.errors import PlanError
from crewe.simulation.emulator.plan import SMOOTHED_KINDS, EmulatorPlan
from crewe.workflows.emulator_plan import emulator_fit_plan, read_convolution


def plan(**settings):
    return emulator_fit_plan({"pairs": Path("pairs.npz"), **settings})


def test_without_settings_it_is_the_papers_polynomial_with_registration():
    found = plan().emulator_plan()
    assert found == EmulatorPlan()
    assert (found.size, found.degree, found.log, found.interactions) == (5, 2, True, True)
    assert found.register
    assert found.terms().count == 378


def test_smoothed_features_go_to_the_third_degree():
    found = plan(features="smoothed").emulator_plan()
    assert (found.degree, found.kinds) == (3, SMOOTHED_KINDS)
    assert found.terms().count == 364
    assert plan(features="smoothed", degree=1).emulator_plan().degree == 1


def test_everything_that_decides_the_numbers_is_in_the_settings_and_no_place():
    found = plan(seed=7, folds=3, by="block", output=Path("/somewhere/pt.emulator"))
    settings = found.settings()
    assert settings["seed"] == 7
    assert settings["pairs"] == "pairs.npz"
    assert not {"output", "report"} & set(settings)


def test_every_wrong_setting_is_named():
    with pytest.raises(PlanError, match=r"folds = 1.*seed = -1|seed = -1.*folds = 1"):
        plan(folds=1, seed=-1)
    with pytest.raises(PlanError, match="colour"):
        plan(colour="blue")


def test_pairs_are_not_overwritten_by_the_emulator():
    with pytest.raises(PlanError, match="holds the pairs"):
        emulator_fit_plan({"pairs": Path("a.emulator"), "output": Path("a.emulator")})


def test_symbols_become_atomic_numbers():
    assert plan(elements=("Pt", "Mo", "Pt")).atomic_numbers() == [42, 78]


def test_a_description_of_convolution_images_is_read(tmp_path):
    path = tmp_path / "how.yaml"
    path.write_text(
        "pixel_size_angstrom: 0.2\nprobe_sigma_angstrom: 0.38\nexponent: 1.7\n"
        "optics: {beam_energy_kev: 200, semi_angle_mrad: 24.5, c3_mm: 0.0012}\n"
        "detector: [50, 150]\n"
    )
    assert read_convolution(path) == CONVOLUTION


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("exponent: 1.7", "no pixel_size_angstrom"),
        ("pixel_size: 0.1", "pixel_size_angstrom"),
        ("pixel_size_angstrom: -1", "positive"),
        ("pixel_size_angstrom: wide", "how.yaml"),
        ("pixel_size_angstrom: 0.1\noptics: {energy: 200}", "energy"),
        ("pixel_size_angstrom: 0.1\ndetector: {inner_mrad: 50}", "detector"),
        ("- 1\n- 2", "no keys"),
        ("a: [", "not valid YAML"),
    ],
)
def test_what_is_no_description_is_refused(tmp_path, text, word):
    path = tmp_path / "how.yaml"
    path.write_text(text)
    with pytest.raises(PlanError, match=word):
        read_convolution(path)


def test_a_description_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(PlanError, match="cannot be read"):
        read_convolution(tmp_path / "none.yaml")
