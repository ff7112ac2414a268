import numpy as np
import pandas as pd
import pytest

from crewe.atoms import find_columns, fit_columns, match_columns
from crewe.errors import NoColumnsError, PlanError
from crewe.testing.lattices import count_electrons, draw_columns, square_lattice

DOSE = 1e4 * 0.15**2


def matched(fit, truth):
    """Fitted rows of the true columns that are not at the edge, and those true columns."""
    table = fit.columns
    row = match_columns(table, truth, 0.5)
    inner = (row >= 0) & (truth[["x", "y"]].min(axis=1) > 2) & (truth[["x", "y"]].max(axis=1) < 22)
    return table.iloc[row[inner]].reset_index(drop=True), truth[inner].reset_index(drop=True)


@pytest.fixture(scope="module")
def phantom():
    return square_lattice()


@pytest.mark.parametrize("peak", ["gaussian", "lorentzian"])
def test_recovers_a_noise_free_image(peak):
    truth = square_lattice((120, 120)).truth
    image = draw_columns(truth, (120, 120), 0.15, 0.01, peak)
    fit = fit_columns(image, truth[["x", "y"]], peak=peak)
    close = 1e-3 if peak == "gaussian" else 5e-3
    assert np.abs(fit.columns[["x", "y"]] - truth[["x", "y"]]).to_numpy().max() < close
    tolerance = 2e-3 if peak == "gaussian" else 0.06  # cut tails go to the background
    inner = truth[["x", "y"]].min(axis=1).gt(2) & truth[["x", "y"]].max(axis=1).lt(16)
    assert np.allclose(fit.columns["scs"][inner], truth["scs"][inner], rtol=tolerance)


def test_poisson_errors_are_those_observed(phantom):
    """Truth recovered within its standard errors: the mean square of the pulls is 1."""
    pulls = []
    for seed in range(4):
        counts = count_electrons(phantom.image, DOSE, seed)
        fit = fit_columns(counts, phantom.truth[["x", "y"]], noise="counts", electrons_per_unit=1)
        table, truth = matched(fit, phantom.truth)
        pulls.append(
            [
                (table["x"] - truth["x"]) / table["x_std"],
                (table["y"] - truth["y"]) / table["y_std"],
                (table["scs"] - truth["scs"] * DOSE) / table["scs_std"],
            ]
        )
    spread = np.sqrt(np.mean(np.square(pulls), axis=(0, 2)))
    bias = np.mean(pulls, axis=(0, 2))
    assert np.allclose(spread, 1.0, atol=0.12)
    assert np.abs(bias).max() < 0.2


def test_unknown_dose_is_read_off_the_residuals(phantom):
    counts = count_electrons(phantom.image, DOSE, 7) * 3.0  # a detector gain of 3
    start = phantom.truth[["x", "y"]]
    auto = fit_columns(counts, start)
    known = fit_columns(counts, start, noise="counts", electrons_per_unit=1 / 3)
    assert auto.summary["noise_per_intensity"] == pytest.approx(3.0, rel=0.1)
    assert np.allclose(auto.columns["x_std"], known.columns["x_std"], rtol=0.1)
    difference = (auto.columns["x"] - known.columns["x"]) / known.columns["x_std"]
    assert np.sqrt(np.mean(difference**2)) < 0.1


def test_uniform_weights_scatter_more_and_say_so(phantom):
    counts = count_electrons(phantom.image, DOSE, 8)
    start = phantom.truth[["x", "y"]]
    weighted, plain = (fit_columns(counts, start, noise=noise) for noise in ("auto", "uniform"))
    assert plain.columns["x_std"].median() > 1.02 * weighted.columns["x_std"].median()


def test_two_brightnesses_are_two_types_with_a_width_each():
    truth = square_lattice((200, 200)).truth
    row, column = np.round(truth["y"] / 1.96), np.round(truth["x"] / 1.96)
    dim = ((row + column) % 2).astype(bool)
    truth = truth.assign(height=np.where(dim, 0.02, 0.05), width=np.where(dim, 0.40, 0.48))
    counts = count_electrons(draw_columns(truth, (200, 200), 0.15, 0.01), 5e4 * 0.15**2, 1)
    fit = fit_columns(counts, truth[["x", "y"]])
    assert fit.summary["width"] == "type"
    assert np.array_equal(fit.columns["type"] == 1, dim)
    widths = fit.columns.groupby("type")["width"].first()
    assert np.allclose(widths, [0.48, 0.40], rtol=0.02)


def test_equal_columns_are_one_type(phantom):
    fit = fit_columns(count_electrons(phantom.image, DOSE, 3), phantom.truth[["x", "y"]])
    assert fit.summary["n_types"] == 1
    assert fit.summary["width"] == "common"
    assert fit.summary["background"] == "constant"
    assert not fit.summary["bias_calibrated"]


def test_a_width_for_every_column():
    rng = np.random.default_rng(2)
    truth = square_lattice((140, 140)).truth
    truth = truth.assign(width=rng.uniform(0.38, 0.5, len(truth)))
    image = draw_columns(truth, (140, 140), 0.15, 0.01)
    fit = fit_columns(image, truth[["x", "y"]], width="column")
    assert np.allclose(fit.columns["width"], truth["width"], rtol=0.02)


