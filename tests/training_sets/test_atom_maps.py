import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree

import crewe
import crewe.axes
from crewe.errors import RecipeError
from crewe.training_sets.recipe import load_recipe, recipe_from_text

QUIET = {
    "size_px": 128,
    "field_of_view_angstrom": 16,
    "background_probability": 0,
    "instrument": {
        "defocus_angstrom": 0, "c3_mm": 0, "astigmatism_angstrom": 0, "coma_angstrom": 0,
        "jitter_probability": 0, "tear_probability": 0, "dark_electrons": 0,
        "electrons_per_column": 4000, "semi_angle_mrad": 28,
        "beam_energy_kev": 300, "source_fwhm_angstrom": 0.5,
    },
}  # fmt: skip


def maker(material="Pt", zone_axis="001", morphology="bulk", **changes):
    settings = {
        **QUIET,
        "materials": [{"material": material, "zone_axis": zone_axis}],
        "body": {"morphology": morphology, "vacancy_fraction": 0, "thickness_angstrom": 40},
        **changes,
    }
    return load_recipe("atom-maps", settings)


@pytest.fixture(scope="module")
def platinum():
    return maker().sample(3, 0)


def at_pixels(array, table, pixel):
    rows, columns = (np.rint(table[axis] / pixel).astype(int) for axis in "yx")
    return array[rows, columns]


def test_every_array_has_its_layout():
    recipe = load_recipe("atom-maps", {"size_px": 64})
    for index in range(3):
        sample = recipe.sample(1, index)
        for layout in recipe.layout():
            array = sample.arrays[layout.name]
            assert array.shape == layout.shape, layout.name
            assert array.dtype == layout.dtype, layout.name
        columns = recipe.table_columns()["positions"]
        made = {name: column.dtype.name for name, column in sample.tables["positions"].items()}
        assert made == columns


def test_facts_have_the_same_keys_in_every_sample():
    recipe = load_recipe("atom-maps", {"size_px": 48})
    keys = [list(recipe.sample(2, index).facts) for index in range(12)]
    assert all(sorted(one) == sorted(keys[0]) for one in keys)


def test_a_sample_needs_none_of_those_before_it():
    recipe = load_recipe("atom-maps", {"size_px": 48})
    alone = recipe.sample(5, 7)
    for index in range(7):
        recipe.sample(5, index)
    again = recipe_from_text(recipe.text).sample(5, 7)
    for name, array in alone.arrays.items():
        assert np.array_equal(array, again.arrays[name]), name
    assert alone.facts == again.facts
    assert not np.array_equal(alone.arrays["image"], recipe.sample(6, 7).arrays["image"])


def test_labels_stand_where_the_columns_of_the_image_are(platinum):
    table, pixel = platinum.tables["positions"], platinum.facts["pixel_size_angstrom"]
    image = ndimage.gaussian_filter(platinum.arrays["image"].astype(float), 2)
    for y, x in zip(table["y"], table["x"], strict=True):
        row, column = round(y / pixel), round(x / pixel)
        if not (8 <= row < 120 and 8 <= column < 120):
            continue
        window = image[row - 7 : row + 8, column - 7 : column + 8]
        window = np.maximum(window - np.median(image), 0) ** 2
        offsets = np.arange(-7, 8) * pixel
        measured = np.array([window.sum(1) @ offsets, window.sum(0) @ offsets]) / window.sum()
        assert np.abs(measured - [y - row * pixel, x - column * pixel]).max() < 0.12


def test_platinum_columns_are_half_a_cell_apart(platinum):
    places = np.stack([platinum.tables["positions"][axis] for axis in "yx"], axis=1)
    distances = np.hypot(*(places[:, None] - places).T)
    nearest = np.where(distances > 0.1, distances, np.inf).min(axis=1)
    assert nearest == pytest.approx(3.9231 / 2, abs=1e-3)


