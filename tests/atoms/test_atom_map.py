import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial import cKDTree

from crewe import axes
from crewe.atoms import fit_columns, locate_columns
from crewe.atoms.atom_map import find_regions, otsu_threshold
from crewe.errors import CreweError, ImageError, NoColumnsError, PlanError
from crewe.testing.lattices import square_lattice
from crewe.training_sets.masks import circular_mask, gaussian_mask

SHAPE = (128, 144)


def scattered(sampling, spacing=1.9, seed=0):
    """Positions (n, 2), y before x in Å, on a lattice with every column off the pixel centres."""
    rng = np.random.default_rng(seed)
    sides = [np.arange(1.5, n * sampling - 1.5, spacing) for n in SHAPE]
    places = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 2)
    return places + rng.uniform(-0.2, 0.2, places.shape)


def map_of(places, sampling, kind="gaussian"):
    draw = {
        "gaussian": lambda: gaussian_mask(places, SHAPE, sampling),
        "circular": lambda: circular_mask(places, SHAPE, sampling, 1.1),
    }[kind]
    return axes.calibrated_image(draw().astype(np.float32), sampling)


def errors_of(table, places):
    distance, index = cKDTree(table[["y", "x"]]).query(places)
    assert len(table) == len(places)
    assert len(set(index)) == len(places)
    return distance


@pytest.mark.parametrize("sampling", [0.07, 0.12, 0.2, 0.3])
def test_gaussian_marks_are_centred_to_half_a_picometre(sampling):
    places = scattered(sampling)
    distance = errors_of(locate_columns(map_of(places, sampling)), places)
    assert np.sqrt(np.mean(distance**2)) < 0.008


def test_discs_are_centred_to_an_eighth_of_a_pixel():
    places = scattered(0.12)
    distance = errors_of(locate_columns(map_of(places, 0.12, "circular")), places)
    assert np.sqrt(np.mean(distance**2)) < 0.015


@pytest.mark.parametrize(("kind", "apart"), [("gaussian", 0.65), ("circular", 0.95)])
def test_touching_columns_are_divided(kind, apart):
    places = np.array([[6.0, 5.0], [6.0, 5.0 + apart], [9.1, 9.0], [9.1 + apart, 9.0]])
    table = locate_columns(map_of(places, 0.1, kind))
    distance = errors_of(table, places)
    # overlapping discs are cut at the waist, which draws their centres apart
    assert distance.max() < {"gaussian": 0.05, "circular": 0.3}[kind]


def test_specks_and_what_lies_below_the_threshold_do_not_count():
    places = scattered(0.12)
    marked = map_of(places, 0.12)
    marked.values[5, 5] = 0.9
    marked.values += np.random.default_rng(1).uniform(0, 0.05, SHAPE).astype(np.float32)
    errors_of(locate_columns(marked), places)
    with_speck = locate_columns(marked, least_area=0.0)
    assert len(with_speck) == len(places) + 1
    assert locate_columns(marked)["certainty"].min() > 0.8


def test_faint_marks_among_strong_ones_are_kept():
    places = scattered(0.12)
    faint = gaussian_mask(places[::9], SHAPE, 0.12)
    marked = map_of(places, 0.12)
    marked.values -= 0.7 * faint
    at_otsu = locate_columns(marked, threshold=otsu_threshold(marked.values))
    assert len(at_otsu) == len(places) - len(places[::9])
    errors_of(locate_columns(marked), places)


@pytest.mark.parametrize(("height", "count"), [(0.5, 1), (1.0, 2)])
def test_two_halves_of_a_mark_are_one_column_and_two_whole_ones_two(height, count):
    places = scattered(0.12)
    wavering = np.array([places[20] + [0.0, -0.35], places[20] + [0.0, 0.35]])
    others = np.delete(places, 20, axis=0)
    values = gaussian_mask(others, SHAPE, 0.12) + height * gaussian_mask(wavering, SHAPE, 0.12)
    table = locate_columns(axes.calibrated_image(values, 0.12))
    near = np.linalg.norm(table[["y", "x"]] - places[20], axis=1) < 0.9
    assert near.sum() == count
    assert len(table) == len(others) + count
    np.testing.assert_allclose(table[near][["y", "x"]].mean(), places[20], atol=0.03)


