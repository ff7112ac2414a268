import numpy as np
import pytest
from scipy.spatial import Delaunay

from crewe.errors import SpecimenError
from crewe.specimens.shapes import convex_polyhedron, polygon_rod, straight_edge, wedge

BOX = (40.0, 30.0, 20.0)


def grid(n=24):
    axes = [np.linspace(0.01, length - 0.01, n) for length in BOX]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


@pytest.mark.parametrize("surface", ["top", "bottom", "both"])
def test_wedge_thins_with_the_tangent_of_its_angle(surface):
    x, tangent = np.array([5.0, 15.0, 25.0]), np.tan(np.radians(20.0))
    z = np.linspace(0, BOX[2], 20001)
    for at in x:
        line = np.column_stack([np.full_like(z, at), np.full_like(z, 7.0), z])
        inside = wedge(BOX, 20.0, 0.0, surface, start=0.25).inside(line)
        removed = max(at - 10.0, 0.0) * tangent * (2 if surface == "both" else 1)
        thickness = inside.mean() * BOX[2]
        assert thickness == pytest.approx(max(BOX[2] - removed, 0), abs=5e-3)
        if surface == "top" and removed:
            assert not inside[0]
            assert inside[-1]


def test_wedge_follows_its_direction():
    points = grid()
    turned = wedge(BOX, 30.0, 90.0, "top").inside(points)
    expected = points[:, 2] >= points[:, 1] * np.tan(np.radians(30.0))
    np.testing.assert_array_equal(turned, expected)


def test_rod_is_a_prism_within_its_circle():
    rng = np.random.default_rng(0)
    centre = np.array([20.0, 15.0, 10.0])
    for vertices in (3, 4, 8, 15):
        rod = polygon_rod(6.0, vertices, centre, rng)
        assert len(rod.normals) == vertices
        axis = np.linalg.svd(rod.normals)[2][-1]
        np.testing.assert_allclose(rod.normals @ axis, 0, atol=1e-12)
        inside = grid()[rod.inside(grid())]
        # Nothing inside lies farther from the axis than the circle.
        across = (inside - centre) - np.outer((inside - centre) @ axis, axis)
        assert (np.linalg.norm(across, axis=1) <= 6.0 + 1e-9).all()
        # Endless along the axis.
        np.testing.assert_array_equal(rod.inside(inside + 100 * axis), True)


def test_rod_of_many_vertices_approaches_its_circle():
    rng = np.random.default_rng(1)
    rod = polygon_rod(8.0, 400, np.zeros(3), rng)
    axis = np.linalg.svd(rod.normals)[2][-1]
    points = rng.normal(0, 5, (20000, 3))
    radius = np.linalg.norm(points - np.outer(points @ axis, axis), axis=1)
    assert rod.inside(points)[radius < 7.9].mean() > 0.99
    assert not rod.inside(points)[radius > 8.0].any()


@pytest.mark.parametrize("vertices", [4, 9, 20])
def test_polyhedron_is_the_hull_of_points_on_its_sphere(vertices):
    centre = np.array([10.0, 11.0, 12.0])
    region = convex_polyhedron(7.0, vertices, centre, np.random.default_rng(vertices))
    # The same draws again give the corners.
    rng = np.random.default_rng(vertices)
    corners = rng.standard_normal((vertices, 3))
    corners = centre + 7.0 * corners / np.linalg.norm(corners, axis=1, keepdims=True)
    points = centre + rng.normal(0, 4, (4000, 3))
    np.testing.assert_array_equal(
        region.inside(points), Delaunay(corners).find_simplex(points) >= 0
    )


def test_straight_edge_is_parallel_to_the_beam():
    edge = straight_edge(np.array([10.0, 5.0, 3.0]), 37.0)
    assert edge.normals[0, 2] == 0
    points = grid()
    np.testing.assert_array_equal(edge.inside(points), edge.inside(points * [1, 1, 0]))
    assert edge.inside(np.array([[10.0 - 1e-6, 5.0, 0.0]])).all()


def test_impossible_shapes_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(SpecimenError, match="0 to below 90"):
        wedge(BOX, 90.0, 0.0)
    with pytest.raises(SpecimenError, match="no surface 'side'"):
        wedge(BOX, 10.0, 0.0, "side")
    with pytest.raises(SpecimenError, match="at least 3"):
        polygon_rod(5.0, 2, np.zeros(3), rng)
    with pytest.raises(SpecimenError, match="at least 4"):
        convex_polyhedron(5.0, 3, np.zeros(3), rng)
