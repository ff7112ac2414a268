import numpy as np
import pytest
from small_models import small_model

from crewe.atoms.stamps import draw, overlaps, project, window


def naive_terms(model, n):
    """The radial terms g, s·dx, s·dy, s·r² of one column on the whole grid, Gaussian only."""
    _, x, y, width = model.columns[n]
    grid = model.grid
    dx = np.arange(grid.columns)[None, :] * grid.step_x - x
    dy = np.arange(grid.rows)[:, None] * grid.step_y - y
    r2 = dx**2 + dy**2
    g = np.where(r2 <= (4 * width) ** 2, np.exp(-0.5 * r2 / width**2), 0.0)
    s = g / width**2
    return np.stack([g, s * dx, s * dy, s * r2])


def test_window_holds_every_pixel_within_the_radius_and_no_other():
    assert window(1.0, 0.45, 0.2, 100) == (3, 7)
    assert window(0.1, 1.0, 0.2, 100) == (0, 5)
    first, last = window(-5.0, 1.0, 0.2, 100)
    assert last < first


def test_draw_equals_the_sum_written_out(model):
    terms = np.random.default_rng(1).normal(size=(len(model.columns), 7))
    terms[:, 4:] = 0
    expected = sum(
        np.tensordot(terms[n, :4], naive_terms(model, n), 1) for n in range(len(model.columns))
    )
    assert np.allclose(draw(model.grid, *model.geometry, terms), expected, atol=1e-12)


def test_project_is_the_adjoint_of_draw(model):
    rng = np.random.default_rng(2)
    image = rng.normal(size=(model.grid.rows, model.grid.columns))
    terms = np.zeros((len(model.columns), 7))
    terms[:, :4] = rng.normal(size=(len(model.columns), 4))
    drawn = draw(model.grid, *model.geometry, terms)
    projected = project(image, model.grid, *model.geometry)
    assert np.sum(drawn * image) == pytest.approx(np.sum(terms[:, :4] * projected), rel=1e-12)


def test_overlaps_equal_the_products_written_out(model):
    weight = np.random.default_rng(3).uniform(0.5, 2, (model.grid.rows, model.grid.columns))
    left, right = np.array([0, 0, 3]), np.array([0, 1, 7])
    found = overlaps(weight, model.grid, *model.geometry, left, right)
    for block, n, m in zip(found, left, right, strict=True):
        expected = np.einsum("pij,qij,ij->pq", naive_terms(model, n), naive_terms(model, m), weight)
        assert np.allclose(block, expected, atol=1e-12)


def test_columns_outside_the_image_draw_nothing(model):
    x, y, width, radius, shape = model.geometry
    terms = np.zeros((len(x), 7))
    terms[:, 0] = 1
    assert not draw(model.grid, x + 100, y + 100, width, radius, shape, terms).any()


def test_lorentzian_reaches_further_than_gaussian():
    gaussian, lorentzian = small_model(), small_model("lorentzian")
    assert lorentzian.geometry[3].min() > gaussian.geometry[3].max()
