import numpy as np
import pytest
from perovskite_images import counted_image, expected_image, heavy_columns, perovskite
from scipy import ndimage
from scipy.spatial import cKDTree

from crewe import axes
from crewe.atoms import find_columns
from crewe.atoms.regions import Region
from crewe.atoms.weak_columns import find_weak_columns
from crewe.errors import ImageError, NoColumnsError, PlanError

SITES = perovskite()
HEAVY = heavy_columns(SITES)
BRIGHT = expected_image(SITES)
DULL = expected_image(SITES, names=("Sr", "Ti"))


def hits(table, sites=SITES):
    """How many rows lie on an oxygen column, one to one."""
    if not len(table):
        return 0
    distance, which = cKDTree(sites["O"]).query(table[["x", "y"]].to_numpy())
    return len(np.unique(which[distance < 0.4]))


@pytest.fixture(scope="module")
def found():
    image, electrons = counted_image(BRIGHT, 1.5e5)
    return find_weak_columns(image, HEAVY, electrons_per_unit=electrons)


def test_every_weak_column_is_found_and_none_invented(found):
    assert hits(found.columns) == len(found.columns) == len(SITES["O"])
    assert (found.columns["probability"] > 0.99).all()
    assert found.summary["n_added"] == len(SITES["O"])
    assert f"{len(SITES['O'])} weak columns" in found.summary["verdict"]


def test_places_and_heights_are_right_within_their_errors(found):
    table = found.columns
    _, which = cKDTree(SITES["O"]).query(table[["x", "y"]].to_numpy())
    truth = SITES["O"][which]
    for name, value in (("x", truth[:, 0]), ("y", truth[:, 1]), ("height", 0.0032)):
        pull = (table[name] - value) / table[f"{name}_std"]
        assert 0.6 < np.sqrt(np.mean(pull**2)) < 1.5, name


def test_the_curve_peaks_at_the_number_added(found):
    curve = found.curve
    assert curve["added"].tolist() == list(range(len(curve)))
    assert curve["log10_probability"].idxmax() == found.summary["n_added"]
    assert curve["log10_probability"].max() == 0


def test_the_fit_holds_the_known_columns_first(found):
    known = found.fit.columns.iloc[: len(HEAVY)]
    assert np.abs(known[["x", "y"]].to_numpy() - HEAVY.to_numpy()).max() < 0.05
    rest = found.fit.columns.iloc[len(HEAVY) :]
    assert rest.index.equals(found.columns.index)
    assert np.array_equal(rest["scs"], found.columns["scs"])
    assert (found.columns["type"] > known["type"].max()).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dose", [5e3, 1e5])
def test_an_image_of_heavy_columns_gives_none(seed, dose):
    image, electrons = counted_image(DULL, dose, seed)
    known = find_weak_columns(image, HEAVY, electrons_per_unit=electrons)
    unknown = find_weak_columns(image, HEAVY)
    assert len(known.columns) == len(unknown.columns) == 0
    assert len(known.fit.columns) == len(HEAVY)
    assert "no weak column" in known.summary["verdict"]


def test_columns_below_the_noise_are_not_guessed():
    image, electrons = counted_image(BRIGHT, 2e3)
    result = find_weak_columns(image, HEAVY, electrons_per_unit=electrons)
    assert len(result.columns) == 0
    assert result.summary["least_height"] > 0.0032


def test_a_lone_column_is_added_above_the_ratio_told_and_not_below():
    """Injected without noise in its place: 0.8 and 1.25 times the height said to be seen."""
    image, electrons = counted_image(DULL, 5e4, seed=5)
    least = find_weak_columns(image, HEAVY, electrons_per_unit=electrons).summary["least_height"]
    along = np.arange(112) * 0.15
    x, y = SITES["O"][3]
    peak = np.exp(-((along - y) ** 2) / 0.405)[:, None] * np.exp(-((along - x) ** 2) / 0.405)
    counted = []
    for times in (0.8, 1.25):
        mean = axes.calibrated_image(DULL + times * least * peak, 0.15)
        counted.append(len(find_weak_columns(mean, HEAVY, electrons_per_unit=electrons).columns))
    assert counted == [0, 1]


