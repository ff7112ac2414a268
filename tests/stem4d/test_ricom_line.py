import numpy as np
import pytest

from crewe.stem4d.ricom_kernel import ricom_kernel
from crewe.stem4d.ricom_line import Images, line_products, take_line


def quarter(size):
    half = size // 2
    return np.ascontiguousarray(ricom_kernel(size)[:, half:, half:])


def empty(shape):
    return Images(np.zeros((2, *shape)), np.zeros(shape), np.zeros(shape), np.zeros((2, *shape)))


@pytest.mark.parametrize("size", [3, 5, 9, 11, 15])
@pytest.mark.parametrize("columns", [1, 3, 20])
def test_products_are_convolutions_with_rows_of_the_kernel(size, columns):
    along_y, along_x = np.random.default_rng(0).normal(size=(2, columns))
    kernel, half = ricom_kernel(size), size // 2
    odd, even = line_products(along_y, along_x, quarter(size))
    for distance in range(half + 1):
        for line, component, found in ((along_y, 0, odd), (along_x, 1, even)):
            whole = np.convolve(line, kernel[component, half + distance])
            np.testing.assert_allclose(found[distance], whole[half : half + columns], atol=1e-14)


def test_a_change_of_a_few_positions_is_as_good_as_the_whole_line():
    rng, shape, kernel = np.random.default_rng(1), (7, 40), quarter(9)
    full_line = line_products(np.ones(40), np.ones(40), kernel)
    before, after = rng.normal(size=(2, 2, 40))
    after[:, :18], after[:, 21:] = before[:, :18], before[:, 21:]
    weights = np.where(np.arange(40) < 30, 2.0, 0.0)
    twice, once = empty(shape), empty(shape)
    take_line(twice, 2, before, np.full(40, 3.0), kernel, full_line)
    take_line(twice, 2, after, weights, kernel, full_line)
    take_line(once, 2, after, weights, kernel, full_line)
    for one, other in zip(twice, once, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-13)


def test_what_does_not_change_costs_and_changes_nothing():
    kernel = quarter(5)
    full_line = line_products(np.ones(6), np.ones(6), kernel)
    done = empty((4, 6))
    vectors = np.random.default_rng(2).normal(size=(2, 6))
    take_line(done, 1, vectors, np.ones(6), kernel, full_line)
    kept = done.image.copy()
    done.image[:] = 0.0
    take_line(done, 1, vectors, np.ones(6), kernel, full_line)
    assert not done.image.any()
    assert kept.any()
