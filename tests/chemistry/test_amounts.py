import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from crewe.chemistry import total_variation
from crewe.chemistry.amounts import fuse_amounts
from crewe.chemistry.cost import fusion_cost
from crewe.chemistry.operators import ElasticModel
from crewe.errors import ImageError

ELEMENTS = ("Co", "S", "O")
COLUMNS = ["iteration", "elastic", "chemical", "variation", "total"]


def specimen(mean=5.0, size=32, seed=0):
    """A disc of two phases: true counts, noisy counts, noisy HAADF and the model of both."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    radius = np.hypot(y, x) / size
    shell, core = (radius < 0.42) * 1.0, (radius < 0.25) * 1.0
    true = mean * np.stack([shell, core, shell - core])
    model = ElasticModel(ELEMENTS, 1.7, "power")
    clean = model.forward(true)[0]
    haadf = rng.poisson(200 * clean / clean.max()) * clean.max() / 200
    return true, rng.poisson(true).astype(float), haadf, model


def never_rises(history):
    return bool(np.all(np.diff(history.total) <= 0))


@pytest.mark.parametrize("likelihood", ["poisson", "least_squares"])
@pytest.mark.parametrize("haadf_weight", [0.0, 1e-3, 10.0])
@pytest.mark.parametrize("variation_weight", [0.0, 0.3, 30.0])
def test_the_cost_never_rises(likelihood, haadf_weight, variation_weight):
    _, counts, haadf, model = specimen(mean=1.5)
    found, history = fuse_amounts(
        counts,
        haadf,
        model,
        haadf_weight=haadf_weight,
        chemical_weight=1.0,
        variation_weight=variation_weight,
        likelihood=likelihood,
        iterations=40,
    )
    assert list(history.columns) == COLUMNS
    assert never_rises(history)
    assert history.total.iloc[-1] < history.total.iloc[0] or haadf_weight == variation_weight == 0
    assert found.min() >= 0
    assert np.all(np.isfinite(found))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    mean=st.sampled_from([0.0, 0.05, 2.0, 1e4]),
    gamma=st.floats(1, 2),
    powers=st.tuples(*[st.floats(-6, 3)] * 3),
    kind=st.sampled_from([np.float32, np.float64]),
)
def test_whatever_is_given_the_cost_never_rises(seed, shape, mean, gamma, powers, kind):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(mean, (3, *shape)).astype(kind)
    counts[2] = 0
    names = ("haadf_weight", "chemical_weight", "variation_weight")
    weights = dict(zip(names, 10.0 ** np.array(powers), strict=True))
    model = ElasticModel(ELEMENTS, gamma, "power")
    haadf = rng.normal(mean, 1, shape)
    found, history = fuse_amounts(counts, haadf, model, **weights, iterations=15)
    assert never_rises(history)
    assert np.all(np.isfinite(history.total))
    assert np.all(np.isfinite(found))
    assert found.min() >= 0


def test_history_is_that_of_the_cost():
    _, counts, haadf, model = specimen()
    weights = {"haadf_weight": 1e-3, "chemical_weight": 1.0, "variation_weight": 0.3}
    found, history = fuse_amounts(counts, haadf, model, **weights)
    terms = fusion_cost(counts, haadf, model, **weights).terms(found)
    last = history.iloc[-1]
    for name in COLUMNS[1:]:
        assert last[name] == getattr(terms, name)
    assert np.array_equal(history.iteration, np.arange(len(history)))
    assert np.allclose(history.total, history[COLUMNS[1:4]].sum(axis=1))


@pytest.mark.parametrize("gamma", [1.4, 1.7, 2.0])
def test_without_variation_it_ends_where_a_general_minimiser_does(gamma):
    _, counts, haadf, _ = specimen(mean=20, size=8)
    model = ElasticModel(ELEMENTS, gamma, "power")
    weights = {"haadf_weight": 1e-3, "chemical_weight": 1.0, "variation_weight": 0.0}
    options = {**weights, "background": 0.5}
    _, history = fuse_amounts(counts, haadf, model, **options, iterations=3000, tolerance=1e-9)
    cost = fusion_cost(counts, haadf, model, **options)

    def both(flat):
        value, slope, _ = cost.smooth_slope(flat.reshape(counts.shape))
        return value, slope.ravel()

    start = np.maximum(counts - 0.5, 0).ravel()
    bounds = [(0, None)] * counts.size
    patience = {"maxiter": 20000, "maxfun": 50000, "ftol": 1e-14, "gtol": 1e-9}
    general = minimize(both, start, jac=True, bounds=bounds, method="L-BFGS-B", options=patience)
    assert history.total.iloc[-1] == pytest.approx(general.fun, rel=1e-5)
    assert never_rises(history)


@pytest.mark.parametrize("haadf_weight", [0.0, 1e-3])
def test_no_common_factor_would_lower_the_cost(haadf_weight):
    """Euler's identity at a minimum over x ≥ 0: x·∇f(x) + λ₂ TV(x) = 0, TV being homogeneous."""
    _, counts, haadf, model = specimen()
    weights = {"haadf_weight": haadf_weight, "chemical_weight": 1.0, "variation_weight": 1.0}
    found, history = fuse_amounts(counts, haadf, model, **weights, iterations=500, tolerance=1e-8)
    slope = fusion_cost(counts, haadf, model, **weights).gradient(found)
    assert -np.vdot(slope, found) == pytest.approx(history.variation.iloc[-1], rel=2e-3)


