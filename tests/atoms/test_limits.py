import numpy as np
from scipy import sparse

from crewe.atoms.limits import Damping, Limits


def test_no_column_passes_half_way_to_its_neighbour(model):
    limits = Limits.around(model)
    step = np.random.default_rng(0).normal(0, 50, model.columns.size + len(model.knots))
    moved = limits.apply(model, step)
    away = np.hypot(*(moved.columns[:, 1:3] - model.columns[:, 1:3]).T)
    gap = np.linalg.norm(model.columns[:, None, 1:3] - model.columns[None, :, 1:3], axis=2)
    gap[np.arange(12), np.arange(12)] = np.inf
    assert np.all(away <= 0.5 * gap.min(axis=1) + 1e-12)
    assert limits.reached(moved).sum() >= 10
    assert not limits.reached(model).any()


def test_heights_and_widths_stay_positive(model):
    step = np.full(model.columns.size + len(model.knots), -100.0)
    moved = Limits.around(model).apply(model, step)
    assert moved.columns[:, 0].min() > 0
    assert moved.columns[:, 3].min() > 0


def test_small_steps_are_left_alone(model):
    step = np.full(model.columns.size + len(model.knots), 1e-3)
    limits = Limits.around(model)
    assert np.allclose(limits.shorten(model, step), step)
    assert np.allclose(limits.apply(model, step).columns, model.columns + 1e-3)


def test_a_column_that_turns_back_is_damped_and_let_go_again():
    damping = Damping(2)
    information = sparse.csr_array(np.diag(np.full(6, 4.0)))
    there, back = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[-1.0, 0.0], [0.5, 0.0]])
    damping.observe(there)
    damping.observe(back)
    extra = (damping.added_to(information, 3) - information).diagonal().reshape(2, 3)
    assert extra[0, 1] > 10 * extra[1, 1]
    assert extra[0, 0] == 0
    for _ in range(20):
        damping.observe(0.1 * there)
    assert damping.factor.max() < 0.01


def test_a_rejected_step_damps_everything_and_an_accepted_one_less():
    information = sparse.csr_array(np.eye(12))
    damping = Damping(12)
    assert np.allclose(damping.added_to(information, 1).toarray(), np.eye(12))
    damping.tune(accepted=False)
    assert np.allclose(damping.added_to(information, 1).toarray(), 1.1 * np.eye(12))
    damping.tune(accepted=True)
    assert damping.general < 0.05
