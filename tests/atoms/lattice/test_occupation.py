import numpy as np
import pytest
from small_lattices import PEROVSKITE, SQUARE, indexed_lattice

from crewe.atoms.lattice.occupation import doubts_of_occupation, occupation


def found_in(indexed, kept):
    """Occupation of the columns that are kept."""
    part = indexed.columns[kept]
    points = part[["x", "y"]].to_numpy()
    cell = part[["cell_a", "cell_b"]].to_numpy()
    return occupation(points, indexed.lattices[0], part["site"].to_numpy(), cell)


def every(indexed):
    return np.ones(len(indexed.columns), bool)


@pytest.mark.parametrize("size", [2, 3, 9])
def test_a_whole_crystal_of_any_size_and_turn_leaves_no_doubt(size):
    indexed = indexed_lattice(PEROVSKITE, size, degrees=33.0, noise=0.05, mirror=True)
    found = found_in(indexed, every(indexed))
    assert found.filled.all()
    assert doubts_of_occupation(found, indexed.lattices[0]) == []


def test_sites_beyond_the_columns_do_not_count():
    # four corners about one centre: three of the four cells have their centre outside
    indexed = indexed_lattice(PEROVSKITE, 2)
    table = indexed.columns
    corner = (table["site"] == 0).to_numpy()
    centre = (table["site"] == 1) & (table["cell_a"] == -1) & (table["cell_b"] == -1)
    found = found_in(indexed, corner | centre.to_numpy())
    assert found.filled[:, :2].sum(axis=0).tolist() == [4, 1]
    assert found.within[:, :2].sum(axis=0).tolist() == [4, 1]


@pytest.mark.parametrize(("part", "doubted"), [(0.0, True), (0.3, True), (0.5, False)])
def test_a_site_in_few_of_the_cells_is_named_with_numbers(part, doubted):
    indexed = indexed_lattice(PEROVSKITE, 12)
    site = indexed.columns["site"].to_numpy()
    drawn = np.random.default_rng(1).random(len(site)) < part
    said = doubts_of_occupation(found_in(indexed, (site != 1) | drawn), indexed.lattices[0])
    filled = int((drawn & (site == 1)).sum())
    assert [f"hardly any column on the sites Ti ({filled} of 1" in text for text in said] == (
        [True] if doubted else []
    )


def test_empty_sites_of_one_name_are_counted_together():
    indexed = indexed_lattice(PEROVSKITE, 6)
    found = found_in(indexed, (indexed.columns["site"] < 2).to_numpy())
    (said,) = doubts_of_occupation(found, indexed.lattices[0])
    within = found.within[:, 2:].sum()
    assert f"the sites O (0 of {within}): wrong calibration" in said
    assert "--sites" in said


@pytest.mark.parametrize(("step", "doubted"), [(1, False), (2, True), (3, True)])
def test_cells_that_stand_apart_are_told(step, doubted):
    indexed = indexed_lattice(SQUARE, 12)
    table = indexed.columns
    kept = ((table["cell_a"] % step == 0) & (table["cell_b"] % step == 0)).to_numpy()
    said = doubts_of_occupation(found_in(indexed, kept), indexed.lattices[0])
    assert ["larger than the cell of 3.9 × 3.9 Å" in text for text in said] == [True] * doubted
