import numpy as np
import pytest
from small_models import dense_jacobian, small_model

from crewe.atoms.background import Mesh
from crewe.atoms.equations import assemble, gradient, neighbour_pairs, sharing


@pytest.mark.parametrize("peak", ["gaussian", "lorentzian"])
@pytest.mark.parametrize("mesh", [Mesh(1, 1), Mesh(3, 4)])
def test_normal_equations_are_those_of_the_numerical_jacobian(peak, mesh):
    model = small_model(peak, mesh)
    weight = np.random.default_rng(0).uniform(0.5, 2, (model.grid.rows, model.grid.columns))
    jacobian = dense_jacobian(model)
    expected = jacobian.T @ (weight.ravel()[:, None] * jacobian)
    found = assemble(model, weight, neighbour_pairs(model)).toarray()
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    # tails are cut where they have fallen to 3e-4 of the height
    assert np.abs((found - expected) / scale).max() < 3e-3
    residual = np.random.default_rng(1).normal(size=weight.shape)
    slope = gradient(model, weight * residual)
    # the Lorentzian's tails are long: what lies beyond 15 widths adds up to a per cent
    close = {"gaussian": 3e-3, "lorentzian": 2e-2}[peak] * np.abs(slope).max()
    assert np.allclose(slope, jacobian.T @ (weight * residual).ravel(), atol=close)


def test_blur_is_the_mean_image_of_scattered_columns():
    """Half the curvature is the change of the mean image when positions scatter."""
    model = small_model()
    rng = np.random.default_rng(2)
    spread = 0.05
    covariance = np.zeros((len(model.columns), 4, 4))
    covariance[:, 1, 1] = covariance[:, 2, 2] = spread**2
    mean = np.zeros((model.grid.rows, model.grid.columns))
    repeats = 1500
    for _ in range(repeats):
        step = np.zeros(model.columns.size + 1)
        step[:-1].reshape(-1, 4)[:, 1:3] = rng.normal(0, spread, (len(model.columns), 2))
        # each draw and its mirror image, so that the odd terms cancel
        mean += 0.5 * (model.moved(step).image() + model.moved(-step).image()) / repeats
    change = mean - model.image()
    blur = model.blur(covariance)
    slope = np.sum(change * blur) / np.sum(blur**2)
    assert slope == pytest.approx(1.0, abs=0.05)


def test_sharing_moves_the_widths_of_a_kind_together():
    kinds = np.array([0, 1, 0])
    share = sharing(3, 1, "hxyw", kinds)
    assert share.shape == (13, 3 * 3 + 1 + 2)
    step = np.zeros(share.shape[1])
    step[-2:] = (0.1, 0.2)
    full = share @ step
    assert np.allclose(full[3:12:4], [0.1, 0.2, 0.1])
    assert np.allclose(np.delete(full, [3, 7, 11]), 0)
    assert sharing(3, 1, "h").shape == (13, 4)
    assert sharing(3, 1, "hxyw").shape == (13, 13)


def test_every_close_pair_is_listed_once(model):
    left, right = neighbour_pairs(model)
    assert np.all(left[: len(model.columns)] == right[: len(model.columns)])
    assert np.all(left[len(model.columns) :] < right[len(model.columns) :])
    assert len({*zip(left.tolist(), right.tolist(), strict=True)}) == len(left)
