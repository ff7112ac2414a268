import numpy as np
import pytest

from crewe.recipes import child_generator
from crewe.training_sets.atom_map_recipe import AtomMaps
from crewe.training_sets.atom_map_specimen import draw_specimen

FIELD, PIXEL, MARGIN = 30.0, 0.2, 4.0


def drawn(material="Pt", zone_axis="001", seed=0, **body):
    part = AtomMaps.read(
        {
            "task": "atom_maps", "name": "test", "description": "",
            "materials": [{"material": material, "zone_axis": zone_axis}],
            "body": {"morphology": "bulk", "vacancy_fraction": 0, "thickness_angstrom": 20, **body},
        }
    )  # fmt: skip
    return draw_specimen(part, FIELD, PIXEL, MARGIN, child_generator(seed))


def test_bulk_covers_the_field_and_its_margin_with_the_density_of_the_crystal():
    specimen = drawn()
    low = specimen.cloud.positions.min(axis=0)
    high = specimen.cloud.positions.max(axis=0)
    assert np.all(np.abs(low[:2] + MARGIN + PIXEL / 2) < 1.5)
    assert np.all(np.abs(high[:2] - (FIELD + MARGIN - PIXEL / 2)) < 1.5)
    volume = (FIELD + 2 * MARGIN) ** 2 * 20
    assert len(specimen.cloud) == pytest.approx(4 / 3.9231**3 * volume, rel=0.03)


@pytest.mark.parametrize(
    ("material", "zone_axis", "elements"),
    [("SrTiO3", "110", "O,Sr,Ti"), ("DyScO3", "110", "Dy,O,Sc"), ("LiCoO2", "010", "Co,Li,O")],
)
def test_facts_name_the_crystal(material, zone_axis, elements):
    facts = drawn(material, zone_axis).facts
    assert (facts["material"], facts["elements"]) == (material, elements)
    assert facts["zone_axis"] == f"[{zone_axis}]"
    assert facts["thickness_angstrom"] == 20


@pytest.mark.parametrize("material", ["graphene", "amorphous graphene", "MoS2"])
def test_sheets_are_one_layer_whatever_thickness_is_drawn(material):
    specimen = drawn(material)
    assert np.ptp(specimen.cloud.positions[:, 2]) < 3.5
    assert specimen.facts["material"] == material
    assert drawn(material, morphology="particle").facts["morphology"] == "edge"


def test_vacancies_take_their_fraction_of_the_atoms():
    whole, fewer = drawn(), drawn(vacancy_fraction=0.1)
    assert len(fewer.cloud) == pytest.approx(0.9 * len(whole.cloud), abs=1)


def test_a_tapered_plate_thins_out_towards_its_rim():
    specimen = drawn(
        morphology="tapered plate", particle_diameter=0.7, taper=0.6, thickness_angstrom=20
    )
    positions = specimen.cloud.positions
    centre = positions[:, :2].mean(axis=0)
    distance = np.hypot(*(positions[:, :2] - centre).T)
    inner, outer = distance < 4, distance > 0.8 * distance.max()
    assert np.ptp(positions[inner, 2]) > 1.5 * np.ptp(positions[outer, 2])
    width = np.tan(np.deg2rad(specimen.facts["slope_deg"])) * 20
    assert width == pytest.approx(0.6 * specimen.facts["diameter_angstrom"] / 2)
