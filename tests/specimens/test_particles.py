import numpy as np
import pytest
from scipy.spatial import cKDTree

from crewe.errors import SpecimenError
from crewe.specimens.half_spaces import HalfSpaces
from crewe.specimens.particles import (
    cuboctahedron,
    facet_family,
    faceted_particle,
    sphere,
    tapered_plate,
    wulff_shape,
)
from crewe.specimens.projection import columns_of

A = 3.9231


@pytest.mark.parametrize("shells", [1, 2, 3, 4, 5, 6])
def test_magic_numbers_of_cuboctahedra(shells):
    count = (10 * shells**3 + 15 * shells**2 + 11 * shells + 3) // 3
    assert len(faceted_particle("Pt", (1, 1, 0), cuboctahedron(A, shells))) == count


@pytest.mark.parametrize(("edge", "count"), [(1, 38), (2, 201), (3, 586)])
def test_magic_numbers_of_truncated_octahedra(edge, count):
    """Regular ones about an atom or a hole: 38, 201, 586, … (Marks)."""
    centre = (0.5, 0.0, 0.0) if edge % 2 else (0.0, 0.0, 0.0)
    shape = wulff_shape({(1, 0, 0): edge * A, (1, 1, 1): 1.5 * edge * A / np.sqrt(3)})
    assert len(faceted_particle("Pt", (0, 0, 1), shape, centre=centre)) == count


def test_facet_families_have_as_many_planes_as_they_should():
    assert [len(facet_family(f)) for f in ((1, 0, 0), (1, 1, 1), (1, 1, 0), (2, 1, 0))] == [
        6, 8, 12, 24,
    ]  # fmt: skip


def test_coordination_in_and_on_a_particle():
    particle = faceted_particle("Pt", (0, 0, 1), cuboctahedron(A, 5)).positions
    neighbours = [len(near) - 1 for near in cKDTree(particle).query_ball_point(particle, 3.2)]
    # 12 inside, 9 on {111}, 8 on {100}, 7 on edges, 5 at the twelve corners.
    assert np.bincount(neighbours, minlength=13)[[5, 12]].tolist() == [12, 309]
    assert set(neighbours) == {5, 7, 8, 9, 12}


def test_sphere_holds_density_times_volume_and_fits_its_diameter():
    diameter = 11 * A
    particle = sphere("Pt", (1, 0, 0), diameter)
    assert len(particle) == pytest.approx(4 / A**3 * np.pi / 6 * diameter**3, rel=0.02)
    assert (np.ptp(particle.positions, axis=0) <= diameter + 1e-5).all()
    assert columns_of(particle).atoms.max() == 11


def test_plate_thins_towards_its_edge():
    plate = faceted_particle(
        "NiO", (0, 0, 1), tapered_plate(25.0, 20.0, 30.0), (80.0, 80.0, 30.0), in_crystal=False
    )
    columns = columns_of(plate)
    inner = np.hypot(columns.x - columns.x.mean(), columns.y - columns.y.mean())
    assert columns.atoms[inner < 10].min() >= 9
    assert columns.atoms[inner > 24].max() < 5
    top, foot = plate.positions[:, 2].min(), plate.positions[:, 2].max()
    # The face away from the beam is the larger.
    assert (plate.positions[:, 2] > foot - 3).sum() > 1.5 * (plate.positions[:, 2] < top + 3).sum()


def test_untapered_plate_has_upright_sides():
    region = tapered_plate(10.0, 8.0, 0.0, sides=4)
    assert region.inside(np.array([[9.9, 9.9, 3.9], [9.9, 9.9, -3.9]])).all()
    assert not region.inside(np.array([[10.1, 0, 0], [0, 0, 4.1]])).any()


def test_particles_stand_in_the_middle_of_their_box():
    particle = faceted_particle("Pt", (1, 1, 0), cuboctahedron(A, 3), (50.0, 40.0, 30.0))
    middle = 0.5 * (particle.positions.min(axis=0) + particle.positions.max(axis=0))
    np.testing.assert_allclose(middle, [25.0, 20.0, 15.0])


def test_what_does_not_fit_or_exist_is_refused():
    with pytest.raises(SpecimenError, match="enlarge the box"):
        faceted_particle("Pt", (0, 0, 1), cuboctahedron(A, 5), (10.0, 40.0, 40.0))
    with pytest.raises(SpecimenError, match="no finite region"):
        faceted_particle("Pt", (0, 0, 1), HalfSpaces([[0, 0, 1]], [5.0]))
    with pytest.raises(SpecimenError, match="no atom"):
        sphere("Pt", (1, 0, 0), 0.5, centre=(0.5, 0, 0))
    with pytest.raises(SpecimenError, match="positive diameter"):
        sphere("Pt", (1, 0, 0), -1.0)
    with pytest.raises(SpecimenError, match="positive distances"):
        wulff_shape({(1, 0, 0): -1.0})
    with pytest.raises(SpecimenError, match="no plate has 2 sides"):
        tapered_plate(10.0, 5.0, 10.0, sides=2)
