import numpy as np
import pytest
from laid_out_cells import PEROVSKITE, laid_out

from crewe.atoms.lattice.growth import neighbours
from crewe.atoms.lattice.prediction import predict

TOLERANCE = 0.8


def indexed(strain=None):
    """Points, neighbours, site, cell and vectors, all right."""
    columns, truth = laid_out(PEROVSKITE, 0.0, strain=strain, noise=0.0, size=4, middle=(0, 0))
    points = columns[["x", "y"]].to_numpy()
    site = (truth["name"] == "Ti").to_numpy().astype(np.int64)
    place = truth[["u", "v"]].to_numpy()
    cell = np.round(place - PEROVSKITE.sites[site]).astype(np.int64)
    vectors = np.tile(PEROVSKITE.vectors(), (len(points), 1, 1))
    return points, neighbours(points), site, cell, vectors


def asked(row, points, around, site, cell, vectors):
    site = site.copy()
    site[row] = -1
    return predict(row, site, cell, vectors, points, around, PEROVSKITE.sites, TOLERANCE)


def test_neighbours_tell_site_cell_and_strain():
    strain = np.array([[0.03, 0.0], [0.02, -0.04]])
    points, around, site, cell, vectors = indexed(strain)
    middle = int(np.argmin(np.linalg.norm(points, axis=1)))
    s, i, j, miss, local, count = asked(middle, points, around, site, cell, vectors)
    assert (s, i, j) == (site[middle], *cell[middle])
    assert miss < 0.02
    # the vectors handed on hold it back by a few per cent of the strain
    assert np.allclose(local, PEROVSKITE.vectors() @ (np.eye(2) + strain), atol=0.03)
    assert count == 12


def test_the_majority_speaks_where_two_sides_disagree():
    points, around, site, cell, vectors = indexed()
    row = int(np.argmin(np.linalg.norm(points, axis=1)))
    few = points[:, 0] > points[row, 0] + 0.1
    cell[few, 1] += 1
    s, i, j, miss, _, count = asked(row, points, around, site, cell, vectors)
    assert (s, i, j) == (site[row], *cell[row])
    assert miss == pytest.approx(0, abs=1e-6)
    assert count < 12


def test_without_neighbours_nothing_is_said():
    points, around, site, cell, vectors = indexed()
    _, _, _, miss, _, count = asked(0, points, around, np.full_like(site, -1), cell, vectors)
    assert count == 0
    assert miss == np.inf
