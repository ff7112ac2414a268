import re

import numpy as np
import pytest
from ase.data import chemical_symbols
from hypothesis import given
from hypothesis import strategies as st

from crewe.chemistry.operators import WEIGHTINGS, ElasticModel, ElasticRow, atomic_number
from crewe.errors import ImageError, PlanError

ELEMENTS = ("Co", "S", "O")
SHAPE = (5, 7)


def several_rows(gamma=1.7):
    bright_field = ElasticRow((0.3, -0.5, 0.9), gamma=1.2)
    return ElasticModel(ELEMENTS, gamma, "power", (bright_field, ElasticRow((1.0, 0.0, 2.0))))


def problem(model, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.2, 3, (len(model.elements), *SHAPE))
    return x, rng.normal(4, 2, (len(model.weights), *SHAPE)), rng


@pytest.mark.parametrize("gamma", [1.4, 1.6, 2.0])
def test_weightings_are_those_of_the_published_program(gamma):
    z = np.array([27.0, 16.0, 8.0])
    expected = {
        "ones": np.ones(3),
        "number": z / z.mean(),
        "power": z**gamma / np.mean(z**gamma),
        "number_share": z / z.sum(),
        "power_share": z**gamma / np.sum(z**gamma),
    }
    assert set(expected) == set(WEIGHTINGS)
    for weighting, row in expected.items():
        assert np.allclose(ElasticModel(ELEMENTS, gamma, weighting).weights, [row])
    assert np.allclose(ElasticModel(ELEMENTS, gamma, (3.0, 2.0, 1.0)).weights, [[3, 2, 1]])


def test_power_weighting_is_the_haadf_of_the_paper_up_to_a_factor():
    x, _, _ = problem(ElasticModel(ELEMENTS))
    printed = np.sum((np.array([27, 16, 8])[:, None, None] * x) ** 1.7, axis=0)
    found = ElasticModel(ELEMENTS, 1.7, "power").forward(x)[0]
    assert np.ptp(printed / found) < 1e-9 * np.mean(printed / found)


@pytest.mark.parametrize("model", [ElasticModel(ELEMENTS), several_rows()])
def test_adjoint(model):
    z, r, _ = problem(model)
    assert np.vdot(model.apply(z), r) == pytest.approx(np.vdot(z, model.adjoint(r)), rel=1e-12)


def test_forward_is_the_naive_sum():
    model = several_rows()
    x, b, _ = problem(model)
    expected = np.zeros((3, *SHAPE))
    for r in range(3):
        for e in range(3):
            expected[r] += model.weights[r, e] * x[e] ** model.gammas[r]
    assert np.allclose(model.forward(x), expected)
    assert model.misfit(x, b) == pytest.approx(0.5 * np.sum((expected - b) ** 2))
    common = ElasticModel(ELEMENTS, 1.6, "ones")
    assert np.allclose(common.forward(x), common.apply(x**1.6))


@pytest.mark.parametrize("gamma", [1.0, 1.4, 1.7, 2.0])
def test_gradient_against_finite_differences(gamma):
    model = several_rows(gamma)
    x, b, rng = problem(model)
    way = rng.normal(size=x.shape)
    step = 1e-5
    slope = (model.misfit(x + step * way, b) - model.misfit(x - step * way, b)) / (2 * step)
    assert np.vdot(model.gradient(x, b), way) == pytest.approx(slope, rel=1e-7)


def test_gradient_is_equation_2():
    model = ElasticModel(ELEMENTS, 1.6)
    x, b, _ = problem(model)
    printed = -1.6 * x**0.6 * model.adjoint(b - model.apply(x**1.6))
    assert np.allclose(model.gradient(x, b), printed)


@pytest.mark.parametrize("gamma", [1.4, 2.0])
def test_hessian_against_finite_differences_of_the_gradient(gamma):
    model = several_rows(gamma)
    x, b, rng = problem(model)
    way = rng.normal(size=x.shape)
    step = 1e-5
    change = (model.gradient(x + step * way, b) - model.gradient(x - step * way, b)) / (2 * step)
    found = np.einsum("efyx,fyx->eyx", model.hessian(x, b), way)
    assert np.allclose(found, change, rtol=1e-6, atol=1e-6 * np.abs(change).max())


def test_the_diagonal_bounds_the_hessian():
    model = several_rows()
    x, b, _ = problem(model)
    _, _, bound = model.misfit_and_slope(x, b)
    blocks = np.moveaxis(model.hessian(x, b), (0, 1), (2, 3))
    slack = bound.transpose(1, 2, 0)[..., None] * np.eye(3) - blocks
    assert np.linalg.eigvalsh(slack).min() > -1e-9 * bound.max()


def test_where_nothing_is_all_derivatives_are_finite():
    model = ElasticModel(ELEMENTS, 1.5)
    x, b = np.zeros((3, *SHAPE)), np.ones(SHAPE)
    value, gradient, bound = model.misfit_and_slope(x, b)
    assert value == pytest.approx(0.5 * b.size)
    assert not gradient.any()
    assert not bound.any()
    assert not model.hessian(x, b).any()


def test_single_precision_stays_single_and_agrees():
    model = several_rows()
    x, b, _ = problem(model)
    single = model.gradient(x.astype(np.float32), b)
    assert single.dtype == np.float32
    assert model.forward(x.astype(np.float32)).dtype == np.float32
    double = model.gradient(x, b)
    assert np.allclose(single, double, rtol=2e-5, atol=1e-5 * np.abs(double).max())


def test_symbols_of_any_case():
    assert [atomic_number(s) for s in ("co", " S", "AU")] == [27, 16, 79]


@given(st.text(max_size=4))
def test_what_is_no_element_is_named(text):
    if text.strip().capitalize() in chemical_symbols[1:]:
        assert chemical_symbols[atomic_number(text)] == text.strip().capitalize()
    else:
        with pytest.raises(PlanError, match=re.escape(repr(text))):
            atomic_number(text)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"elements": ("Co", "Xx")}, "Xx"),
        ({"gamma": 0.5}, "1.4 to 2"),
        ({"gamma": float("nan")}, "1.4 to 2"),
        ({"weighting": "heavy"}, "number_share"),
        ({"weighting": (1.0, 2.0)}, "2 weights"),
        ({"further_rows": (ElasticRow((1.0,)),)}, "1 weights"),
        ({"weighting": (1.0, float("inf"), 2.0)}, "finite"),
    ],
)
def test_models_that_cannot_be(options, words):
    with pytest.raises(PlanError, match=words):
        ElasticModel(**{"elements": ELEMENTS, **options})


def test_shapes_that_do_not_fit():
    model = ElasticModel(ELEMENTS)
    with pytest.raises(ImageError, match=r"\(3, y, x\)"):
        model.forward(np.ones((2, *SHAPE)))
    with pytest.raises(ImageError, match="do not fit 1 rows"):
        model.gradient(np.ones((3, *SHAPE)), np.ones((5, 6)))
