import numpy as np
import pandas as pd

from crewe.plots.count_series import changed, first_known, series_figure

VALUES = np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 4.0], [2.0, 2.0, np.nan]])


def test_changes_are_counted_only_where_both_frames_are_known():
    assert changed(VALUES).tolist() == [1, 1]


def test_the_first_known_count_orders_the_columns():
    assert first_known(VALUES).tolist() == [1, 2, 3]
    assert np.isnan(first_known(np.full((2, 1), np.nan))).all()


def test_the_figure_shows_each_column_in_each_frame():
    figure = series_figure(pd.DataFrame(VALUES[:, ::-1]).astype("Int64"), title="three frames")
    image = figure.axes[0].images[0].get_array()
    assert image.shape == (3, 3)
    assert np.ma.filled(image[:, 1].astype(float), np.nan).tolist() == [1, 2, 4]
    assert figure.axes[1].lines[0].get_ydata().tolist() == [1, 1]
