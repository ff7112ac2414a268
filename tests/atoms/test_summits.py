import numpy as np
import pytest
from scipy import ndimage

from crewe.atoms.summits import divide_at_saddles


def hills(heights, apart=12.0, width=4.0, shape=(30, 60)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    parts = [
        height * np.exp(-((y - 15) ** 2 + (x - 15 - apart * n) ** 2) / (2 * width**2))
        for n, height in enumerate(heights)
    ]
    return np.max(parts, axis=0)


def divided(landscape, least=0.05, dip=0.05):
    inside = np.flatnonzero(landscape > least)
    order = inside[np.argsort(-landscape.ravel()[inside], kind="stable")]
    return divide_at_saddles(landscape, order, dip)


def test_equal_hills_are_cut_half_way():
    labels = divided(hills([1.0, 1.0, 1.0]))
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    assert len({labels[15, x] for x in (9, 15, 20)}) == 1
    assert labels[15, 20] != labels[15, 22]
    np.testing.assert_array_equal(labels > 0, hills([1.0, 1.0, 1.0]) > 0.05)


def test_each_part_is_connected_and_holds_one_summit():
    rng = np.random.default_rng(2)
    landscape = ndimage.gaussian_filter(rng.random((80, 90)), 3)
    landscape -= landscape.min()
    labels = divided(landscape, 0.3 * landscape.max(), dip=0.0)
    peaks = (ndimage.maximum_filter(landscape, 3) == landscape) & (labels > 0)
    assert peaks.sum() == labels.max()
    assert sorted(labels[peaks]) == list(range(1, labels.max() + 1))
    for label in range(1, labels.max() + 1):
        assert ndimage.label(labels == label, np.ones((3, 3)))[1] == 1


@pytest.mark.parametrize(("dip", "parts"), [(0.3, 2), (0.9, 1)])
def test_a_shallow_saddle_joins_and_a_deep_one_parts(dip, parts):
    # the saddle half way lies at exp(-6²/2·4²) = 0.325 of the summits
    labels = divided(hills([1.0, 1.0]), dip=dip)
    assert labels.max() == parts
    assert (labels.max() == 2) == (dip < 1 - np.exp(-(6**2) / 32))


def test_the_lower_hill_decides_and_nothing_gives_nothing():
    # against the lower summit of a half the same saddle is shallow
    saddle = hills([1.0, 0.5])[15, 15:28].min()
    depth = 1 - saddle / 0.5
    assert divided(hills([1.0, 0.5]), dip=depth + 0.02).max() == 1
    assert divided(hills([1.0, 0.5]), dip=depth - 0.02).max() == 2
    assert divided(np.zeros((5, 6))).max() == 0
