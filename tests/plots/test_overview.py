import numpy as np
import pandas as pd
import pytest

from crewe.axes import calibrated_image
from crewe.plots import detail_figure, overview_figure, png_bytes
from crewe.plots.detail import detail_region


def scene(shape, count, unit="Å", flagged=0):
    random = np.random.default_rng(5)
    image = calibrated_image(random.normal(100, 10, shape), 0.1, unit)
    columns = pd.DataFrame(
        {
            "x": random.uniform(0, shape[1] * 0.1, count),
            "y": random.uniform(0, shape[0] * 0.1, count),
            "scs": random.normal(5, 1, count),
            "scs_std": 0.2,
            "type": np.arange(count) % 3,
            "flag": ["edge" if number < flagged else "" for number in range(count)],
        }
    )
    residual = image - image.mean()
    return image, columns, residual.assign_attrs(image.attrs)


@pytest.mark.parametrize(
    ("shape", "count", "unit", "flagged"),
    [
        ((60, 60), 1, "Å", 0),
        ((60, 60), 1, "px", 1),
        ((40, 160), 60, "Å", 5),
        ((300, 60), 60, "px", 60),
        ((300, 400), 20_000, "Å", 500),
    ],
)
def test_any_number_of_columns_on_any_shape(shape, count, unit, flagged):
    image, columns, residual = scene(shape, count, unit, flagged)
    figure = overview_figure(image, columns, residual, residual_label="σ", scs_unit="Å²")
    assert png_bytes(figure, 60).startswith(b"\x89PNG")
    assert unit in _texts(figure) or "nm" in _texts(figure)
    detail = detail_figure(image, columns, image, residual, residual_label="σ")
    assert png_bytes(detail, 60).startswith(b"\x89PNG")


def test_the_same_figure_has_the_same_bytes():
    image, columns, residual = scene((60, 60), 20)
    first, second = (
        png_bytes(overview_figure(image, columns, residual, residual_label="", scs_unit=""), 60)
        for _ in range(2)
    )
    assert first == second


def test_residuals_are_centred_at_zero():
    image, columns, residual = scene((60, 60), 20)
    figure = overview_figure(image, columns, residual + 3, residual_label="σ", scs_unit="Å²")
    low, high = figure.axes[1].images[0].get_clim()
    assert low == -high


def test_columns_are_open_rings_and_flagged_ones_are_said_to_be_left_out():
    image, columns, residual = scene((60, 60), 20, flagged=2)
    figure = overview_figure(image, columns, residual, residual_label="σ", scs_unit="Å²")
    panels = figure.axes
    assert all(len(rings.get_facecolors()) == 0 for rings in panels[0].collections[:6])
    words = [text.get_text() for text in panels[0].get_legend().get_texts()]
    assert words == [
        "type 0 unflagged (6)",
        "type 1 unflagged (6)",
        "type 2 unflagged (6)",
        "flagged (2)",
    ]
    titles = [panel.get_title(loc="left") for panel in panels]
    assert any("unflagged" in title for title in titles)


def test_failed_fits_do_not_stop_a_figure():
    image, columns, residual = scene((60, 60), 20)
    columns[["scs", "scs_std"]] = np.nan
    figure = overview_figure(image, columns, residual, residual_label="σ", scs_unit="Å²")
    assert png_bytes(figure, 60).startswith(b"\x89PNG")


def test_the_detail_stays_inside_the_image():
    image, columns, _ = scene((40, 160), 60)
    region = detail_region(image, columns)
    assert image.isel(region).shape == (40, region["x"].stop - region["x"].start)
    assert 0 <= region["x"].start < region["x"].stop <= 160


def _texts(figure):
    return " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
