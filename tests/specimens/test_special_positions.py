import numpy as np
import pytest

from crewe.specimens.nearest import plane_spacings
from crewe.specimens.space_groups import cell_vectors, operations
from crewe.specimens.special_positions import nearest_distance, orbit, to_special_position


def settle(group, cell, site, merge):
    rotations, shifts = operations(group)
    site = np.array(site, dtype=float)
    order = to_special_position(site, rotations, shifts, cell, plane_spacings(cell), merge)
    out = np.empty((len(shifts), 3))
    count = orbit(site, order, rotations, shifts, cell, plane_spacings(cell), out)
    return site, order, out[:count]


def test_a_site_near_the_corner_of_rock_salt_becomes_wyckoff_4a():
    site, order, atoms = settle(225, 4.2 * np.eye(3), (0.03, 0.05, 0.02), 0.9)
    np.testing.assert_allclose(site, 0, atol=1e-9)
    assert order == 48
    wanted = {(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)}
    assert {tuple(np.round(2 * atom).astype(int) % 2) for atom in atoms} == wanted


def test_a_site_near_a_mirror_moves_onto_it():
    """Pm, mirror normal to b at y = 0: only y changes."""
    site, order, atoms = settle(6, 10 * np.eye(3), (0.3, 0.04, 0.7), 1.0)
    np.testing.assert_allclose(site, [0.3, 0.0, 0.7], atol=1e-12)
    assert (order, len(atoms)) == (2, 1)


def test_a_general_position_stays_where_it_is():
    site, order, atoms = settle(62, np.diag([6.0, 8.0, 5.0]), (0.12, 0.11, 0.33), 0.5)
    np.testing.assert_array_equal(site, [0.12, 0.11, 0.33])
    assert (order, len(atoms)) == (1, 8)


def test_a_site_near_a_threefold_axis():
    cell = cell_vectors(6.0, 6.0, 9.0, 90, 90, 120)
    site, order, atoms = settle(143, cell, (0.36, 0.64, 0.2), 0.95)
    np.testing.assert_allclose(site, [1 / 3, 2 / 3, 0.2], atol=1e-6)
    assert (order, len(atoms)) == (3, 1)


@pytest.mark.parametrize("seed", range(6))
def test_orbits_are_as_long_as_the_site_symmetry_says_and_keep_their_distance(seed):
    rng = np.random.default_rng(seed)
    cell = 8.0 * np.eye(3)
    for group in (198, 205, 221, 227, 230):
        _, order, atoms = settle(group, cell, rng.random(3), 1.2)
        if order == 0:
            continue
        assert len(atoms) * order == len(operations(group)[1])
        for n in range(1, min(len(atoms), 5)):
            gap = nearest_distance(atoms[n], atoms, n, cell, plane_spacings(cell), 20.0)
            assert gap >= 1.2 - 1e-9
