import pytest

from crewe.errors import RecipeError
from crewe.specimens.specimen_parts import RandomSpecimen

PAPER = {
    "crystal.types": {"integers": [1, 16]},
    "crystal.element": {"integers": [1, 103]},
    "crystal.space_group": {"integers": [1, 230]},
    "crystal.lattice_parameter_angstrom": [3.1, 25.0],
    "crystal.angle_deg": [45.0, 120.0],
    "crystal.smallest_distance_angstrom": (0.95, 7.0),
    "amorphous.element": {"integers": [1, 103]},
    "amorphous.minimum_distance_angstrom": [0.95, 1.6],
    "amorphous.density_g_cm3": [2.0, 7.0],
    "points.minimum_distance_px": [1.0, 20.0],
    "orientation.zone_axis_probability": 0.75,
    "orientation.mistilt_deg": {"normal": [0.0, 5.0]},
    "wedge.probability": 0.75,
    "wedge.surface": {"choice": ["top", "bottom", "both"], "weights": [1, 1, 1]},
    "wedge.angle_deg": [5.0, 45.0],
    "shape.probability": 0.5,
    "shape.kind": {"choice": ["rod", "polyhedron", "edge"], "weights": [1, 1, 1]},
    "shape.keep_probability": 0.5,
    "shape.radius": [0.01, 0.5],
    "shape.rod_vertices": {"integers": [3, 15]},
    "shape.polyhedron_vertices": {"integers": [4, 20]},
    "defects.probability": 0.8,
    "defects.share": [0.0, 0.25],
    "defects.displace_probability": 0.5,
    "defects.step_radii": 1.0,
    "support.probability": 0.95,
    "support.kind": {"choice": ["crystalline", "amorphous"], "weights": [1, 1]},
    "support.thickness_nm": [1.0, 30.0],
}


@pytest.mark.parametrize("key", PAPER)
def test_defaults_are_the_numbers_of_the_paper(key):
    part, field = key.split(".")
    assert RandomSpecimen().plain()[part][field] == PAPER[key]


def test_eight_zone_axes():
    assert len(RandomSpecimen().orientation.zone_axes) == 8


def test_a_recipe_file_round_trip():
    plain = RandomSpecimen(maximum_atoms=5000).plain()
    assert RandomSpecimen.read(plain).plain() == plain


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"wedge": {"probability": 1.2}}, "wedge.probability"),
        ({"shape": {"radii": [0, 1]}}, "unknown key shape.radii"),
        ({"orientation": {"zone_axes": []}}, "orientation.zone_axes"),
        ({"support": {"thickness_nm": [30, 1]}}, "support.thickness_nm"),
        ({"maximum_atoms": 3}, "maximum_atoms"),
        ({"kind": "gas"}, "'gas' is none of crystalline, amorphous, points"),
        ({"shape": {"kind": "torus"}}, "'torus' is none of rod"),
        ({"crystal": {"space_group": 231}}, "possible range"),
        ({"crystal": {"element": [1, 103]}}, "whole numbers"),
        ({"amorphous": {"density_g_cm3": 0}}, "possible range"),
    ],
)
def test_mistakes_name_their_key(settings, complaint):
    with pytest.raises(RecipeError, match=complaint):
        RandomSpecimen.read(settings)
