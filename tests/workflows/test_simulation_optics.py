from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulation_data import LENS, OPTICS_TEXT, RING

from crewe.errors import CreweError, PlanError
from crewe.simulation.multislice_detectors import AnnularDetector
from crewe.workflows.simulation_optics import detectors_from, load_microscope, optics_from

SHIPPED = Path(__file__).parents[2] / "examples" / "emulator" / "optics.yaml"


def test_a_file_gives_lens_and_detectors(tmp_path):
    path = tmp_path / "optics.yaml"
    path.write_text(OPTICS_TEXT)
    found = load_microscope(path)
    assert found.optics == LENS
    assert found.detectors == {"haadf": RING}
    assert load_microscope(str(path)) == found


def test_the_shipped_example_is_the_papers_microscope():
    found = load_microscope(SHIPPED)
    assert found.optics == LENS
    assert found.detectors == {"haadf": RING}


@pytest.mark.parametrize(
    ("text", "rings"),
    [
        ("[60, 80]", None),
        ("{a: [60, 80], b: {outer_mrad: 20}}", {"a": (60, 80), "b": (0, 20)}),
        ("{inner_mrad: 60, outer_mrad: 80}", {"ring": (60, 80)}),
        ("[BF, adf]", {"BF": (0, 20), "adf": (20, 60)}),
        ("haadf", {"haadf": (60, 160)}),
        ("{haadf: }", {"haadf": (60, 160)}),
    ],
)
def test_detectors_may_be_written_in_several_ways(tmp_path, text, rings):
    path = tmp_path / "optics.yaml"
    path.write_text(f"beam_energy_kev: 200\nsemi_angle_mrad: 20\ndetectors: {text}\n")
    if rings is None:
        with pytest.raises(PlanError, match="no usual detector"):
            load_microscope(path)
        return
    found = load_microscope(path).detectors
    assert found == {name: AnnularDetector(*ring) for name, ring in rings.items()}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("beam_energy: 200\nsemi_angle_mrad: 20", "'beam_energy'; did you mean 'beam_energy_kev'"),
        ("beam_energy_kev: 200", "semi_angle_mrad missing"),
        ("beam_energy_kev: 200\nsemi_angle_mrad: wide", "semi_angle_mrad = 'wide' should be a nu"),
        ("beam_energy_kev: 200\nsemi_angle_mrad: .nan", "should be a number"),
        ("beam_energy_kev: true\nsemi_angle_mrad: 20", "should be a number"),
        ("beam_energy_kev: 200\nsemi_angle_mrad: 0.02\nc3: 1", "'c3'; did you mean 'c3_mm'"),
        ("beam_energy_kev: 200\nsemi_angle_mrad: 2000", "between 0 and 200 mrad"),
        ("beam_energy_kev: 200\nsemi_angle_mrad: 20\ndetectors: {a: [9, 3]}", "holds nothing"),
        ("beam_energy_kev: 200\nsemi_angle_mrad: 20\ndetectors: {a: [9, x]}", "outer_mrad = 'x'"),
        ("beam_energy_kev: 200\nsemi_angle_mrad: 20\ndetectors: {a: {outer: 9}}", "a detector is"),
        ("beam_energy_kev: 200\nsemi_angle_mrad: 20\ndetectors: 7", "rings by name"),
        ("- 1\n- 2", "holds no keys"),
        ("a: [", "not valid YAML"),
        ("", "holds no keys"),
    ],
)
def test_mistakes_are_named(tmp_path, text, words):
    path = tmp_path / "optics.yaml"
    path.write_text(text)
    with pytest.raises(PlanError, match=words):
        load_microscope(path)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(PlanError, match="cannot be read"):
        load_microscope(tmp_path / "none.yaml")
    (tmp_path / "optics.yaml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(PlanError, match=r"cannot be read|not valid YAML"):
        load_microscope(tmp_path / "optics.yaml")
    (tmp_path / "large.yaml").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(PlanError, match="too large"):
        load_microscope(tmp_path / "large.yaml")


def test_optics_come_back_from_their_own_keys():
    assert optics_from(asdict(LENS), "here") == LENS
    assert optics_from(LENS, "here") == LENS
    assert detectors_from(None, LENS, "here") == {}
    with pytest.raises(PlanError, match="give the optics"):
        detectors_from("haadf", None, "here")


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


@given(anything)
def test_nothing_but_a_plan_error_comes_of_anything(settings):
    readers = (optics_from, lambda value, origin: detectors_from(value, LENS, origin))
    said = [complaint(read, settings) for read in readers]
    assert all(text is None or text.startswith("here") for text in said)


def complaint(read, settings):
    try:
        read(settings, "here")
    except CreweError as error:
        return str(error)
    return None
