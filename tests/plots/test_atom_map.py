import numpy as np
import pandas as pd
import pytest

from crewe import axes
from crewe.plots import atom_map_figure, png_bytes


@pytest.fixture
def image():
    return axes.calibrated_image(np.random.default_rng(0).random((40, 60)), 0.2)


def test_marks_stand_at_the_columns_of_the_table(image):
    columns = pd.DataFrame({"x": [2.0, 6.0, 9.0], "y": [1.0, 3.0, 5.0]})
    figure = atom_map_figure(image, image, columns, map_title="mask", title="gold.tif")
    left, right = figure.axes
    offsets = np.concatenate([np.asarray(mark.get_offsets()) for mark in left.collections])
    for place in columns[["x", "y"]].to_numpy():
        assert (np.abs(offsets - place).sum(axis=1) < 1e-9).any()
    assert not right.collections
    assert "3 columns" in left.get_title("left")
    assert png_bytes(figure, 60).startswith(b"\x89PNG")


def test_flagged_columns_are_crossed_and_no_table_marks_nothing(image):
    columns = pd.DataFrame({"x": [2.0, 6.0], "y": [1.0, 3.0], "type": [0, 1], "flag": ["", "edge"]})
    marked = atom_map_figure(image, image, columns, map_title="mask")
    crossed = [len(mark.get_offsets()) for mark in marked.axes[0].collections]
    assert sorted(crossed) == [1, 1, 1, 1]
    bare = atom_map_figure(image, image, None, map_title="denoise")
    assert not any(len(mark.get_offsets()) for mark in bare.axes[0].collections)
