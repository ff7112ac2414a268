import numpy as np
import pytest
from small_models import small_model

from crewe.atoms.background import (
    Mesh,
    background_overlaps,
    choose_mesh,
    cross_overlaps,
    draw_background,
    project_background,
)
from crewe.atoms.stamps import Grid, project

GRID = Grid(31, 43, 0.2, 0.15)
MESHES = [Mesh(1, 1), Mesh(2, 2), Mesh(4, 6)]


def hats(mesh):
    """Image of every knot alone, (knots, rows, columns)."""
    return np.stack([draw_background(GRID, mesh, one) for one in np.eye(mesh[0] * mesh[1])])


@pytest.mark.parametrize("mesh", MESHES)
def test_equal_knots_make_a_constant(mesh):
    drawn = draw_background(GRID, mesh, np.full(mesh[0] * mesh[1], 3.0))
    assert np.allclose(drawn, 3.0)


def test_a_plane_is_drawn_exactly():
    y, x = np.mgrid[0 : GRID.rows, 0 : GRID.columns]
    corners = np.array([1.0, 1 + 42 * 0.1, 1 + 30 * 0.2, 1 + 42 * 0.1 + 30 * 0.2])
    assert np.allclose(draw_background(GRID, Mesh(2, 2), corners), 1 + 0.1 * x + 0.2 * y)


@pytest.mark.parametrize("mesh", MESHES)
def test_projection_is_the_adjoint_of_drawing(mesh):
    rng = np.random.default_rng(0)
    knots, image = rng.normal(size=mesh[0] * mesh[1]), rng.normal(size=(31, 43))
    left = np.sum(draw_background(GRID, mesh, knots) * image)
    assert left == pytest.approx(knots @ project_background(image, mesh))


@pytest.mark.parametrize("mesh", MESHES)
def test_overlaps_equal_the_products_written_out(mesh):
    weight = np.random.default_rng(1).uniform(0.5, 2, (31, 43))
    expected = np.einsum("kij,lij,ij->kl", hats(mesh), hats(mesh), weight)
    assert np.allclose(background_overlaps(weight, mesh).toarray(), expected)


@pytest.mark.parametrize("mesh", MESHES)
def test_overlaps_with_columns_equal_the_projections_of_the_hats(mesh):
    model = small_model(mesh=mesh)
    weight = np.random.default_rng(2).uniform(0.5, 2, (31, 43))
    values, knot = cross_overlaps(weight, model.grid, *model.geometry, mesh)
    found = np.zeros((len(model.columns), 4, mesh[0] * mesh[1]))
    for n in range(len(model.columns)):
        np.add.at(found[n].T, knot[n], values[n].T)
    expected = np.stack(
        [project(hat * weight, model.grid, *model.geometry) for hat in hats(mesh)], axis=2
    )
    assert np.allclose(found, expected, atol=1e-12)


def test_knots_of_a_local_mesh_are_about_the_spacing_apart():
    mesh = choose_mesh("local", GRID, 1.5)
    assert mesh == Mesh(5, 5)
    assert choose_mesh("constant", GRID, 1.5) == Mesh(1, 1)
    assert choose_mesh("plane", GRID, 1.5) == Mesh(2, 2)