def test_squares_and_variation_alone_are_the_proximal_operator():
    _, counts, _, model = specimen()
    found, _ = fuse_amounts(
        counts,
        None,
        model,
        haadf_weight=0.0,
        chemical_weight=2.0,
        variation_weight=1.5,
        likelihood="least_squares",
        tolerance=1e-9,
    )
    exact = total_variation.prox(
        counts, 0.75, non_negative=True, tolerance=1e-9, iterations=20000
    ).maps
    assert found == pytest.approx(exact, abs=0.02)


def test_convex_cost_ends_at_one_minimum_from_any_start():
    _, counts, _, model = specimen(mean=3)
    weights = {"haadf_weight": 0.0, "chemical_weight": 1.0, "variation_weight": 0.5}
    rng = np.random.default_rng(1)
    totals, fields = [], []
    for start in (None, np.full(counts.shape, 40.0), rng.uniform(0, 6, counts.shape)):
        found, history = fuse_amounts(
            counts, None, model, **weights, start=start, iterations=500, tolerance=1e-8
        )
        assert never_rises(history)
        totals.append(history.total.iloc[-1])
        fields.append(found)
    spread = np.ptp(totals) / (history.total.iloc[0] - min(totals))
    assert spread < 1e-4
    assert np.abs(fields[1] - fields[0]).max() < 0.1
    assert np.abs(fields[2] - fields[0]).max() < 0.1


def test_a_large_weight_ends_at_the_mean_counts():
    """Poisson with variation kept at bay: one amount per map, the mean of its counts."""
    _, counts, _, model = specimen(mean=4, size=16)
    found, _ = fuse_amounts(
        counts,
        None,
        model,
        haadf_weight=0.0,
        chemical_weight=1.0,
        variation_weight=300.0,
        iterations=2000,
        tolerance=1e-10,
    )
    for amounts, counted in zip(found, counts, strict=True):
        assert amounts == pytest.approx(np.full_like(amounts, counted.mean()), rel=0.02)


def test_haadf_and_variation_bring_amounts_nearer_to_the_truth():
    true, counts, haadf, model = specimen(mean=9, size=64, seed=2)
    found, _ = fuse_amounts(
        counts, haadf, model, haadf_weight=1e-3, chemical_weight=1.0, variation_weight=0.5
    )
    error = np.linalg.norm(found - true, axis=(1, 2)) / np.linalg.norm(true, axis=(1, 2))
    raw = np.linalg.norm(counts - true, axis=(1, 2)) / np.linalg.norm(true, axis=(1, 2))
    assert np.all(error < 0.5 * raw)
    # The scale is that of the counts; nothing in eq. 1 keeps their sum exactly.
    assert found.sum(axis=(1, 2)) == pytest.approx(counts.sum(axis=(1, 2)), rel=0.12)


def test_a_background_is_not_part_of_the_amounts():
    true, _, _, model = specimen(mean=9, size=64, seed=3)
    counts = np.random.default_rng(4).poisson(true + 4.0).astype(float)
    weights = {"haadf_weight": 0.0, "chemical_weight": 1.0, "variation_weight": 0.5}
    found, _ = fuse_amounts(counts, None, model, **weights, background=4.0)
    # What variation takes from the contrast, it takes from the particle.
    assert found.sum(axis=(1, 2)) == pytest.approx(true.sum(axis=(1, 2)), rel=0.12)
    kept, _ = fuse_amounts(counts, None, model, **weights)
    assert (kept - found).mean(axis=(1, 2)) == pytest.approx([4.0] * 3, rel=0.02)


def test_single_precision_ends_at_the_same_cost():
    _, counts, haadf, model = specimen(size=48)
    weights = {"haadf_weight": 1e-2, "chemical_weight": 1.0, "variation_weight": 0.5}
    double, one = fuse_amounts(counts, haadf, model, **weights)
    single, other = fuse_amounts(counts.astype(np.float32), haadf, model, **weights)
    assert (double.dtype, single.dtype) == (np.float64, np.float32)
    assert never_rises(other)
    assert other.total.iloc[-1] == pytest.approx(one.total.iloc[-1], rel=1e-4)


def test_progress_and_start_are_the_callers():
    _, counts, haadf, model = specimen()
    heard = []
    start = np.ones_like(counts)
    before = counts.copy()
    fuse_amounts(
        counts,
        haadf,
        model,
        haadf_weight=1e-3,
        chemical_weight=1.0,
        variation_weight=0.3,
        start=start,
        iterations=5,
        progress=lambda stage, fraction: heard.append((stage, fraction)),
    )
    assert heard == [("amounts", pytest.approx(k / 5)) for k in range(1, 6)]
    assert np.all(start == 1)
    assert np.array_equal(counts, before)


def test_a_start_that_cannot_be():
    _, counts, haadf, model = specimen()
    weights = {"haadf_weight": 1e-3, "chemical_weight": 1.0, "variation_weight": 0.3}
    for start in (counts[:2], np.full(counts.shape, np.nan)):
        with pytest.raises(ImageError, match="start"):
            fuse_amounts(counts, haadf, model, **weights, start=start)
