from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from simulation_data import (
    DARK,
    HOW,
    LENS,
    NARROW,
    PIXEL,
    RING,
    expected,
    one_atom,
    particle,
    plan,
    small_emulator,
    written,
)

from crewe.errors import CalibrationError
from crewe.physics.cross_sections import annular_cross_section
from crewe.simulation.emulator.store import load_emulator
from crewe.simulation.multislice_detectors import AnnularDetector
from crewe.workflows.observer import Recorder
from crewe.workflows.simulation_models import (
    emulated_images,
    linear_images,
    matching_ring,
    multislice_images,
)
from crewe.workflows.simulation_specimen import read_specimen


def specimen_of(request):
    return read_specimen(request, PIXEL, print)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    return small_emulator(tmp_path_factory.mktemp("model") / "pt.emulator")


def test_a_linear_image_integrates_to_the_cross_sections(tmp_path):
    request = plan(written(tmp_path / "pt.xyz", particle()), margin_angstrom=4.0)
    found = linear_images(request, specimen_of(request), Recorder())
    whole = 55 * annular_cross_section(78, 200, 50, 150)
    assert found.values.shape[:2] == (1, 1)
    assert found.values.sum() * PIXEL**2 == pytest.approx(whole, rel=1e-3)


def test_each_detector_has_its_image_and_bright_field_a_warning(tmp_path):
    rings = {"dark": RING, "bright": AnnularDetector(0, 24.5)}
    request = plan(written(tmp_path / "pt.xyz", particle()), detectors=rings)
    listener = Recorder()
    found = linear_images(request, specimen_of(request), listener)
    assert found.values.shape[1] == 2
    assert next(text for kind, text in listener.heard if kind == "warning").startswith(
        "detector bright sees the beam itself"
    )


@pytest.mark.parametrize("sigma", [0.38, None])
def test_a_crystals_linear_image_does_not_end_at_its_cell(tmp_path, sigma):
    gold = bulk("Au", a=4.0, cubic=True)
    settings = {"probe_sigma_angstrom": sigma, "repeat": (2, 2, 1)}
    request = plan(written(tmp_path / "gold.cif", gold), **settings)
    image = linear_images(request, specimen_of(request), Recorder()).values[0, 0]
    assert image == pytest.approx(np.roll(image, (8, 16), axis=(0, 1)), rel=2e-3)
    assert image[0, 0] == pytest.approx(image[16, 16], rel=2e-3)


def test_a_crystal_is_as_bright_at_its_edges_however_far_the_probe_reaches(tmp_path):
    gold = bulk("Au", a=4.0, cubic=True)
    settings = {"probe_sigma_angstrom": None, "optics": replace(LENS, defocus_angstrom=800.0)}
    request = plan(written(tmp_path / "gold.cif", gold), repeat=(2, 2, 1), **settings)
    image = linear_images(request, specimen_of(request), Recorder()).values[0, 0]
    assert image == pytest.approx(np.roll(image, (16, 16), axis=(0, 1)), rel=2e-3)
    density = 4 * annular_cross_section(79, 200, 50, 150) / 4.0**2
    assert image.mean() == pytest.approx(density, rel=2e-3)


def test_a_compounds_image_is_scaled_by_its_own_composition(tmp_path):
    """Copies around the field that its probe reaches need not hold the elements alike."""
    places = [(0, 0, 0), (2, 2, 1), (2, 0, 1), (0, 2, 1)]
    cell = Atoms("PtC3", places, cell=(4, 4, 4), pbc=True)
    request = plan(written(tmp_path / "ptc.cif", cell))
    image = linear_images(request, specimen_of(request), Recorder()).values[0, 0]
    sections = [annular_cross_section(z, 200, 50, 150) for z in (78, 6)]
    assert image.mean() == pytest.approx((sections[0] + 3 * sections[1]) / 16, rel=2e-3)


