import numpy as np
import pytest

from crewe.errors import ImageError
from crewe.plots.fusion import maps_figure, overlay_figure, standard_error_figure
from crewe.plots.save import png_bytes
from crewe.testing.core_shell import core_shell, measure


@pytest.fixture(scope="module")
def measured():
    made = measure(core_shell(pixels=48), 20, 3, np.random.default_rng(0))
    made.maps.attrs["units"] = made.truth.attrs["units"] = "counts"
    return made


def titles(figure):
    return [panel.get_title(loc="left") for panel in figure.axes if panel.get_title(loc="left")]


def test_each_element_is_shown_as_measured_above_as_fused(measured):
    figure = maps_figure(measured.haadf, measured.maps, measured.truth, title="phantom")
    before = ["Co measured", "S measured", "O measured"]
    assert titles(figure) == ["HAADF", *before, "Co fused", "S fused", "O fused"]
    shown = {panel.get_title(loc="left"): panel.images[0] for panel in figure.axes if panel.images}
    truth = measured.truth.sel(element="S").values
    np.testing.assert_array_equal(shown["S fused"].get_array(), truth)
    assert figure.axes[4].axison is False
    assert png_bytes(figure, 60).startswith(b"\x89PNG")


def test_many_elements_go_on_in_further_rows(measured):
    five = measured.maps.isel(element=[0, 1, 2, 0, 1]).assign_coords(element=list("ABCDE"))
    names = titles(maps_figure(measured.haadf, five, five))
    assert [name for name in names if "fused" in name] == [f"{name} fused" for name in "ABCDE"]
    assert names.index("D measured") > names.index("C fused")


def test_other_elements_are_refused(measured):
    with pytest.raises(ImageError, match="same elements"):
        maps_figure(measured.haadf, measured.maps, measured.truth.isel(element=[0, 1]))
    with pytest.raises(ImageError, match="same pixels"):
        overlay_figure(measured.maps, measured.truth.isel(y=slice(3, 9)))


def test_the_overlay_names_its_colours(measured):
    figure = overlay_figure(measured.maps, measured.truth)
    assert titles(figure) == ["measured", "fused"]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["Co", "S", "O"]
    assert figure.axes[1].images[0].get_array().shape == (48, 48, 3)


def test_standard_errors_have_their_scale_beside_them(measured):
    figure = standard_error_figure(np.sqrt(measured.truth))
    assert titles(figure) == ["Co", "S", "O"]
    assert len(figure.axes) == 6
    assert png_bytes(figure, 60).startswith(b"\x89PNG")
