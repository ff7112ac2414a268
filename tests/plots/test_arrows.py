import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from matplotlib.figure import Figure

from crewe.plots.arrows import LONGEST_SPACINGS, draw_arrows, draw_key, enlargement, is_sure


@given(length=some.floats(1e-4, 0.5), spacing=some.floats(1.0, 10.0))
def test_enlarged_arrows_are_seen_and_do_not_reach_over_neighbours(length, spacing):
    factor = enlargement(np.full(20, length), spacing)
    mantissa = factor / 10 ** np.floor(np.log10(factor) + 1e-9)
    assert round(mantissa) in (1, 2, 5)
    assert 0.4 * LONGEST_SPACINGS < factor * length / spacing <= LONGEST_SPACINGS * 1.001


def test_nothing_is_enlarged_where_nothing_moves():
    assert enlargement(np.zeros(4), 3.0) == 1.0
    assert enlargement(np.full(4, np.nan), 3.0) == 1.0
    assert enlargement(np.full(4, 50.0), 3.0) == 1.0


def test_an_arrow_is_sure_from_two_standard_errors_of_its_length_on():
    x, y = np.array([0.3, 0.3, 0.0, 0.3]), np.array([0.0, 0.0, 0.0, 0.0])
    x_std, y_std = np.array([0.14, 0.16, 0.1, np.nan]), np.array([9.0, 9.0, 0.1, np.nan])
    np.testing.assert_array_equal(is_sure(x, y, x_std, y_std), [True, False, True, True])


def test_arrows_point_as_displayed_and_have_their_enlarged_length():
    axes = Figure().subplots()
    axes.set(xlim=(0, 10), ylim=(10, 0), aspect="equal")
    places, vectors = np.array([[5.0, 5.0]]), np.array([[0.0, 0.2]])
    drawn = draw_arrows(axes, places, vectors, 10, "k", 0.1)
    draw_key(axes, drawn, 4.0, 10, "Å", 3)
    axes.figure.draw_without_rendering()
    corners = axes.transData.inverted().transform(
        drawn.get_transform().transform(drawn.get_paths()[0].vertices)
    )
    below, above = corners[:, 1].max(), corners[:, 1].min()
    assert below - above == pytest.approx(2.0, rel=0.02)
    # The head, which is the widest part, is at the lower end.
    assert corners[np.argmax(np.abs(corners[:, 0])), 1] > 0
    words = [child.text.get_text() for child in axes.get_children() if hasattr(child, "vector")]
    assert words == ["20 pm, drawn 10 times as long; pale: below two standard errors (3)"]
