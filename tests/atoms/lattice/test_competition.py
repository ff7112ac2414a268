import numpy as np
from laid_out_cells import PEROVSKITE

from crewe.atoms.lattice.competition import share_out
from crewe.atoms.lattice.growth import Grown
from crewe.atoms.lattice.pose import Crystal

CRYSTAL = Crystal.of(PEROVSKITE)


def reached(inside, error, strain=0.0):
    """A lattice that reaches some of a row of columns."""
    count = len(inside)
    return CRYSTAL, Grown(
        np.where(inside, 0, -1),
        np.zeros((count, 2), dtype=np.int64),
        np.where(inside, error, np.inf),
        np.tile(CRYSTAL.vectors * (1 + strain), (count, 1, 1)),
    )


AROUND = np.array([[1, 2], [0, 2], [1, 3], [2, 4], [3, 2]])
LEFT = np.array([1, 1, 1, 0, 0], dtype=bool)
RIGHT = np.array([0, 0, 1, 1, 0], dtype=bool)


def test_the_better_place_wins():
    owner = share_out([reached(LEFT, 0.1), reached(RIGHT, 0.3)], AROUND)
    assert owner.tolist() == [0, 0, 0, 1, -1]
    owner = share_out([reached(LEFT, 0.3), reached(RIGHT, 0.1)], AROUND)
    assert owner.tolist() == [0, 0, 1, 1, -1]


def test_the_less_strained_cell_wins():
    owner = share_out([reached(LEFT, 0.1, strain=0.03), reached(RIGHT, 0.1)], AROUND)
    assert owner[2] == 1


def test_company_decides_between_equals():
    around = AROUND.copy()
    around[2] = [0, 1]
    assert share_out([reached(LEFT, 0.1), reached(RIGHT, 0.1)], around)[2] == 0
