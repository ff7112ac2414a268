import numpy as np
import pandas as pd
import pytest

from crewe.plots.fusion_curves import convergence_figure, fractions_figure, tried_figure
from crewe.plots.save import png_bytes
from crewe.testing.core_shell import core_shell

PHASES = {"element": "Co", "share": 1.0, "mean": 0.5, "sigma": 0.02, "standard_error": 0.001}


def history(number=20):
    steps = np.arange(number)
    terms = {"elastic": 9.0 / (1 + steps), "chemical": 50 - steps, "variation": 3 + 0.1 * steps}
    table = pd.DataFrame({"iteration": steps, **terms})
    return table.assign(total=sum(terms.values()))


def test_the_start_of_the_elastic_term_is_not_drawn():
    figure = convergence_figure(history())
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_xdata(), np.arange(1, 20))
    np.testing.assert_array_equal(figure.axes[3].lines[0].get_xdata(), np.arange(20))
    two = convergence_figure(history(2)).axes[0].lines[0]
    assert (two.get_marker(), list(two.get_xdata())) == ("o", [1])


def titles(figure):
    return [panel.get_title(loc="left") for panel in figure.axes if panel.get_title(loc="left")]


def test_each_term_has_a_panel():
    figure = convergence_figure(history())
    assert titles(figure) == ["elastic", "chemical", "variation", "total"]
    np.testing.assert_array_equal(figure.axes[1].lines[0].get_ydata(), 50 - np.arange(20))


@pytest.mark.parametrize("absent", [0.0, np.nan])
def test_a_term_that_the_method_lacks_is_left_out(absent):
    assert titles(convergence_figure(history().assign(elastic=absent)))[0] == "chemical"
    nothing = history(1).assign(elastic=absent, chemical=absent, variation=absent, total=absent)
    assert png_bytes(convergence_figure(nothing), 50).startswith(b"\x89PNG")


def test_settings_are_lines_and_the_best_has_a_ring():
    tried = pd.DataFrame(
        {
            "prior": ["composition"] * 3 + ["columns"] * 3 + ["spectra"],
            "strength": [0.5, 1.0, 2.0, 0.5, 1.0, 2.0, 1.0],
            "guide_smoothing_px": 0.5,
            "gamma": [1.7] * 3 + [np.nan] * 3 + [1.7],
            "prediction_error": [1.2, 1.1, 1.3, 1.05, 1.0, 1.4, 1.5],
        }
    )
    figure = tried_figure(tried)
    (axes,) = figure.axes
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    lines = {"columns, smoothed 0.5 px", "composition, γ 1.7, smoothed 0.5 px"}
    assert set(labels) == lines | {"spectra, without HAADF", "best"}
    ring = next(line for line in axes.lines if line.get_label() == "best")
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (1.0, 0.0)
    assert axes.get_ylabel().endswith("(‰)")
    assert len(axes.lines) == 4
    chosen = {"prior": "composition", "strength": 2.0}
    ring = tried_figure(tried, chosen).axes[0].lines[-1]
    assert (ring.get_label(), ring.get_ydata()[0]) == ("chosen", pytest.approx(300))
    ring = tried_figure(tried, {"prior": "amounts"}).axes[0].lines[-1]
    assert ring.get_label() == "best"
    assert png_bytes(figure, 50).startswith(b"\x89PNG")


def test_fractions_are_images_above_histograms_with_their_phases():
    amounts = core_shell(pixels=48).amounts
    total = amounts.sum("element")
    fractions = (amounts / total.where(total > 0)).transpose("element", "y", "x")
    figure = fractions_figure(fractions, pd.DataFrame([PHASES]))
    above, below = figure.axes[:3], figure.axes[3:6]
    assert [panel.get_title(loc="left") for panel in above] == [
        f"{element} fraction" for element in ("Co", "S", "O")
    ]
    assert all(panel.images[0].get_clim() == (0, 1) for panel in above)
    counted = sum(patch.get_height() for patch in below[0].patches)
    assert counted == np.isfinite(fractions.sel(element="Co")).sum()
    assert [len(panel.lines) for panel in below] == [1, 0, 0]
    assert "50.0 ± 0.1 %" in [text.get_text() for text in below[0].texts]


def test_no_curve_goes_through_phases_that_are_undecided():
    amounts = core_shell(pixels=48).amounts
    fractions = (amounts / amounts.sum("element")).transpose("element", "y", "x")
    rows = [{**PHASES, "element": name, "flag": flag} for name, flag in (("Co", ""), ("S", "x"))]
    below = fractions_figure(fractions, pd.DataFrame(rows)).axes[3:6]
    assert [len(panel.lines) for panel in below] == [1, 0, 0]
    written = [" ".join(text.get_text() for text in panel.texts) for panel in below]
    assert "undecided" in written[1]
    assert "undecided" not in written[0] + written[2]
    assert "%" not in written[1]


def test_nothing_at_all_is_drawn_as_such():
    fractions = core_shell(pixels=32).amounts * np.nan
    figure = fractions_figure(fractions)
    assert "nothing there" in [text.get_text() for text in figure.axes[3].texts]
    assert png_bytes(figure, 50).startswith(b"\x89PNG")