def test_an_emulated_image_is_the_polynomial_of_the_linear_one(tmp_path, emulator):
    path = written(tmp_path / "pt.xyz", particle(9, 0.5))
    request = plan(path, model=str(emulator), errors=True)
    specimen = specimen_of(request)
    found = emulated_images(request, load_emulator(emulator), specimen, Recorder())
    places = specimen.atoms.positions - [*specimen.field.origin, 0]
    linear = HOW.image(specimen.atoms.numbers, places, specimen.field.shape)
    assert found.values[0, 0] == pytest.approx(expected(linear), abs=1e-4 * float(linear.max()))
    assert found.errors.shape == found.values.shape
    assert (found.errors >= 0).all()
    assert found.facts["inside_domain"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"optics": {"beam_energy_kev": 300, "semi_angle_mrad": 24.5}}, "beam_energy_kev is 300"),
        ({"detectors": {"a": AnnularDetector(60, 150)}}, "the detector is 60–150 mrad"),
        ({"pixel_size_angstrom": 0.1}, "pixels are 0.1 Å"),
    ],
)
def test_an_emulator_refuses_other_microscopes(tmp_path, emulator, wrong, words):
    path = written(tmp_path / "pt.xyz", particle(9))
    request = plan(path, model=str(emulator), **wrong)
    model = load_emulator(emulator)
    with pytest.raises(CalibrationError, match=words):
        emulated_images(request, model, specimen_of(request), Recorder())
    forced = plan(path, model=str(emulator), force=True, **wrong)
    listener = Recorder()
    found = emulated_images(forced, model, specimen_of(forced), listener)
    assert words in found.facts["reasons"][0]
    assert not found.facts["inside_domain"]
    assert any(kind == "warning" and words in text for kind, text in listener.heard)


def test_an_emulator_refuses_other_elements_and_thicker_specimens(tmp_path, emulator):
    model = load_emulator(emulator)
    gold = particle(9)
    gold.numbers[:3] = 79
    request = plan(written(tmp_path / "gold.xyz", gold), model=str(emulator))
    with pytest.raises(CalibrationError, match="Au is no element of its training"):
        emulated_images(request, model, specimen_of(request), Recorder())
    request = plan(written(tmp_path / "large.xyz", particle(9, count=309)), model=str(emulator))
    with pytest.raises(CalibrationError, match="Å thick, the thickest"):
        emulated_images(request, model, specimen_of(request), Recorder())


def test_of_several_detectors_the_emulators_is_taken(tmp_path, emulator):
    model = load_emulator(emulator)
    rings = {"bf": AnnularDetector(0, 20), "haadf": RING}
    path = one_atom(tmp_path / "pt.xyz")
    assert matching_ring(plan(path, detectors=rings), model) == RING
    assert matching_ring(plan(path, model="e", detectors={}), model) is None


class TestMultislice:
    @pytest.fixture(autouse=True)
    def _with_abtem(self):
        pytest.importorskip("abtem")

    def request(self, tmp_path, **settings):
        path = tmp_path / "pt.xyz"
        usual = {"model": "multislice", "vibration_angstrom": 0.1, "seed": 5, "slice_angstrom": 1.0}
        usual |= {"optics": NARROW, "detectors": {"dark": DARK}}
        return plan(path if path.exists() else one_atom(path), **{**usual, **settings})

    def test_configurations_are_those_of_the_function_for_python(self, tmp_path):
        from crewe.simulation.multislice_phonons import phonon_series

        request = self.request(tmp_path, phonons=2, errors=True)
        specimen = specimen_of(request)
        found = multislice_images(request, specimen, tmp_path / "kept", Recorder(), 0)
        settings = replace(request.multislice_settings(), configurations=2)
        kwargs = {"settings": settings, "field": specimen.field}
        series = phonon_series(specimen.atoms, NARROW, [DARK], PIXEL, 5, **kwargs)
        assert found.values == pytest.approx(series["image"].values, rel=1e-5)
        assert found.errors == pytest.approx(series["phonon_error"].values, rel=1e-3, abs=1e-8)

    def test_more_configurations_go_on_with_those_that_are_there(self, tmp_path):
        kept = tmp_path / "kept"
        request = self.request(tmp_path, phonons=1)
        specimen = specimen_of(request)
        multislice_images(request, specimen, kept, Recorder(), 0)
        before = (kept / "00_00.npy").stat().st_mtime_ns
        listener = Recorder()
        more = self.request(tmp_path, phonons=2)
        resumed = multislice_images(more, specimen, kept, listener, 0)
        assert (kept / "00_00.npy").stat().st_mtime_ns == before
        assert ("message", "1 of 2 configurations are there already") in listener.heard
        at_once = multislice_images(more, specimen, tmp_path / "new", Recorder(), 0)
        np.testing.assert_array_equal(resumed.values, at_once.values)

    def test_detectors_and_thicknesses(self, tmp_path):
        rings = {"all": AnnularDetector(0, 60), "dark": DARK}
        settings = {"detectors": rings, "thicknesses_angstrom": (1.0, 2.0)}
        request = self.request(tmp_path, vibration_angstrom=0.0, **settings)
        specimen = specimen_of(request)
        found = multislice_images(request, specimen, tmp_path / "kept", Recorder(), 0).values
        assert found.shape == (2, 2, *specimen.field.shape)
        assert found[:, 0] == pytest.approx(np.ones_like(found[:, 0]), abs=0.02)
        # The atom at z = 1 Å lies in the second slice.
        assert found[0, 1].max() < 1e-9
        assert found[1, 1].max() > 0.005
