import numpy as np

from crewe.chemistry.elastic_loops import curvatures, misfits, predictions, slopes

WEIGHTS = np.array([[1.5, 0.8, 0.2], [-0.3, 0.4, 1.0]])
GAMMAS = np.array([1.7, 1.3])


def images():
    rng = np.random.default_rng(3)
    return rng.uniform(0, 2, (3, 9, 4)), rng.normal(1, 1, (2, 9, 4))


def test_one_pass_is_the_formula_written_with_whole_arrays():
    x, b = images()
    powers = x[None] ** GAMMAS[:, None, None, None]
    expected = np.einsum("re,reyx->ryx", WEIGHTS, powers)
    found = np.empty_like(b)
    predictions(x, WEIGHTS, GAMMAS, found, 0, 9)
    assert np.allclose(found, expected)
    squares, sums = np.empty(9), np.empty(9)
    misfits(x, b, WEIGHTS, GAMMAS, squares, 0, 9)
    assert np.allclose(squares, np.sum((expected - b) ** 2, axis=(0, 2)))
    gradient, bound = np.empty_like(x), np.empty_like(x)
    slopes(x, b, WEIGHTS, GAMMAS, gradient, bound, sums, 0, 9)
    v = GAMMAS[:, None, None, None] * WEIGHTS[..., None, None] * powers / x
    assert np.allclose(sums, squares)
    assert np.allclose(gradient, np.einsum("ryx,reyx->eyx", expected - b, v))
    curve = (GAMMAS - 1)[:, None, None, None] * v / x * (expected - b)[:, None]
    reach = np.abs(v).sum(axis=1, keepdims=True)
    assert np.allclose(bound, (np.abs(v) * reach + np.maximum(curve, 0)).sum(axis=0))
    blocks = np.empty((3, 3, 9, 4))
    curvatures(x, b, WEIGHTS, GAMMAS, blocks, 0, 9)
    outer = np.einsum("reyx,rfyx->efyx", v, v)
    outer[range(3), range(3)] += curve.sum(axis=0)
    assert np.allclose(blocks, outer)


def test_only_the_rows_asked_for_are_touched():
    x, b = images()
    whole, part = np.zeros_like(b), np.zeros_like(b)
    predictions(x, WEIGHTS, GAMMAS, whole, 0, 9)
    predictions(x, WEIGHTS, GAMMAS, part, 2, 5)
    assert np.array_equal(part[:, 2:5], whole[:, 2:5])
    assert not part[:, :2].any()
    assert not part[:, 5:].any()
