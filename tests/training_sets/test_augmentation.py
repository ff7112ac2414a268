import numpy as np
import pytest

from crewe.recipes import child_generator
from crewe.training_sets.augmentation import Augmentation, augment
from crewe.training_sets.recipe import load_recipe
from crewe.training_sets.sample import Sample

SIDE, PIXEL = 96, 0.2
STILL = {"rotation_deg": 0, "flip_probability": 0, "crop_probability": 0, "padding_px": 0,
         "shading_probability": 0}  # fmt: skip
Y, X = np.array([4.0, 9.1, 12.2]), np.array([5.2, 14.0, 8.3])


def gaussians(side):
    axis = ((np.arange(side) + 0.5) * SIDE / side - 0.5) * PIXEL
    return sum(
        np.exp(-((axis[:, None] - y) ** 2 + (axis - x) ** 2) / (2 * 0.5**2))
        for y, x in zip(Y, X, strict=True)
    )


def sample():
    arrays = {
        "image": np.rint(1000 * gaussians(SIDE)).astype(np.uint16),
        "no_noise": gaussians(SIDE).astype(np.float32),
        "up_interpolation": gaussians(2 * SIDE).astype(np.float32),
    }
    facts = {"pixel_size_angstrom": PIXEL, "field_of_view_angstrom": SIDE * PIXEL, "material": "Pt"}
    table = {"y": Y, "x": X, "element": np.array(["Pt", "O", "Sr"])}
    return Sample(arrays, facts, {"positions": table})


def augmented(seed=0, **settings):
    return augment(sample(), Augmentation.read({**STILL, **settings}), child_generator(seed))


def test_doing_nothing_changes_nothing():
    for name, array in augmented().arrays.items():
        assert np.allclose(array, sample().arrays[name], atol=1e-6), name


@pytest.mark.parametrize(
    "settings",
    [
        {"rotation_deg": 33},
        {"rotation_deg": [-180, 180], "flip_probability": 0.5},
        {"padding_px": 30},
        {"crop_probability": 1, "crop_fraction": 0.8},
        {"rotation_deg": -120, "crop_probability": 1, "crop_fraction": [0.5, 1]},
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_positions_stay_on_the_peaks_of_every_array(settings, seed):
    made = augmented(seed, **settings)
    table, pixel = made.tables["positions"], made.facts["pixel_size_angstrom"]
    assert table["y"].size >= 1
    inner = np.array([table["y"], table["x"]]) > 1.0
    inner &= np.array([table["y"], table["x"]]) < SIDE * pixel - 1.0
    for name in ("no_noise", "up_interpolation", "image"):
        array = made.arrays[name]
        fine = array.shape[0] / SIDE
        rows = (table["y"] / pixel + 0.5) * fine - 0.5
        columns = (table["x"] / pixel + 0.5) * fine - 0.5
        at_peak = array[np.rint(rows).astype(int) % array.shape[0],
                        np.rint(columns).astype(int) % array.shape[1]]  # fmt: skip
        assert np.all(at_peak[inner.all(axis=0)] > 0.85 * sample().arrays[name].max()), name


def test_lengths_follow_the_scale():
    made = augmented(padding_px=48)
    assert made.facts["pixel_size_angstrom"] == pytest.approx(2 * PIXEL)
    assert made.facts["field_of_view_angstrom"] == pytest.approx(2 * SIDE * PIXEL)
    assert made.facts["material"] == "Pt"
    assert made.arrays["no_noise"].sum() == pytest.approx(gaussians(SIDE).sum() / 4, rel=0.02)


@pytest.mark.parametrize("settings", [{"padding_px": 20}, {"crop_probability": 1}])
def test_electrons_of_a_column_stay_those_of_its_pixels(settings):
    recipe = load_recipe(
        "atom-maps",
        {"size_px": 96, "field_of_view_angstrom": 16, "body": {"morphology": "bulk"}},
    )
    whole = recipe.sample(3, 0)
    made = augment(whole, Augmentation.read({**STILL, **settings}), child_generator(1))
    for sample in (whole, made):
        table = sample.tables["positions"]
        share = sample.arrays["super_resolution"].sum() / table["electrons"].sum()
        assert share == pytest.approx(1, abs=0.12)
    ratio = made.facts["pixel_size_angstrom"] / whole.facts["pixel_size_angstrom"]
    dose = made.facts["dose_e_per_angstrom2"] / whole.facts["dose_e_per_angstrom2"]
    assert dose == pytest.approx(ratio**-2)


def test_columns_outside_the_crop_leave_with_their_elements():
    made = augmented(3, crop_probability=1, crop_fraction=0.3)
    table = made.tables["positions"]
    assert table["y"].size == table["element"].size < 3


def test_a_rotation_keeps_distances():
    made = augmented(rotation_deg=20, padding_px=48)
    table = made.tables["positions"]
    points = np.stack([table["y"], table["x"]])
    old = np.stack([Y, X])
    for i in range(3):
        assert np.allclose(
            np.hypot(*(points - points[:, [i]])), np.hypot(*(old - old[:, [i]])), atol=1e-9
        )


def test_only_the_input_is_shaded():
    plain, shaded = augmented(), augmented(shading_probability=1)
    assert np.array_equal(plain.arrays["no_noise"], shaded.arrays["no_noise"])
    assert shaded.arrays["image"].dtype == np.uint16
    assert shaded.arrays["image"].sum() < plain.arrays["image"].sum()


def test_whole_numbers_keep_their_old_values():
    made = augmented(rotation_deg=17)
    assert set(np.unique(made.arrays["image"])) <= set(np.unique(sample().arrays["image"])) | {0}
