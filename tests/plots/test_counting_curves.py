import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

from crewe.plots.counting_curves import draw_curve, draw_mixture, draw_probabilities
from crewe.plots.counting_map import CountColours


def panel():
    return Figure().subplots()


def prepared(counted, **settings):
    columns, counts = counted(**settings)
    table = counts.add_to(columns)
    scs = table["scs"].to_numpy(float)
    return (
        scs,
        table["count"].to_numpy(float, na_value=np.nan),
        counts,
        CountColours(table["count"]),
    )


def test_the_sum_of_the_components_holds_as_many_columns_as_the_histogram(counted):
    scs, _, counts, colours = prepared(counted)
    axes = panel()
    draw_mixture(axes, scs, counts, "Å²", colours)
    bars = sum(bar.get_height() for bar in axes.patches)
    width = axes.patches[0].get_width()
    x, total = axes.lines[0].get_data()
    assert bars == len(scs)
    assert np.trapezoid(total, x) / width == pytest.approx(len(scs), rel=0.01)


def test_no_component_is_drawn_where_nothing_is_decided(counted):
    scs, atoms, counts, colours = prepared(counted, decided=False)
    for draw in (
        lambda axes: draw_mixture(axes, scs, counts, "Å²", colours),
        lambda axes: draw_curve(axes, scs, atoms, counts, "Å²", colours),
    ):
        axes = panel()
        draw(axes)
        assert ["cannot decide" in text.get_text() for text in axes.texts] == [True]
        assert all(len(drawn.get_offsets()) <= 1 for drawn in axes.collections)


def test_a_doubtful_mixture_is_drawn_and_said_to_be_doubtful(counted):
    scs, _, counts, colours = prepared(counted, decided=False, mixture=True)
    counts.summary["method"] = "mixture"
    axes = panel()
    draw_mixture(axes, scs, counts, "Å²", colours)
    assert ["cannot decide" in text.get_text() for text in axes.texts] == [True]
    assert len(axes.collections) >= 10


def test_the_curve_goes_through_its_values_and_the_library_beside_it(counted):
    scs, atoms, counts, colours = prepared(counted)
    number = np.arange(1, 21)
    library = xr.DataArray(0.009 * number, {"atoms": number}, "atoms")
    axes = panel()
    draw_curve(axes, scs, atoms, counts, "Å²", colours, library)
    fitted, given = axes.lines
    np.testing.assert_allclose(fitted.get_ydata(), counts.curve[: len(fitted.get_ydata())])
    np.testing.assert_allclose(given.get_ydata(), 0.009 * given.get_xdata())
    answers = axes.collections[-1].get_offsets()
    np.testing.assert_array_equal(np.round(answers[:, 0]), atoms[np.isfinite(atoms)])


def test_small_cross_sections_are_drawn_in_powers_of_ten(counted):
    scs, atoms, counts, colours = prepared(counted)
    axes = panel()
    counts = type(counts)(counts.posterior, *(1e-4 * v for v in _curves(counts)), counts.summary)
    draw_curve(axes, 1e-4 * scs, atoms, counts, "Å²", colours)
    assert "10^{" in axes.get_ylabel()


def _curves(counts):
    return counts.curve, counts.curve_std, counts.spread, 1e4 * counts.weights


def test_probabilities_fall_and_their_limit_is_counted():
    axes = panel()
    draw_probabilities(axes, pd.Series([0.3, 0.99, np.nan, 0.7, 0.5]), 0.5)
    steps = axes.lines[0].get_ydata()
    np.testing.assert_allclose(steps[:4], [0.99, 0.7, 0.5, 0.3])
    assert axes.texts[0].get_text() == "mean 0.62; 3 of 4 above 0.5"
