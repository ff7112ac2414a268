import numpy as np
import pytest
from small_models import small_model

from crewe.atoms.noise import counting_noise
from crewe.atoms.weak_search import State, Surroundings, Task, log_curve


def state_of(model):
    count = len(model.columns)
    return State(model, np.arange(count), np.zeros(count, np.int64), count)


def test_columns_are_added_in_order_and_taken_out_again():
    state = state_of(small_model())
    new = np.array([[0.1, 1.0, 5.9, 0.4], [0.2, 2.0, 0.1, 0.4]])
    more = state.with_columns(new, 0)
    assert (np.diff(more.model.columns[:, 2]) >= 0).all()
    assert np.array_equal(more.model.columns[more.order == 12][0], new[0])
    assert sorted(more.order[more.added]) == [12, 13]
    back = more.without(more.added)
    assert np.array_equal(back.model.columns, state.model.columns)
    assert np.array_equal(back.order, state.order)


def test_the_curve_sums_odds_and_exchanges():
    odds = np.array([3.0, 1.0, -2.0])
    expected = [0, 3, 3 + 1 + np.log(2), 3 + 1 - 2 + np.log(6)]
    assert np.allclose(log_curve(odds), expected)
    assert log_curve(np.zeros(0)).tolist() == [0.0]


def test_columns_too_weak_to_be_seen_alone_are_seen_together():
    """A hundred of log odds −3 each outweigh any smaller number of them."""
    curve = log_curve(np.full(100, -3.0))
    assert curve[1] < 0
    assert np.argmax(curve) == 100


def test_the_least_ratio_gives_even_odds():
    model = small_model()
    data = np.random.default_rng(0).poisson(model.image() * 1e4) / 1e4
    task = Task(
        data=data,
        noise=lambda residual, expected: counting_noise(1e-4, expected),
        counts=True,
        mask=np.ones(data.shape, bool),
        least=0.0,
        greatest=2.0,
        most=20,
        tried=20,
        closest=0.9,
        weak_kind=0,
    )
    around = Surroundings(task, state_of(model))
    assert around.volume == pytest.approx(31 * 43 * 0.2 * 0.15 * 2.0)
    for columns in (1, 10):
        ratio = around.least_ratio(columns)
        error = np.sqrt(2) * around.width / ratio
        laplace = (2 * np.pi) ** 1.5 * around.lone_error * error**2 / around.volume
        assert np.log(columns * laplace) + 0.5 * ratio**2 == pytest.approx(0, abs=1e-6)
    assert around.least_ratio(10) < around.least_ratio(1)
