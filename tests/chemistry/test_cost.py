import numpy as np
import pytest

from crewe.chemistry import total_variation
from crewe.chemistry.cost import EPSILON_SHARE, fusion_cost
from crewe.chemistry.operators import ElasticModel, ElasticRow
from crewe.errors import ImageError, PlanError

ELEMENTS = ("Co", "S", "O")
WEIGHTS = {"haadf_weight": 0.4, "chemical_weight": 0.7, "variation_weight": (0.1, 0.2, 0.3)}


def problem(gamma=1.7, likelihood="poisson", background=0.2, further=()):
    rng = np.random.default_rng(0)
    model = ElasticModel(ELEMENTS, gamma, "number", further)
    x = rng.uniform(0.2, 3, (3, 6, 5))
    haadf = rng.normal(5, 2, (len(model.weights), 6, 5))
    counts = rng.poisson(2, x.shape).astype(float)
    options = {**WEIGHTS, "likelihood": likelihood, "background": background}
    return x, fusion_cost(counts, haadf, model, **options), rng


def test_terms_are_those_of_equation_1():
    x, cost, _ = problem()
    elastic = np.sum((cost.model.forward(x) - cost.signals) ** 2) / 2
    chemical = np.sum(x - cost.counts * np.log(x + 0.2))
    terms = cost.terms(x)
    assert terms.elastic == pytest.approx(0.4 * elastic)
    assert terms.chemical == pytest.approx(0.7 * chemical)
    assert terms.variation == pytest.approx(np.dot([0.1, 0.2, 0.3], total_variation.value(x)))
    assert terms.total == pytest.approx(terms.elastic + terms.chemical + terms.variation)
    assert cost.smooth(x) == pytest.approx(terms.elastic + terms.chemical)


@pytest.mark.parametrize("gamma", [1.4, 1.7, 2.0])
@pytest.mark.parametrize("likelihood", ["poisson", "least_squares"])
def test_gradient_and_hessian_against_finite_differences(gamma, likelihood):
    x, cost, rng = problem(gamma, likelihood, 0.2, (ElasticRow((0.1, 1.0, -0.4), 1.3),))
    way, step = rng.normal(size=x.shape), 1e-5
    value, gradient, _ = cost.smooth_slope(x)
    assert value == pytest.approx(cost.smooth(x))
    slope = (cost.smooth(x + step * way) - cost.smooth(x - step * way)) / (2 * step)
    assert np.vdot(gradient, way) == pytest.approx(slope, rel=1e-6)
    change = (cost.gradient(x + step * way) - cost.gradient(x - step * way)) / (2 * step)
    found = np.einsum("efyx,fyx->eyx", cost.hessian(x), way)
    assert np.allclose(found, change, rtol=1e-6, atol=1e-6 * np.abs(change).max())


@pytest.mark.parametrize("likelihood", ["poisson", "least_squares"])
def test_the_curvature_bounds_the_hessian(likelihood):
    x, cost, _ = problem(likelihood=likelihood)
    curvature = cost.smooth_slope(x)[2].transpose(1, 2, 0)
    slack = curvature[..., None] * np.eye(3) - np.moveaxis(cost.hessian(x), (0, 1), (2, 3))
    assert np.linalg.eigvalsh(slack).min() > -1e-9 * curvature.max()


def test_the_bound_from_below_is_one():
    for likelihood in ("poisson", "least_squares"):
        x, cost, _ = problem(likelihood=likelihood)
        assert cost.least() <= cost.terms(x).total
        assert cost.least() <= cost.terms(np.maximum(cost.counts - 0.2, 0)).total


def test_without_a_background_the_logarithm_stays_finite():
    x, cost, _ = problem(background=None)
    expected = EPSILON_SHARE * cost.counts.mean(axis=(1, 2))
    assert np.allclose(cost.background[:, 0, 0], expected)
    assert np.isfinite(cost.terms(np.zeros_like(x)).total)
    assert not problem(likelihood="least_squares", background=None)[1].background.any()


def test_without_haadf_there_is_no_elastic_term():
    x, cost, _ = problem()
    alone = fusion_cost(cost.counts, None, cost.model, **WEIGHTS, background=0.2)
    assert alone.terms(x).elastic == 0
    assert np.allclose(alone.gradient(x), 0.7 * (1 - cost.counts / (x + 0.2)))
    assert np.allclose(alone.hessian(x)[0, 0], 0.7 * cost.counts[0] / (x[0] + 0.2) ** 2)
    assert not alone.hessian(x)[0, 1].any()


def test_counts_above_none_expected_cost_infinitely_much():
    counts = np.ones((3, 4, 4))
    cost = fusion_cost(counts, None, ElasticModel(ELEMENTS), **WEIGHTS, background=0.0)
    assert cost.terms(np.zeros_like(counts)).total == np.inf


def test_single_precision_is_kept():
    counts = np.ones((3, 4, 4), np.float32)
    haadf = np.ones((4, 4))
    cost = fusion_cost(counts, haadf, ElasticModel(ELEMENTS), **WEIGHTS)
    kinds = {cost.counts.dtype, cost.background.dtype, cost.signals.dtype}
    assert kinds == {np.dtype(np.float32)}
    assert cost.gradient(counts).dtype == np.float32


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"maps": np.ones((2, 4, 4))}, ImageError, "Co, S, O"),
        ({"maps": np.full((3, 4, 4), np.nan)}, ImageError, "NaN"),
        ({"maps": np.full((3, 4, 4), -1.0)}, ImageError, "least_squares"),
        ({"haadf": np.ones((5, 4))}, ImageError, "do not fit"),
        ({"haadf": np.full((4, 4), np.inf)}, ImageError, "NaN"),
        ({"background": np.ones((4, 4))}, ImageError, "background of shape"),
        ({"background": -1.0}, ImageError, "0 or more"),
        ({"background": np.nan}, ImageError, "0 or more"),
        ({"likelihood": "gaussian"}, PlanError, "poisson, least_squares"),
        ({"haadf_weight": -1.0}, PlanError, "0 or more"),
        ({"variation_weight": (1.0, np.nan, 1.0)}, PlanError, "finite"),
        ({"variation_weight": (1.0, 2.0)}, PlanError, "one per element"),
    ],
)
def test_what_has_no_cost(change, error, words):
    given = {"maps": np.ones((3, 4, 4)), "haadf": np.ones((4, 4)), **WEIGHTS, **change}
    maps, haadf = given.pop("maps"), given.pop("haadf")
    with pytest.raises(error, match=words):
        fusion_cost(maps, haadf, ElasticModel(ELEMENTS), **given)


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch):
    rng = np.random.default_rng(5)
    counts, haadf = rng.poisson(2.0, (3, 300, 40)).astype(float), rng.normal(5, 2, (300, 40))
    cost = fusion_cost(counts, haadf, ElasticModel(ELEMENTS), **WEIGHTS)
    x = rng.uniform(0, 3, counts.shape)
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
        found.append((cost.terms(x), *cost.smooth_slope(x), cost.hessian(x)))
    assert found[0][:2] == found[1][:2]
    for one, other in zip(found[0][2:], found[1][2:], strict=True):
        assert np.array_equal(one, other)