def test_masks_mark_the_columns(platinum):
    table, pixel = platinum.tables["positions"], platinum.facts["pixel_size_angstrom"]
    for name in ("circular_mask", "small_circular_mask"):
        assert np.all(at_pixels(platinum.arrays[name], table, pixel) == 1), name
    assert np.all(at_pixels(platinum.arrays["gaussian_mask"], table, pixel) > 0.85)
    wide, narrow = (
        platinum.arrays[name].sum() for name in ("circular_mask", "small_circular_mask")
    )
    assert wide / narrow == pytest.approx(4, rel=0.15)
    area = np.pi * (platinum.facts["probe_fwhm_angstrom"] / 2 / pixel) ** 2
    assert wide == pytest.approx(area * platinum.facts["columns"], rel=0.15)


def test_super_resolution_keeps_the_intensity_and_sharpens(platinum):
    sharp, clean = platinum.arrays["super_resolution"], platinum.arrays["clean"]
    assert sharp.sum() == pytest.approx(clean.sum(), rel=0.03)
    assert sharp.max() > 1.3 * clean.max()


def test_the_dose_gives_the_electrons(platinum):
    facts, table = platinum.facts, platinum.tables["positions"]
    pixel_area = facts["pixel_size_angstrom"] ** 2
    beam = facts["dose_e_per_angstrom2"] * pixel_area * platinum.arrays["clean"].size
    detected = platinum.arrays["clean"].sum() / beam
    assert 0.01 < detected < 0.3
    assert facts["electrons_per_column"] == pytest.approx(4000)
    assert table["electrons"].mean() == pytest.approx(4000, rel=1e-6)


def test_counts_are_poisson_around_the_expected_electrons():
    sample = maker(background_probability=1).sample(4, 1)
    expected = sample.arrays["no_noise"].astype(float)
    excess = sample.arrays["image"] - expected
    assert abs(excess.sum()) < 5 * np.sqrt(expected.sum())
    assert (excess**2 / expected).mean() == pytest.approx(1, abs=0.05)
    below = expected - sample.arrays["clean"]
    assert below.max() > 0
    signal = sample.arrays["no_background"] - sample.arrays["clean"]
    assert abs(signal.sum()) < 5 * np.sqrt(sample.arrays["clean"].sum())
    assert np.all(sample.arrays["no_background"] <= sample.arrays["image"])


def test_finer_labels_agree_with_the_coarse_ones():
    sample = maker(background_probability=1).sample(4, 1)
    for fine, coarse in (
        ("up_interpolation_2x", "no_noise"),
        ("up_interpolation_2x_no_background", "clean"),
    ):
        binned = sample.arrays[fine].reshape(128, 2, 128, 2).mean(axis=(1, 3))
        assert np.abs(binned - sample.arrays[coarse]).max() < 0.02 * sample.arrays[coarse].max()


def test_scan_noise_moves_the_image_and_no_label():
    still = maker().sample(9, 0)
    shaken = maker(
        instrument={**QUIET["instrument"], "jitter_probability": 1, "jitter_px": 1.5}
    ).sample(9, 0)
    assert shaken.facts["jitter_angstrom"] == pytest.approx(1.5 * 16 / 128)
    assert np.array_equal(still.arrays["clean"], shaken.arrays["clean"])
    assert np.array_equal(still.tables["positions"]["x"], shaken.tables["positions"]["x"])

    def misfit(sample):
        return np.square(sample.arrays["image"] - sample.arrays["no_noise"].astype(float)).mean()

    assert misfit(shaken) > 1.5 * misfit(still)


def test_oxygen_beside_heavy_columns_is_listed_but_not_marked():
    sample = maker("SrTiO3").sample(1, 0)
    table = sample.tables["positions"]
    assert set(table["heaviest"][table["visible"]]) == {38, 22}
    assert set(table["heaviest"][~table["visible"]]) == {8}
    assert sample.facts["columns_hidden"] == (~table["visible"]).sum()


@pytest.mark.parametrize("morphology", ["particle", "plate", "tapered plate", "edge", "wedge"])
def test_bodies_leave_vacuum_or_thin(morphology):
    sample = maker(morphology=morphology, field_of_view_angstrom=40).sample(2, 1)
    assert sample.facts["morphology"] == morphology
    atoms = sample.tables["positions"]["atoms"]
    assert sample.facts["columns"] < 0.95 * (40 / 1.96) ** 2 or atoms.min() < 0.8 * atoms.max()


