import numpy as np
import pytest
from small_lattices import CENTRED, OBLIQUE, PEROVSKITE, turned

from crewe.atoms.lattice.translations import (
    lattice_translations,
    nearest_translation,
    shortest_vectors,
    site_classes,
)
from crewe.atoms.unit_cell import ProjectedCell

HONEYCOMB = ProjectedCell(2.46, 2.46, 120.0, np.array([[1 / 3, 2 / 3], [2 / 3, 1 / 3]]), ("C", "C"))


def test_only_a_centred_cell_has_translations_within_it():
    np.testing.assert_allclose(lattice_translations(CENTRED), [[0, 0], [0.5, 0.5]])
    for cell in (OBLIQUE, PEROVSKITE, HONEYCOMB):
        np.testing.assert_allclose(lattice_translations(cell), [[0, 0]])


def test_a_name_or_a_shift_breaks_the_centring():
    named = ProjectedCell(4.0, 4.0, 90.0, CENTRED.sites, ("Cs", "Cl"))
    shifted = ProjectedCell(4.0, 4.0, 90.0, np.array([[0, 0], [0.5, 0.52]]), ("Pt", "Pt"))
    assert len(lattice_translations(named)) == len(lattice_translations(shifted)) == 1


def test_sites_outside_the_cell_and_rounded_ones_count():
    cell = ProjectedCell(3.0, 5.2, 90.0, np.array([[-0.5, 1.0], [0.0, 0.5003]]), ("Au", "Au"))
    assert len(lattice_translations(cell)) == 2
    third = np.array([[0, 0], [1 / 3, 2 / 3], [2 / 3, 1 / 3]])
    assert len(lattice_translations(ProjectedCell(5, 5, 120.0, third, ("Ag",) * 3))) == 3


def test_classes_follow_translations_not_names():
    assert site_classes(CENTRED).tolist() == [0, 0]
    assert site_classes(PEROVSKITE).tolist() == [0, 1, 2, 3]
    assert site_classes(HONEYCOMB).tolist() == [0, 1]


@pytest.mark.parametrize("degrees", [0.0, 33.0])
def test_shortest_vectors_span_the_area_of_the_primitive_cell(degrees):
    vectors = turned(CENTRED.vectors(), degrees)
    basis = shortest_vectors(vectors, lattice_translations(CENTRED))
    np.testing.assert_allclose(np.linalg.norm(basis, axis=1), 3.9 / np.sqrt(2))
    assert abs(np.linalg.det(basis)) == pytest.approx(3.9**2 / 2)


def test_nearest_translation_agrees_with_a_search_of_all():
    rng = np.random.default_rng(0)
    for cell in (CENTRED, OBLIQUE, HONEYCOMB):
        vectors, moves = cell.vectors(), lattice_translations(cell)
        whole = np.stack(np.meshgrid(np.arange(-6, 7), np.arange(-6, 7)), axis=-1).reshape(-1, 2)
        every = (whole[:, None, :] + moves).reshape(-1, 2)
        length = 0.3 * np.linalg.norm(shortest_vectors(vectors, moves)[0])
        angle = rng.uniform(0, 2 * np.pi, 300)
        away = length * np.stack([np.cos(angle), np.sin(angle)], axis=1) @ np.linalg.inv(vectors)
        places = every[rng.integers(len(every), size=300)] + away
        distance = np.linalg.norm((places[:, None, :] - every) @ vectors, axis=2)
        found = nearest_translation(places, vectors, moves)
        np.testing.assert_allclose(found, every[distance.argmin(axis=1)], atol=1e-12)
