import numpy as np
import pytest

from crewe.errors import SpecimenError
from crewe.specimens.cloud import AtomCloud
from crewe.specimens.defects import with_displaced_atoms, with_vacancies
from crewe.specimens.elements import atomic_radii


def made(count=4000, element=78):
    rng = np.random.default_rng(0)
    return AtomCloud(np.full(count, element, np.uint8), rng.random((count, 3)) * 50, (50, 50, 50))


def test_vacancies_are_exactly_as_many_and_leave_the_others():
    cloud = made()
    left = with_vacancies(cloud, 999, np.random.default_rng(1))
    assert len(left) == 3001
    rows = {tuple(row) for row in cloud.positions}
    assert all(tuple(row) in rows for row in left.positions)
    assert len({tuple(row) for row in left.positions}) == 3001


def test_every_atom_is_equally_likely_to_go():
    cloud, rng = made(20), np.random.default_rng(2)
    gone = np.zeros(20)
    for _ in range(3000):
        left = with_vacancies(cloud, 5, rng)
        gone += ~np.isin(cloud.positions[:, 0], left.positions[:, 0])
    assert gone.sum() == 15000
    assert (np.abs(gone - 750) < 4.5 * np.sqrt(3000 * 0.25 * 0.75)).all()


def test_displacements_have_the_atomic_radius_as_deviation():
    cloud = made(20000)
    moved = with_displaced_atoms(cloud, 5000, np.random.default_rng(3))
    step = moved.positions - cloud.positions
    changed = (step != 0).any(axis=1)
    assert changed.sum() == 5000
    sigma = atomic_radii()[78]
    # The variance of a variance estimate from n normal numbers is 2σ⁴/n.
    assert step[changed].var() == pytest.approx(sigma**2, abs=4 * sigma**2 * np.sqrt(2 / 15000))
    assert abs(step[changed].mean()) < 4 * sigma / np.sqrt(15000)
    np.testing.assert_array_equal(made(20000).positions, cloud.positions)


def test_none_and_all():
    cloud, rng = made(50), np.random.default_rng(4)
    assert len(with_vacancies(cloud, 0, rng)) == 50
    assert len(with_vacancies(cloud, 50, rng)) == 0
    np.testing.assert_array_equal(with_displaced_atoms(cloud, 0, rng).positions, cloud.positions)


@pytest.mark.parametrize("count", [-1, 51])
def test_more_defects_than_atoms_are_refused(count):
    with pytest.raises(SpecimenError, match="among 50 atoms"):
        with_vacancies(made(50), count, np.random.default_rng(0))
    with pytest.raises(SpecimenError, match="among 50 atoms"):
        with_displaced_atoms(made(50), count, np.random.default_rng(0))
