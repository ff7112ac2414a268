import numpy as np
import pytest

from crewe.chemistry import total_variation
from crewe.errors import ImageError, PlanError


def steps_and_noise(shape=(24, 20), seed=0, channels=1):
    rng = np.random.default_rng(seed)
    clean = np.zeros((channels, *shape))
    clean[:, 6:15, 5:14] = 4.0
    return clean + rng.normal(0, 1, clean.shape)


def gradient(u):
    down, right = np.zeros_like(u), np.zeros_like(u)
    down[:-1] = np.diff(u, axis=0)
    right[:, :-1] = np.diff(u, axis=1)
    return np.stack([down, right])


def divergence(p):
    """Minus the adjoint of `gradient`, for a field that is zero where differences are."""
    found = p[0] + p[1]
    found[1:] -= p[0, :-1]
    found[:, 1:] -= p[1, :, :-1]
    return found


def slow_prox(v, weight, metric=1.0, least=-np.inf, iterations=20000):
    """Projected gradient on the dual, no momentum, one step for all: Chambolle's plain way."""
    p = np.zeros((2, *v.shape))
    step = np.min(metric) / (8 * weight)
    for _ in range(iterations):
        u = np.maximum(v + weight / metric * divergence(p), least)
        p += step * gradient(u)
        p /= np.maximum(1, np.linalg.norm(p, axis=0))
    return np.maximum(v + weight / metric * divergence(p), least)


def primal(u, v, weight, metric=1.0):
    return 0.5 * np.sum(metric * (u - v) ** 2) + weight * total_variation.value(u)


def test_value_of_a_ramp_and_of_a_disc():
    ramp = np.add.outer(3.0 * np.arange(8), 4.0 * np.arange(6))
    # the last row and column have one difference only
    assert total_variation.value(ramp) == pytest.approx(7 * 5 * 5 + 5 * 4 + 7 * 3)
    y, x = np.mgrid[:201, :201] - 100.0
    disc = 1 / (1 + np.exp((np.hypot(y, x) - 60) / 3))
    assert total_variation.value(disc) == pytest.approx(2 * np.pi * 60, rel=0.01)
    assert np.allclose(total_variation.value(np.stack([ramp, 2 * ramp])) / 216, [1, 2])


