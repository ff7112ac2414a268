import numba
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
    predictions(x, WEIGHTS, GAMMAS, found)
    assert np.allclose(found, expected)
    assert np.allclose(misfits(x, b, WEIGHTS, GAMMAS), np.sum((expected - b) ** 2, axis=(0, 2)))
    gradient, bound = np.empty_like(x), np.empty_like(x)
    sums = slopes(x, b, WEIGHTS, GAMMAS, gradient, bound)
    v = GAMMAS[:, None, None, None] * WEIGHTS[..., None, None] * powers / x
    assert np.allclose(sums, misfits(x, b, WEIGHTS, GAMMAS))
    assert np.allclose(gradient, np.einsum("ryx,reyx->eyx", expected - b, v))
    curve = (GAMMAS - 1)[:, None, None, None] * v / x * (expected - b)[:, None]
    reach = np.abs(v).sum(axis=1, keepdims=True)
    assert np.allclose(bound, (np.abs(v) * reach + np.maximum(curve, 0)).sum(axis=0))
    blocks = np.empty((3, 3, 9, 4))
    curvatures(x, b, WEIGHTS, GAMMAS, blocks)
    outer = np.einsum("reyx,rfyx->efyx", v, v)
    outer[range(3), range(3)] += curve.sum(axis=0)
    assert np.allclose(blocks, outer)


def test_results_do_not_depend_on_the_number_of_threads():
    x, b = images()
    threads = numba.get_num_threads()
    found = []
    try:
        for count in {1, threads}:
            numba.set_num_threads(count)
            gradient, bound = np.empty_like(x), np.empty_like(x)
            sums = slopes(x, b, WEIGHTS, GAMMAS, gradient, bound)
            found.append((sums, gradient, bound))
    finally:
        numba.set_num_threads(threads)
    for one, other in zip(found[0], found[-1], strict=True):
        assert np.array_equal(one, other)
