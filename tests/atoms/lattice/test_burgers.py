from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_lattices import CENTRED, OBLIQUE, PEROVSKITE, SQUARE, indexed_lattice, turned

from crewe.atoms.lattice.burgers import burgers_vector
from crewe.atoms.lattice.strain import strain_map
from crewe.atoms.unit_cell import ProjectedCell
from crewe.errors import PlanError
from crewe.specimens.dislocation import edge_dislocation, edge_displacement
from crewe.specimens.projection import columns_of

LATTICE = 3.9231
BURGERS = LATTICE / np.sqrt(2)
NU = 0.39
# platinum along [112]: a rectangle of ½[1-10] by [111], three layers of which repeat
ALONG_112 = ProjectedCell(
    BURGERS,
    LATTICE * np.sqrt(3),
    90.0,
    np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 1 / 3], [0.5, 1 / 3], [0.0, 2 / 3], [0.5, 2 / 3]]),
    ("Pt",) * 6,
)


def platinum(noise=0.0):
    """The columns of an edge dislocation at (40, 35) and the lattice far from it."""
    columns = columns_of(edge_dislocation((80.0, 70.0, 20.0)), 0.3)
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": columns.x, "y": columns.y})
    table += rng.normal(0, noise, table.shape) if noise else 0.0
    lattice = replace(indexed_lattice(SQUARE).lattices[0], cell=ALONG_112)
    covariance = np.diag([0, 0, 1e-4, 4e-4, 1e-4, 4e-4])
    return table, replace(lattice, vectors=ALONG_112.vectors(), covariance=covariance)


@pytest.mark.parametrize("radius", [9.0, 14.0, 20.0, 28.0])
@pytest.mark.parametrize("noise", [0.0, 0.08])
def test_platinum_dislocation_of_half_110(radius, noise):
    columns, lattice = platinum(noise)
    circuit = burgers_vector(columns, lattice, around=(40.0, 35.0), radius=radius)
    np.testing.assert_array_equal(circuit.fractions, [1.0, 0.0])
    # what strain is left on the way averages out the better the farther the circuit
    np.testing.assert_allclose(circuit.vector, [BURGERS, 0], atol=0.25 * BURGERS / radius + 0.02)
    assert abs(circuit.length - BURGERS) < 4 * circuit.length_std + 0.25 * BURGERS / radius
    assert 0 < circuit.length_std < 0.1


@pytest.mark.parametrize("around", [(18.0, 20.0), (62.0, 50.0)])
def test_a_circuit_beside_the_line_closes(around):
    columns, lattice = platinum(0.05)
    circuit = burgers_vector(columns, lattice, around=around, radius=12.0)
    assert (circuit.fractions == 0).all()
    assert circuit.length == circuit.length_std == 0


@pytest.mark.parametrize("cell", [SQUARE, CENTRED, OBLIQUE, PEROVSKITE])
@pytest.mark.parametrize("mirror", [False, True])
def test_a_strained_crystal_has_none(cell, mirror):
    gradient = np.array([[0.02, 0.01], [-0.02, -0.02]])
    indexed = indexed_lattice(
        cell, field=lambda p: (p - 50) @ gradient, noise=0.05, degrees=17.0, mirror=mirror
    )
    for radius in (6.0, 10.0, 14.0):
        circuit = burgers_vector(
            indexed.columns, indexed.lattices[0], around=(50.5, 51.0), radius=radius
        )
        assert (circuit.fractions == 0).all()


def elastic(burgers, degrees=0.0, size=25):
    """A square or centred lattice with an edge dislocation along x at (51, 51.2)."""

    def field(places):
        away = places - np.array([51.0, 51.2])
        return np.stack(edge_displacement(*away.T, burgers, NU), axis=1)

    return indexed_lattice(CENTRED, size=size, field=field, degrees=degrees)


def test_a_centred_cell_gives_halves_and_the_opposite_sense_the_opposite_vector():
    for sign in (1, -1):
        indexed = elastic(sign * 3.9 / np.sqrt(2), degrees=45.0)
        circuit = burgers_vector(
            indexed.columns, indexed.lattices[0], around=(51.0, 51.2), radius=20.0
        )
        np.testing.assert_array_equal(np.abs(circuit.fractions), [0.5, 0.5])
        np.testing.assert_allclose(circuit.vector, [sign * 3.9 / np.sqrt(2), 0], atol=0.02)
        assert circuit.largest_misfit < 0.6


def test_strain_of_an_edge_dislocation_is_that_of_elasticity():
    """Away from the core; at the cut, where displacements jump, this crystal is itself uneven."""
    indexed = elastic(3.9)
    strain = strain_map(indexed)
    x, y = indexed.columns[["expected_x", "expected_y"]].to_numpy().T - np.array([[51.0], [51.2]])
    squared = x**2 + y**2
    far = (squared > 15**2) & (strain["n_neighbours"] == 8).to_numpy()
    cut = (x < 0) & (np.abs(y) < 4)
    scale = 3.9 / (2 * np.pi * (1 - NU))
    dilatation = -scale * (1 - 2 * NU) * y / squared
    shear = scale / 2 * x * (x**2 - y**2) / squared**2
    turn = np.rad2deg(-3.9 / (2 * np.pi) * x / squared)
    assert far.sum() > 500
    found = (strain["eps_xx"] + strain["eps_yy"]).to_numpy()
    for part, limit in ((far & ~cut, 0.0015), (far & cut, 0.006)):
        degrees = np.rad2deg(limit)
        np.testing.assert_allclose(found[part], dilatation[part], atol=limit)
        np.testing.assert_allclose(strain["eps_xy"][part], shear[part], atol=limit)
        np.testing.assert_allclose(strain["omega_xy_deg"][part], turn[part], atol=degrees)
    assert np.abs(shear[far]).max() > 0.02


def test_walks_that_cannot_be_made_are_told():
    columns, lattice = platinum()
    for radius, message in ((40.0, "stays among the columns"), (1.0, "at least"), (np.nan, "at")):
        with pytest.raises(PlanError, match=message):
            burgers_vector(columns, lattice, around=(40.0, 35.0), radius=radius)
    hole = columns[np.hypot(columns["x"] - 54, columns["y"] - 35) > 4]
    with pytest.raises(PlanError, match=r"no column lies within .* on the circuit"):
        burgers_vector(hole, lattice, around=(40.0, 35.0), radius=14.0)
    other = replace(lattice, vectors=turned(lattice.vectors, 30.0))
    with pytest.raises(PlanError, match="do not step like the lattice"):
        burgers_vector(columns, other, around=(40.0, 35.0), radius=14.0)


def test_several_sites_need_to_be_known():
    indexed = indexed_lattice(PEROVSKITE)
    with pytest.raises(PlanError, match="index_columns"):
        burgers_vector(
            indexed.columns[["x", "y"]], indexed.lattices[0], around=(50, 50), radius=9.0
        )