@pytest.mark.parametrize("weight", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("non_negative", [False, True])
def test_agrees_with_a_slow_reference(weight, non_negative):
    v = steps_and_noise()[0] - 1
    slow = slow_prox(v, weight, least=0.0 if non_negative else -np.inf)
    found = total_variation.prox(
        v, weight, non_negative=non_negative, tolerance=1e-10, iterations=20000
    )
    assert found.maps == pytest.approx(slow, abs=6e-3)
    assert primal(found.maps, v, weight) <= primal(slow, v, weight) * (1 + 1e-9)


def test_a_metric_that_varies_agrees_with_the_slow_reference():
    v = steps_and_noise(seed=1)[0]
    metric = 10 ** np.random.default_rng(2).uniform(-1, 1, v.shape)
    slow = slow_prox(v, 0.8, metric, 0.0, iterations=60000)
    found = total_variation.prox(
        v, 0.8, metric=metric, non_negative=True, tolerance=1e-10, iterations=20000
    )
    assert found.maps == pytest.approx(slow, abs=5e-3)
    assert primal(found.maps, v, 0.8, metric) <= primal(slow, v, 0.8, metric) * (1 + 1e-7)


def test_the_gap_bounds_the_distance():
    v = steps_and_noise(seed=3)
    metric = np.random.default_rng(4).uniform(0.3, 3, v.shape)
    options = {"metric": metric, "tolerance": 0.0}
    exact = total_variation.prox(v, 1.5, iterations=20000, **options)
    for iterations in (0, 5, 20, 60):
        found = total_variation.prox(v, 1.5, iterations=iterations, **options)
        distance = 0.5 * np.sum(metric * (found.maps - exact.maps) ** 2)
        # how far the exact one is from exact belongs to what is compared
        assert distance <= found.gap[0] + 2 * np.sqrt(found.gap[0] * exact.gap[0]) + exact.gap[0]
        over = primal(found.maps[0], v[0], 1.5, metric[0]) - primal(
            exact.maps[0], v[0], 1.5, metric[0]
        )
        assert over <= found.gap[0] * (1 + 1e-9)


def test_stops_where_asked():
    v = steps_and_noise(seed=5, channels=2)
    loose = total_variation.prox(v, 1.0, tolerance=1e-2)
    tight = total_variation.prox(v, 1.0, tolerance=1e-5, iterations=5000)
    assert np.all(loose.iterations < tight.iterations)
    for found, share in ((loose, 1e-2), (tight, 1e-5)):
        for c in range(2):
            assert found.gap[c] <= share * primal(found.maps[c], v[c], 1.0)
    assert np.all(total_variation.prox(v, 1.0, tolerance=0.0, gap=0.5).gap <= 0.5)
    assert np.all(total_variation.prox(v, 1.0, tolerance=0.0, iterations=7).iterations == 7)


def test_mean_is_kept_and_a_shift_passes_through():
    v = steps_and_noise(seed=6)[0]
    found = total_variation.prox(v, 2.0, tolerance=1e-8).maps
    assert found.mean() == pytest.approx(v.mean(), abs=1e-12)
    shifted = total_variation.prox(v + 100, 2.0, tolerance=0, gap=1e-6, iterations=5000).maps
    exact = total_variation.prox(v, 2.0, tolerance=0, gap=1e-6, iterations=5000).maps
    assert shifted - 100 == pytest.approx(exact, abs=3e-3)
    transposed = total_variation.prox(v.T.copy(), 2.0, tolerance=1e-8, iterations=5000).maps.T
    assert found == pytest.approx(transposed, abs=5e-3)


def test_a_large_weight_leaves_the_mean_and_none_the_map():
    v = steps_and_noise((8, 9), seed=7)[0]
    flat = total_variation.prox(v, 1e3, tolerance=1e-9, iterations=20000).maps
    assert flat == pytest.approx(np.full_like(v, v.mean()), abs=1e-3)
    assert np.array_equal(total_variation.prox(v, 0.0).maps, v)
    assert np.array_equal(total_variation.prox(v, 0.0, non_negative=True).maps, np.maximum(v, 0))


def test_each_channel_is_worked_alone_with_its_own_weight():
    v = steps_and_noise(seed=8, channels=3)
    weights = np.array([0.3, 1.0, 2.5])
    together = total_variation.prox(v, weights, tolerance=1e-6)
    for c in range(3):
        alone = total_variation.prox(v[c], weights[c], tolerance=1e-6)
        assert np.array_equal(alone.maps, together.maps[c])
        assert alone.iterations[0] == together.iterations[c]


def test_a_dual_that_was_found_before_saves_the_work():
    v = steps_and_noise((64, 64), seed=9)
    first = total_variation.prox(v, 1.0, tolerance=1e-4)
    again = total_variation.prox(v, 1.0, tolerance=1e-4, dual=first.dual)
    assert again.iterations[0] == 0
    near = total_variation.prox(v + 0.01, 1.02, tolerance=1e-4, dual=first.dual)
    assert near.iterations[0] < first.iterations[0]


def test_single_precision_stays_single_and_agrees():
    v = steps_and_noise(seed=10)
    single = total_variation.prox(v.astype(np.float32), 1.0, tolerance=1e-6)
    assert single.maps.dtype == single.dual.dtype == np.float32
    double = total_variation.prox(v, 1.0, tolerance=1e-6)
    assert double.maps.dtype == np.float64
    assert total_variation.prox(v.astype(int), 1.0).maps.dtype == np.float64
    assert single.maps == pytest.approx(double.maps, abs=0.03)


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch):
    v = steps_and_noise((128, 100), seed=11, channels=3)
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
        found.append(total_variation.prox(v, 1.0, iterations=50))
    assert np.array_equal(found[0].maps, found[1].maps)
    assert np.array_equal(found[0].gap, found[1].gap)


def test_input_is_left_as_it_was():
    v = steps_and_noise(seed=12)
    before = v.copy()
    first = total_variation.prox(v, 1.0)
    dual = first.dual.copy()
    total_variation.prox(v, 2.0, dual=first.dual)
    assert np.array_equal(v, before)
    assert np.array_equal(first.dual, dual)


def test_what_cannot_be_smoothed():
    v = steps_and_noise()
    with pytest.raises(ImageError, match="NaN"):
        total_variation.prox(np.where(v > 3, np.nan, v), 1.0)
    with pytest.raises(PlanError, match="0 or more"):
        total_variation.prox(v, -1.0)
    with pytest.raises(ImageError, match="2 weights were given for 1 maps"):
        total_variation.prox(v, [1.0, 2.0])
    with pytest.raises(ImageError, match="metric"):
        total_variation.prox(v, 1.0, metric=np.ones((3, 3)))
    with pytest.raises(ImageError, match="positive"):
        total_variation.prox(v, 1.0, metric=np.zeros_like(v))
    with pytest.raises(ImageError, match="shape"):
        total_variation.value(np.ones(4))
