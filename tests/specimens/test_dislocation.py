import numpy as np
import pytest
from scipy.spatial import cKDTree

from crewe.errors import SpecimenError
from crewe.specimens.dislocation import edge_dislocation, edge_displacement, glide_axes
from crewe.specimens.projection import columns_of

A, NU = 3.9231, 0.39
B = A / np.sqrt(2)


def strain(x, y, h=1e-4):
    """Components xx, yy, xy by central differences."""
    (ux1, uy1), (ux0, uy0) = (edge_displacement(x + s, y, B, NU) for s in (h, -h))
    (vx1, vy1), (vx0, vy0) = (edge_displacement(x, y + s, B, NU) for s in (h, -h))
    return (ux1 - ux0) / 2 / h, (vy1 - vy0) / 2 / h, ((vx1 - vx0) + (uy1 - uy0)) / 4 / h


def stress(x, y):
    """Plane strain, in units of twice the shear modulus."""
    xx, yy, xy = strain(x, y)
    trace = NU / (1 - 2 * NU) * (xx + yy)
    return xx + trace, yy + trace, xy


def test_burgers_circuit_of_the_field():
    angle = np.linspace(-np.pi + 1e-9, np.pi - 1e-9, 20001)
    for radius in (2.0, 30.0):
        shift_x, shift_y = edge_displacement(radius * np.cos(angle), radius * np.sin(angle), B, NU)
        assert shift_x[-1] - shift_x[0] == pytest.approx(B, rel=1e-6)
        assert shift_y[-1] - shift_y[0] == pytest.approx(0, abs=1e-6)


def test_field_is_in_equilibrium():
    """The divergence of the stress vanishes everywhere off the line."""
    x, y = np.random.default_rng(0).uniform(2, 9, (2, 40))
    h = 1e-3
    xx1, _, xy1 = stress(x + h, y)
    xx0, _, xy0 = stress(x - h, y)
    _, yy1, yx1 = stress(x, y + h)
    _, yy0, yx0 = stress(x, y - h)
    np.testing.assert_allclose((xx1 - xx0 + yx1 - yx0) / (2 * h), 0, atol=2e-5)
    np.testing.assert_allclose((xy1 - xy0 + yy1 - yy0) / (2 * h), 0, atol=2e-5)
    assert np.abs(xx1 - xx0).max() / (2 * h) > 1e-2


def test_dilatation_is_that_of_hirth_and_lothe():
    x, y = np.random.default_rng(1).uniform(1, 9, (2, 40))
    xx, yy, _ = strain(x, y)
    expected = -B / (2 * np.pi) * (1 - 2 * NU) / (1 - NU) * y / (x * x + y * y)
    np.testing.assert_allclose(xx + yy, expected, atol=1e-6)


def test_axes_are_right_handed():
    axes = glide_axes()
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)


def walk(cloud, centre, columns_right=24, layers_up=12):
    """Burgers circuit by columns: so many right, up, left, down; from its start to its end."""
    columns = columns_of(cloud, 0.3)
    points = np.column_stack([columns.x, columns.y])
    tree = cKDTree(points)
    right, up = np.array([B / 2, 0]), np.array([0, A / np.sqrt(3)])
    start = points[tree.query(centre - columns_right / 2 * right - layers_up / 2 * up)[1]]
    here = start
    turns = ((right, columns_right), (up, layers_up), (-right, columns_right), (-up, layers_up))
    for step, count in turns:
        for _ in range(count):
            here = points[tree.query(here + step)[1]]
    return here - start


def test_burgers_circuit_among_the_columns_fails_to_close_by_b():
    cloud = edge_dislocation((80.0, 70.0, 20.0))
    around = walk(cloud, np.array([40.0, 35.0]))
    # The extra half-plane is above: a walk to the left there goes less far.
    np.testing.assert_allclose(around, [B, 0], atol=0.1)
    beside = walk(cloud, np.array([20.0, 35.0]), 10, 10)
    np.testing.assert_allclose(beside, [0, 0], atol=1e-9)


def test_lattice_is_whole_away_from_the_core():
    cloud = edge_dislocation((80.0, 70.0, 25.0))
    middle = np.abs(cloud.positions - [40.0, 35.0, 12.5])
    inner = (middle < [35.0, 30.0, 7.0]).all(axis=1)
    away = np.hypot(middle[:, 0], middle[:, 1]) > 8
    neighbours = cKDTree(cloud.positions).query_ball_point(cloud.positions[inner & away], 3.3)
    assert {len(near) - 1 for near in neighbours} == {12}
    assert cKDTree(cloud.positions).query(cloud.positions, k=2)[0][:, 1].min() > 2.0


def test_columns_stay_columns():
    columns = columns_of(edge_dislocation((50.0, 50.0, 48.0)), 0.2)
    # ½[11-2] is the period along the beam, a√6/2.
    assert columns.atoms.min() >= 9
    assert columns.atoms.max() <= 11


def test_impossible_dislocations_are_refused():
    with pytest.raises(SpecimenError, match="no fcc metal"):
        edge_dislocation((30.0, 30.0, 10.0), "Si")
    with pytest.raises(SpecimenError, match="give −1 to"):
        edge_dislocation((30.0, 30.0, 10.0), poisson_ratio=0.5)