def test_positions_are_in_the_coordinates_of_a_crop():
    places = scattered(0.12)
    whole = map_of(places, 0.12)
    part = axes.crop(whole, y=slice(4.0, 11.0), x=slice(5.0, 13.0))
    inside = np.all((places > [4.6, 5.6]) & (places < [10.4, 12.4]), axis=1)
    distance, _ = cKDTree(locate_columns(part)[["y", "x"]]).query(places[inside])
    assert distance.max() < 0.01


def test_rotating_the_map_rotates_the_positions():
    marked = map_of(scattered(0.12), 0.12)
    turned = axes.calibrated_image(np.ascontiguousarray(marked.values.T), 0.12)
    here, there = locate_columns(marked), locate_columns(turned)
    one = here[["x", "y"]].sort_values(["x", "y"]).to_numpy()
    other = there[["y", "x"]].sort_values(["y", "x"]).to_numpy()
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_fit_takes_the_table():
    phantom = square_lattice()
    places = phantom.truth[["y", "x"]].to_numpy()
    marked = axes.calibrated_image(gaussian_mask(places, phantom.image.shape, 0.15), 0.15)
    fit = fit_columns(phantom.image, locate_columns(marked))
    distance, _ = cKDTree(fit.columns[["y", "x"]]).query(places)
    assert distance.max() < 1e-3


def test_the_threshold_divides_two_classes_where_their_variance_says():
    values = np.array([0.0, 0.1, 0.2, 0.8, 0.9, 1.0])
    between = {
        cut: (values < cut).mean()
        * (values >= cut).mean()
        * (values[values >= cut].mean() - values[values < cut].mean()) ** 2
        for cut in values[1:]
    }
    assert max(between, key=between.get) == 0.8
    assert 0.2 < otsu_threshold(values) <= 0.8


def test_regions_are_those_of_a_slow_search():
    """Without dips, the flooding gives connected components."""
    rng = np.random.default_rng(3)
    values = np.zeros((40, 50))
    values[rng.integers(1, 39, 25), rng.integers(1, 49, 25)] = 1.0
    regions = find_regions(values, 0.5, least_area=0.0)
    seen = np.zeros(values.shape, bool)
    count = 0
    for place in np.argwhere(values > 0.5):
        if seen[tuple(place)]:
            continue
        count += 1
        queue = [tuple(place)]
        while queue:
            i, j = queue.pop()
            if 0 <= i < 40 and 0 <= j < 50 and values[i, j] > 0.5 and not seen[i, j]:
                seen[i, j] = True
                queue += [(i + u, j + v) for u in (-1, 0, 1) for v in (-1, 0, 1)]
    assert len(regions.centres) == count
    assert ((regions.labels > 0) == seen).all()
    assert regions.pixels.sum() == seen.sum()


def test_empty_maps_and_wrong_options_are_told():
    quiet = axes.calibrated_image(np.random.default_rng(0).uniform(0, 0.04, SHAPE), 0.1)
    with pytest.raises(NoColumnsError, match="threshold"):
        locate_columns(quiet)
    with pytest.raises(ImageError, match="one value"):
        locate_columns(axes.calibrated_image(np.zeros(SHAPE), 0.1))
    with pytest.raises(ImageError, match="calibrated"):
        locate_columns(np.zeros(SHAPE))
    with pytest.raises(ImageError, match="finite"):
        locate_columns(axes.calibrated_image(np.full(SHAPE, np.nan), 0.1))
    marked = map_of(scattered(0.12), 0.12)
    with pytest.raises(PlanError, match="threshold"):
        locate_columns(marked, threshold=np.nan)
    with pytest.raises(PlanError, match="least_area"):
        locate_columns(marked, least_area=2)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 24), st.integers(1, 24)),
        elements=st.floats(-2, 2, width=32) | st.sampled_from([np.nan, np.inf]),
    )
)
def test_any_map_gives_positions_inside_it_or_an_answer(values):
    marked = axes.calibrated_image(values, 0.5)
    try:
        table = locate_columns(marked)
    except CreweError:
        return
    assert len(table)
    assert table["x"].between(-0.25, 0.5 * values.shape[1]).all()
    assert table["y"].between(-0.25, 0.5 * values.shape[0]).all()
    assert table["y"].is_monotonic_increasing
