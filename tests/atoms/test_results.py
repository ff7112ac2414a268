import numpy as np
import pytest

from crewe.atoms import fit_columns
from crewe.testing.lattices import count_electrons, square_lattice


@pytest.fixture(scope="module")
def fit():
    phantom = square_lattice()
    counts = count_electrons(phantom.image, 1e4 * 0.15**2, 0)
    return fit_columns(counts, phantom.truth[["x", "y"]])


def test_scs_and_its_error_follow_from_height_and_width(fit):
    table = fit.columns
    assert np.allclose(table["scs"], 2 * np.pi * table["height"] * table["width"] ** 2)
    by_height = 2 * np.pi * table["width"] ** 2 * table["height_std"]
    by_width = 4 * np.pi * table["height"] * table["width"] * table["width_std"]
    # whatever the correlation of height and width, the error lies between these
    assert np.all(table["scs_std"] <= by_height + by_width)
    assert np.all(table["scs_std"] >= np.abs(by_height - by_width))


def test_units_say_whether_a_cross_section_is_an_area(fit):
    assert fit.columns.attrs["units"]["x"] == "Å"
    assert fit.columns.attrs["units"]["scs"] == "a.u.·Å²"
    phantom = square_lattice((100, 100))
    phantom.image.attrs["units"] = "fraction of beam"
    normalised = fit_columns(phantom.image, phantom.truth[["x", "y"]])
    assert normalised.columns.attrs["units"]["scs"] == "Å²"


def test_the_summary_is_plain_and_complete(fit):
    import json

    summary = json.loads(json.dumps(fit.summary))
    assert summary["n_columns"] == len(fit.columns)
    assert summary["length_unit"] == "Å"
    assert summary["noise_per_intensity"] == pytest.approx(1.0, rel=0.1)
    assert abs(summary["residual_correlation"]) < 0.05
    assert summary["warnings"] == []


def test_correlated_residuals_are_warned_of():
    from scipy import ndimage

    phantom = square_lattice()
    noise = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(160, 160)), 1.0)
    image = phantom.image.copy(data=phantom.image.values + 0.01 * noise)
    warnings = fit_columns(image, phantom.truth[["x", "y"]]).summary["warnings"]
    assert any("correlated" in warning for warning in warnings)


def test_a_column_of_another_shape_fits_poorly():
    phantom = square_lattice()
    counts = count_electrons(phantom.image, 1e5 * 0.15**2, 2)
    values = counts.values.copy()
    x, y = phantom.truth.loc[60, ["x", "y"]] / 0.15
    rows, columns = slice(round(y) - 1, round(y) + 2), slice(round(x) + 3, round(x) + 6)
    values[rows, columns] *= 2.5
    flags = fit_columns(counts.copy(data=values), phantom.truth[["x", "y"]]).columns["flag"]
    assert "poor_fit" in flags[60]
