import inspect

import numpy as np
import pytest

from crewe.atoms.counting.results import LEAST_PROBABILITY
from crewe.axes import calibrated_image
from crewe.plots.counting import counting_figure
from crewe.plots.save import png_bytes


def titles(figure):
    return [panel.get_title(loc="left") for panel in figure.axes if panel.get_title(loc="left")]


@pytest.mark.parametrize("with_image", [True, False])
@pytest.mark.parametrize("number", [20, 200, 3000])
def test_any_number_of_columns_with_or_without_image(counted, number, with_image):
    columns, counts = counted(number)
    shape = (int(columns["y"].max() / 0.5) + 8, int(columns["x"].max() / 0.5) + 8)
    random = np.random.default_rng(0)
    image = calibrated_image(random.normal(size=shape), 0.5) if with_image else None
    figure = counting_figure(columns, counts, unit="Å²", image=image, title="particle")
    assert png_bytes(figure, 50).startswith(b"\x89PNG")
    assert [said[0] for said in titles(figure)] == list("abcd")


def test_a_mixture_shows_its_criteria(counted):
    said = titles(counting_figure(*counted(mixture=True), unit="Å²"))
    assert said[3] == "d  number of components"
    assert len(said) == 5


def test_the_verdict_stands_on_top_and_in_bold_where_nothing_is_decided(counted):
    sure = counting_figure(*counted(), unit="Å²").get_suptitle()
    assert sure == "The data decide."
    figure = counting_figure(*counted(decided=False), unit="Å²")
    assert "cannot decide" in figure.get_suptitle()
    assert figure._suptitle.get_fontweight() == "bold"
    assert "NOT decided" in titles(figure)[0]


def test_a_table_in_which_every_column_was_left_out_is_drawn(counted):
    columns, counts = counted()
    counts.posterior[:] = np.nan
    figure = counting_figure(columns, counts, unit="Å²")
    assert png_bytes(figure, 50).startswith(b"\x89PNG")


def test_the_limit_is_that_of_the_table_unless_given():
    given = inspect.signature(counting_figure).parameters["least_probability"].default
    assert given == LEAST_PROBABILITY
