import numpy as np
import pytest

from crewe.errors import SpecimenError
from crewe.specimens.named import named_crystal, named_orientations
from crewe.specimens.projection import columns_of


def spacings(material, axis, **others):
    """Distances from a column in the middle to the columns around it, in Å."""
    cloud = named_crystal(material, axis, (40.0, 40.0, 30.0), **others)
    columns = columns_of(cloud, 0.2)
    points = np.column_stack([columns.x, columns.y])
    middle = np.argmin(np.linalg.norm(points - 20, axis=1))
    return np.sort(np.linalg.norm(points - points[middle], axis=1))[1:]


def test_silicon_110_has_dumbbells():
    assert spacings("Si", (1, 1, 0))[0] == pytest.approx(5.4307 / 4, abs=1e-3)
    assert spacings("Si", (1, 1, 0))[0] == pytest.approx(1.36, abs=0.005)


@pytest.mark.parametrize(
    ("material", "axis", "nearest"),
    [
        ("Pt", (0, 0, 1), 1.96),
        # Centred rectangle of a/√2 by a: half of its diagonal.
        ("Pt", (1, 1, 0), 3.9231 * np.sqrt(1.5) / 2),
        ("NiO", (0, 0, 1), 2.084),
        ("SrTiO3", (0, 0, 1), 1.953),
        ("TiO2", (1, 0, 0), 0.3053 * 4.59373),
        ("graphene", (0, 0, 1), 1.421),
        ("MoS2", (0, 0, 1), 3.1604 / np.sqrt(3)),
    ],
)
def test_projected_spacings(material, axis, nearest):
    assert spacings(material, axis)[0] == pytest.approx(nearest, abs=6e-3)


def test_catalogue_is_that_of_the_paper():
    labels = [entry.label for entry in named_orientations()]
    assert labels == [
        "Pt [001]", "Pt [110]", "NiO [001]", "NiO [110]", "SrTiO3 [001]", "SrTiO3 [110]",
        "DyScO3 [110]", "Si [110]", "graphene [001]", "MoS2 [001]", "TiO2 [001]", "TiO2 [100]",
        "TiO2 [110]", "LiCoO2 [010]", "CoO2 [010]",
    ]  # fmt: skip


@pytest.mark.parametrize("entry", named_orientations(), ids=lambda entry: entry.label)
def test_every_entry_is_periodic_along_the_beam(entry):
    """Atoms stand above one another: far fewer columns than atoms in all but single sheets."""
    cloud = named_crystal(entry.mineral.formula, entry.zone_axis, (25.0, 25.0, 60.0))
    columns = columns_of(cloud, 0.1)
    assert columns.atoms.max() >= (1 if entry.mineral.layered else 10)
    assert (cloud.positions >= 0).all()
    assert (cloud.positions < [25.0, 25.0, 60.0]).all()


def test_rotation_turns_the_lattice_from_x_to_y():
    cloud = named_crystal("Pt", (0, 0, 1), (30.0, 30.0, 4.0), rotation_deg=25.0)
    away = cloud.positions - cloud.positions[np.argmin(np.abs(cloud.positions - 15).sum(axis=1))]
    along = 3.9231 * np.array([np.cos(np.radians(25)), np.sin(np.radians(25)), 0])
    assert np.linalg.norm(away - along, axis=1).min() < 1e-9


def test_sheets_lie_in_the_middle_and_face_the_beam():
    sheet = named_crystal("MoS2", (0, 0, 1), (30.0, 30.0, 20.0))
    molybdenum = sheet.positions[sheet.numbers == 42, 2]
    np.testing.assert_allclose(molybdenum, 10.0)
    np.testing.assert_allclose(np.ptp(sheet.positions[:, 2]), 2 * 1.586, atol=1e-3)
    with pytest.raises(SpecimenError, match="single sheet"):
        named_crystal("graphene", (1, 0, 0), (30.0, 30.0, 20.0))
    with pytest.raises(SpecimenError, match="Å thick: the box is only 3"):
        named_crystal("MoS2", (0, 0, 1), (30.0, 30.0, 3.0))


def test_unknown_materials_are_refused():
    with pytest.raises(SpecimenError, match="did you mean NiO"):
        named_crystal("NiO2", (0, 0, 1), (10.0, 10.0, 10.0))