@pytest.mark.parametrize("background", ["plane", "local"])
def test_recovers_columns_on_a_sloping_background(background):
    phantom = square_lattice()
    slope = 0.02 + 0.0002 * np.arange(160)[None, :] + 0.0001 * np.arange(160)[:, None]
    image = phantom.image.copy(data=phantom.image.values + slope)
    fit = fit_columns(image, phantom.truth[["x", "y"]], background=background)
    table, truth = matched(fit, phantom.truth)
    assert np.allclose(table["scs"], truth["scs"], rtol=0.02)
    assert fit.columns[["x", "y"]].sub(phantom.truth[["x", "y"]]).abs().to_numpy().max() < 0.01


def test_the_slope_is_seen_without_being_told():
    phantom = square_lattice()
    slope = 0.001 * np.arange(160)[None, :]
    image = phantom.image.copy(data=phantom.image.values + slope)
    assert fit_columns(image, find_columns(image)).summary["background"] == "plane"


def test_model_background_and_residual_add_up(phantom):
    counts = count_electrons(phantom.image, DOSE, 4)
    fit = fit_columns(counts, phantom.truth[["x", "y"]])
    assert np.allclose(fit.model.values + fit.residual.values, counts.values)
    assert np.all(fit.background.values <= fit.model.values + 1e-9)
    assert fit.model["x"].attrs["units"] == "Å"


def test_rows_come_back_in_the_order_and_index_given(phantom):
    start = phantom.truth[["x", "y"]].sample(frac=1, random_state=0)
    fit = fit_columns(phantom.image, start)
    assert fit.columns.index.equals(start.index)
    assert np.abs(fit.columns["x"] - start["x"]).max() < 0.02


def test_repeats_to_the_same_numbers(phantom):
    counts = count_electrons(phantom.image, 500 * 0.15**2, 5)
    start = phantom.truth[["x", "y"]]
    first, second = (fit_columns(counts, start, seed=3) for _ in range(2))
    assert first.summary["bias_calibrated"]
    pd.testing.assert_frame_equal(first.columns, second.columns)


def test_flags_name_what_is_wrong(phantom):
    fit = fit_columns(count_electrons(phantom.image, DOSE, 6), phantom.truth[["x", "y"]])
    at_edge = phantom.truth[["x", "y"]].min(axis=1) < 0.85
    assert fit.columns.loc[at_edge, "flag"].str.contains("edge").all()
    assert (fit.columns.loc[phantom.truth[["x", "y"]].min(axis=1) > 2, "flag"] == "").mean() > 0.8
    close = pd.concat([phantom.truth[["x", "y"]], phantom.truth[["x", "y"]].iloc[[50]] + 0.5])
    flags = fit_columns(phantom.image, close.reset_index(drop=True)).columns["flag"]
    assert "overlap" in flags.iloc[-1]


def test_a_single_column_can_be_fitted():
    truth = pd.DataFrame({"x": [3.1], "y": [2.9], "height": [1.0], "width": [0.5]})
    image = count_electrons(draw_columns(truth, (64, 64), 0.1, 0.2), 100.0, 1)
    fit = fit_columns(image, truth[["x", "y"]] + 0.1)
    assert abs(fit.columns["x"].iloc[0] - 3.1) < 5 * fit.columns["x_std"].iloc[0]


@pytest.mark.parametrize(
    ("columns", "options", "error"),
    [
        (pd.DataFrame({"x": [], "y": []}), {}, NoColumnsError),
        (pd.DataFrame({"x": [1e4], "y": [2.0]}), {}, PlanError),
        (pd.DataFrame({"x": [np.nan], "y": [2.0]}), {}, PlanError),
        (pd.DataFrame({"x": [2.0], "y": [2.0]}), {"noise": "counts"}, PlanError),
        (pd.DataFrame({"x": [2.0], "y": [2.0]}), {"width": "wide"}, PlanError),
        (pd.DataFrame({"x": [2.0], "y": [2.0]}), {"peak": "voigt"}, PlanError),
        (pd.DataFrame({"x": [2.0], "y": [2.0], "width": [-1.0]}), {}, PlanError),
        (pd.DataFrame({"x": [2.0], "y": [2.0], "width": [np.nan]}), {}, PlanError),
        (pd.DataFrame({"x": [2.0], "y": [2.0], "type": ["Sr"]}), {}, PlanError),
        (pd.DataFrame({"x": [2.0]}), {}, PlanError),
    ],
)
def test_bad_requests_are_refused_in_words(phantom, columns, options, error):
    with pytest.raises(error):
        fit_columns(phantom.image, columns, **options)


def test_nanometres_taken_for_angstroms_are_noticed():
    phantom = square_lattice((100, 100))
    enlarged = phantom.image.assign_coords(
        {axis: (axis, phantom.image[axis].values * 10, phantom.image[axis].attrs) for axis in "yx"}
    )
    fit = fit_columns(enlarged, 10 * phantom.truth[["x", "y"]])
    assert any("pixel size" in warning for warning in fit.summary["warnings"])
