import time

import numpy as np
import pytest
from small_lattices import CENTRED, OBLIQUE, PEROVSKITE, SQUARE, indexed_lattice

from crewe.atoms.lattice.burgers import burgers_vector
from crewe.atoms.lattice.dislocations import dislocations
from crewe.errors import PlanError
from crewe.specimens.dislocation import edge_displacement

CORES = np.array([[38.0, 41.2], [65.0, 41.2], [51.0, 66.0]])
SENSES = np.array([1.0, -1.0, 1.0])
BURGERS = 3.9


def three(noise=0.0, seed=0, cell=SQUARE):
    """Three edge dislocations along x, the second of the opposite sign."""

    def field(places):
        parts = [
            np.stack(edge_displacement(*(places - core).T, sense * BURGERS, 0.3), axis=1)
            for core, sense in zip(CORES, SENSES, strict=True)
        ]
        return np.sum(parts, axis=0)

    return indexed_lattice(cell, size=21, field=field, noise=noise, seed=seed)


@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("cell", [SQUARE, PEROVSKITE])
def test_every_dislocation_is_found_once_and_in_its_place(noise, cell):
    indexed = three(noise, cell=cell)
    found = dislocations(indexed.columns, indexed.lattices[0])
    assert len(found) == 3
    for core, sense in zip(CORES, SENSES, strict=True):
        distance = np.hypot(*(found[["x", "y"]].to_numpy() - core).T)
        nearest = found.iloc[distance.argmin()]
        assert distance.min() < 5.0
        assert nearest[["burgers_a", "burgers_b"]].tolist() == [sense, 0]
        assert nearest["burgers_length"] == pytest.approx(BURGERS)


def test_vectors_are_those_of_circuits():
    indexed = three(0.05)
    for row in dislocations(indexed.columns, indexed.lattices[0]).itertuples():
        circuit = burgers_vector(
            indexed.columns, indexed.lattices[0], around=(row.x, row.y), radius=11.0
        )
        assert circuit.fractions.tolist() == [row.burgers_a, row.burgers_b]


@pytest.mark.parametrize("cell", [SQUARE, CENTRED, OBLIQUE, PEROVSKITE])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_noisy_strained_crystal_with_vacancies_has_none(cell, seed):
    gradient = np.array([[0.02, 0.01], [-0.02, -0.02]])
    indexed = indexed_lattice(
        cell, size=15, field=lambda p: (p - 50) @ gradient, noise=0.15, seed=seed, degrees=33.0
    )
    columns = indexed.columns.drop(index=indexed.columns.index[::37])
    assert len(dislocations(columns, indexed.lattices[0])) == 0


def test_what_lies_at_the_border_or_has_no_columns_is_left_out():
    indexed = three()
    inner = indexed.columns[indexed.columns["y"] < 64]
    assert len(dislocations(inner, indexed.lattices[0])) == 2
    assert len(dislocations(indexed.columns.iloc[:2], indexed.lattices[0])) == 0


def test_ten_thousand_columns_take_seconds():
    indexed = indexed_lattice(SQUARE, size=100, noise=0.05)
    start = time.perf_counter()
    assert dislocations(indexed.columns, indexed.lattices[0]).empty
    assert time.perf_counter() - start < 2.0


def test_several_sites_need_to_be_known():
    indexed = indexed_lattice(PEROVSKITE)
    with pytest.raises(PlanError, match="index_columns"):
        dislocations(indexed.columns[["x", "y"]], indexed.lattices[0])