def test_a_field_in_which_nothing_can_be_seen_is_an_error():
    empty = maker(
        morphology="particle",
        field_of_view_angstrom=30,
        body={"morphology": "particle", "particle_diameter": 1e-3},
    )
    with pytest.raises(RecipeError, match="no column in the field of view"):
        empty.sample(1, 0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"materials": [{"material": "Unobtainium"}]}, "Unobtainium"),
        ({"materials": [{"material": "Pt", "zone_axis": "11"}]}, "three indices"),
        ({"materials": []}, "materials"),
        ({"materials": [{"material": "Pt", "weight": 0}]}, "nothing could be drawn"),
        ({"size_px": 4}, "size_px"),
        ({"field_of_view_angstrom": [30, 20]}, "empty"),
        ({"filed_of_view": 3}, "unknown key"),
        ({"body": {"morphology": "blob"}}, "blob"),
        ({"body": {"vacancy_fraction": 1}}, "possible range"),
        ({"materials": [{"material": "MoS2", "zone_axis": "110"}]}, "single sheet"),
        ({"instrument": {"inner_angle_mrad": 300, "outer_angle_mrad": 100}}, "below outer"),
        ({"instrument": {"defocus_angstrom": "hello"}}, "hello"),
        ({"instrument": {"exponent": 200.0}}, "possible range"),
        ({"field_of_view_angstrom": 0.001}, "possible range"),
    ],
)
def test_impossible_recipes_are_refused(changes, said):
    with pytest.raises(RecipeError, match=said):
        maker(**changes)


def test_a_dose_that_nobody_could_give_is_not_given():
    bright = maker("graphene", instrument={**QUIET["instrument"], "electrons_per_column": 10**6})
    sample = bright.sample(1, 0)
    assert sample.facts["dose_e_per_angstrom2"] == pytest.approx(5e6)
    assert sample.facts["electrons_per_column"] < 10**5


def test_counts_beyond_what_the_file_holds_are_counted():
    instrument = {
        **QUIET["instrument"],
        "electrons_per_column": 10**6,
        "most_dose_e_per_angstrom2": 1e12,
    }
    sample = maker(instrument=instrument, field_of_view_angstrom=80).sample(1, 0)
    clipped = sample.arrays["image"] == 65535
    assert sample.facts["saturated_pixels"] == clipped.sum() > 0


def test_every_marked_column_has_a_maximum_in_the_clean_image_near_it():
    recipe = load_recipe("atom-maps", {"size_px": 128})
    for index in range(25):
        sample = recipe.sample(21, index)
        fine = sample.arrays["up_interpolation_2x_no_background"]
        peaks = np.argwhere((fine == ndimage.maximum_filter(fine, 3)) & (fine > 0))
        pitch = sample.facts["pixel_size_angstrom"] / 2
        table = sample.tables["positions"]
        marked = np.stack([table[axis][table["visible"]] for axis in "yx"], axis=1)
        inner = np.all((marked > 4 * pitch) & (marked < 252 * pitch), axis=1)
        distance = np.hypot(*((peaks - 0.5) * pitch - marked[inner][:, None]).transpose(2, 0, 1))
        reach = max(0.25 * sample.facts["probe_fwhm_angstrom"], 2 * pitch) + 2 * pitch
        assert np.mean(distance.min(axis=1) < reach) > 0.97


@pytest.mark.parametrize(("material", "zone_axis"), [("Pt", "001"), ("Si", "110")])
def test_finding_and_fitting_columns_comes_to_the_labels(material, zone_axis):
    """Another room of crewe, which knows nothing of recipes, measures what was drawn."""
    sample = maker(material, zone_axis, size_px=160, field_of_view_angstrom=24).sample(3, 1)
    image = crewe.axes.calibrated_image(
        sample.arrays["image"].astype(float), float(sample.facts["pixel_size_angstrom"])
    )
    fitted = crewe.fit_columns(image, crewe.find_columns(image)).columns
    table = sample.tables["positions"]
    marked = np.stack([table["x"], table["y"]], axis=1)[table["visible"]]
    inner = np.all((marked > 2) & (marked < 22), axis=1)
    distance = cKDTree(fitted[["x", "y"]]).query(marked[inner])[0]
    assert distance.max() < 0.1
    assert np.median(distance) < 0.02