def test_noise_read_off_the_image_finds_them_too():
    image, _ = counted_image(BRIGHT, 1.5e5)
    result = find_weak_columns(image, HEAVY)
    assert hits(result.columns) == len(result.columns) == len(SITES["O"])
    assert any("electrons_per_unit" in warning for warning in result.summary["warnings"])


def test_smooth_noise_is_not_taken_for_columns():
    noise = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=DULL.shape), 2.0)
    image = axes.calibrated_image(DULL + 0.001 * noise / noise.std(), 0.15)
    result = find_weak_columns(image, HEAVY)
    assert len(result.columns) == 0
    assert result.summary["excess_noise"] > 1.5
    assert any("rough" in warning for warning in result.summary["warnings"])


def test_positions_follow_the_images_origin():
    image, electrons = counted_image(BRIGHT, 1.5e5)
    moved = image.assign_coords(x=image["x"] + 100.0, y=image["y"] - 40.0)
    columns = HEAVY.assign(x=HEAVY["x"] + 100.0, y=HEAVY["y"] - 40.0)
    result = find_weak_columns(moved, columns, electrons_per_unit=electrons)
    place = result.columns[["x", "y"]] - [100.0, -40.0]
    assert hits(place) == len(SITES["O"])


def test_a_region_and_a_number_limit_the_search():
    image, electrons = counted_image(BRIGHT, 1.5e5)
    half = Region(((-1.0, -1.0), (8.0, -1.0), (8.0, 18.0), (-1.0, 18.0)))
    left = find_weak_columns(image, HEAVY, electrons_per_unit=electrons, region=half)
    assert len(left.columns) == (SITES["O"][:, 0] <= 8.0).sum()
    assert (left.columns["x"] <= 8.1).all()
    few = find_weak_columns(image, HEAVY, electrons_per_unit=electrons, most=3)
    assert len(few.columns) == 3
    assert any("raise most" in warning for warning in few.summary["warnings"])


def test_found_columns_serve_as_known_ones_and_widths_may_differ():
    image, electrons = counted_image(BRIGHT, 1.5e5)
    known = find_columns(counted_image(DULL, 1.5e5)[0]).sample(frac=1.0, random_state=1)
    for width in ("common", "type"):
        result = find_weak_columns(image, known, electrons_per_unit=electrons, width=width)
        assert hits(result.columns) == len(result.columns) == len(SITES["O"])


def test_progress_runs_from_nothing_to_all():
    told = []
    image, electrons = counted_image(DULL, 1e4)
    find_weak_columns(
        image,
        HEAVY,
        electrons_per_unit=electrons,
        progress=lambda stage, part: told.append((stage, part)),
    )
    parts = [part for _, part in told]
    assert (parts[0], parts[-1]) == (0, 1)
    assert parts == sorted(parts)
    assert {stage for stage, _ in told} == {"finding weak columns"}


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"most": 0}, "most"),
        ({"least_intensity": -1.0}, "least_intensity"),
        ({"least_intensity": np.nan}, "least_intensity"),
        ({"least_intensity": 1e6}, "greatest"),
        ({"closest": -0.1}, "closest"),
        ({"width": "column"}, "width"),
        ({"noise": "uniform"}, "noise"),
        ({"noise": "counts"}, "electrons_per_unit"),
        ({"electrons_per_unit": 0.0}, "electrons_per_unit"),
    ],
)
def test_wrong_settings_are_named(options, word):
    image, _ = counted_image(DULL, 1e4)
    with pytest.raises(PlanError, match=word):
        find_weak_columns(image, HEAVY, **options)


def test_images_and_tables_of_no_use_are_refused():
    image, _ = counted_image(DULL, 1e4)
    with pytest.raises(NoColumnsError):
        find_weak_columns(image, HEAVY.iloc[:0])
    with pytest.raises(ImageError):
        find_weak_columns(image * np.nan, HEAVY)
