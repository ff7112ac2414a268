import numpy as np
import pytest

from crewe.atoms.counting.thickness_curve import (
    at_count,
    count_at,
    curve_means,
    extended_shape,
    free_family,
    library_family,
)


def means_of(curve, family):
    means = np.empty(family.shape.size)
    last, step = curve_means(np.array(curve), family.shape, family.by_library, means)
    return means, last, step


@pytest.mark.parametrize("curvature", [-0.5, 0.0, 0.6])
@pytest.mark.parametrize("channelling", [0.0, 1.2])
def test_the_curve_is_the_sum_over_atoms_through_the_reference(curvature, channelling):
    size, offset, depth = 17.0, 0.1, 6.0
    curve = [np.log(size), curvature, offset, channelling, np.log(depth), -1.0, -1.0]
    means, last, step = means_of(curve, free_family(40, 1, False))
    z = np.arange(40) + 0.5
    x = z / depth
    atoms = np.exp(-curvature * z / size) * (1 + channelling * x**2 * np.exp(2 - 2 * x))
    increments = np.diff(means)
    assert step == pytest.approx(1 / size)
    assert means[0] == pytest.approx(offset / size)
    assert means[17] == pytest.approx(1.0)
    assert np.allclose(increments / increments[0], atoms / atoms[0])
    assert last == 40


def test_the_curve_ends_where_it_no_longer_rises():
    curve = [np.log(10.0), 6.0, 0.0, 0.0, 1.0, -1.0, -1.0]
    means, last, step = means_of(curve, free_family(60, 1, False))
    assert 0 < last < 60
    assert np.all(np.diff(means[: last + 1]) > 0.04 * step)
    assert means[last + 1] - means[last] < 0.05 * step


def test_a_library_is_scaled_bent_and_shifted():
    shape = np.sqrt(np.arange(31.0)) / np.sqrt(20.0)
    family = library_family(shape, 1, False, 0.1)
    curve = [np.log(1.2), 0.0, 0.0, 0.0, 1.0, -1.0, -1.0]
    means, _, step = means_of(curve, family)
    assert np.allclose(means, 1.2 * shape)
    size = 1 / step
    assert at_count(means, size) == pytest.approx(1.0)
    bent, _, _ = means_of([np.log(1.2), 0.05, 0.0, *curve[3:]], family)
    assert bent[5] > means[5]
    assert at_count(bent, size) == pytest.approx(1.0, rel=2e-3)


def test_a_count_and_its_cross_section_are_inverse():
    shape = np.cumsum(np.linspace(1.0, 0.2, 25)) - 1.0
    for count in (0.3, 7.0, 22.9, 26.0):
        assert count_at(shape, at_count(shape, count)) == pytest.approx(count)


def test_a_library_is_continued_along_its_end():
    atoms = np.arange(1.0, 11)
    shape = extended_shape(atoms, 2 * atoms, 15)
    assert np.allclose(shape, 2 * np.arange(16.0))
    late = extended_shape(atoms[3:], 2 * atoms[3:], 15)
    assert np.allclose(late[4:], shape[4:])
    assert np.all(np.diff(late) > 0)
