import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from crewe.errors import SpecimenError
from crewe.specimens.cloud import AtomCloud, checked_box, empty_cloud, joined


def test_round_trip_through_ase():
    rng = np.random.default_rng(0)
    cloud = AtomCloud(np.array([1, 78, 103], np.uint8), rng.random((3, 3)), (4.0, 5.0, 6.0))
    atoms = cloud.to_atoms()
    assert not atoms.pbc.any()
    back = AtomCloud.from_atoms(atoms)
    np.testing.assert_array_equal(back.numbers, cloud.numbers)
    np.testing.assert_array_equal(back.positions, cloud.positions)
    assert back.box == cloud.box


def test_box_of_a_skewed_cell_is_its_extent():
    atoms = bulk("Pt")
    assert AtomCloud.from_atoms(atoms).box == pytest.approx((3.92, 3.92, 3.92))


def test_box_without_cell_reaches_to_the_farthest_atom():
    cloud = AtomCloud.from_atoms(Atoms("C2", positions=[[0, 0, 0], [1, 2, 3]]))
    assert cloud.box == (1.0, 2.0, 3.0)


def test_ghost_atoms_are_refused():
    with pytest.raises(SpecimenError, match="not atoms"):
        AtomCloud.from_atoms(Atoms("X", positions=[[0, 0, 0]]))


def test_select_move_and_join():
    cloud = AtomCloud(np.array([6, 7], np.uint8), np.eye(3)[:2], (1.0, 1.0, 1.0))
    one = cloud.select(np.array([False, True])).moved((0, 0, 2))
    np.testing.assert_array_equal(one.positions, [[0, 1, 2]])
    both = joined([cloud, one], (1.0, 1.0, 3.0))
    assert both.numbers.tolist() == [6, 7, 7]
    assert len(joined([], (1.0, 1.0, 1.0))) == len(empty_cloud((1.0, 1.0, 1.0))) == 0


@pytest.mark.parametrize("box", [(1, 2), (1, 2, 0), (1, 2, -3), (1, 2, np.nan), (np.inf, 1, 1)])
def test_impossible_boxes_are_refused(box):
    with pytest.raises(SpecimenError, match="three positive lengths"):
        checked_box(box)
