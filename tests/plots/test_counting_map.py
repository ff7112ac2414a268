import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from crewe.plots.counting_map import CountColours, draw_count_map


def drawn(counted, least=0.5, number=200, inches=4.0):
    columns, counts = counted(number)
    table = counts.add_to(columns, least)
    figure = Figure()
    axes = figure.subplots()
    draw_count_map(figure, axes, table, None, inches, CountColours(table["count"]))
    return table, axes


def test_every_decided_column_bears_its_own_number_and_no_other_does(counted):
    table, axes = drawn(counted, least=0.97)
    numbers = {text.get_position(): text.get_text() for text in axes.texts}
    undecided = table["count"].isna()
    assert 3 < undecided.sum() < len(table)
    for row, missing in zip(table.itertuples(), undecided, strict=True):
        place = (row.x, row.y)
        assert (place not in numbers) if missing else (numbers[place] == str(row.count))


def test_undecided_columns_are_hatched_and_white(counted):
    table, axes = drawn(counted, least=0.97)
    hatched = [discs for discs in axes.collections if discs.get_hatch()]
    known = table["count_probability"].notna()
    assert [len(discs.get_offsets()) for discs in hatched] == [
        (table["count"].isna() & known).sum()
    ]
    np.testing.assert_array_equal(hatched[0].get_facecolor()[0], np.ones(4))


def test_the_legend_counts_the_three_kinds(counted):
    table, axes = drawn(counted, least=0.97)
    said = [text.get_text() for text in axes.get_legend().get_texts()]
    counted_ones, undecided = table["count"].notna().sum(), table["count"].isna().sum() - 3
    assert said == [f"counted ({counted_ones})", f"undecided ({undecided})", "left out (3)"]


def test_numbers_are_left_out_where_discs_are_small(counted):
    _, axes = drawn(counted, number=5000)
    assert all("Å" in text.get_text() or "nm" in text.get_text() for text in axes.texts)


def test_colours_grow_lighter_with_the_count():
    colours = CountColours(pd.Series([1, 3, 8], dtype="Int64"))
    light = [np.dot(colours.of(count)[:3], (0.3, 0.59, 0.11)) for count in range(1, 9)]
    assert (np.diff(light) > 0).all()
    assert colours.of(20) == colours.of(8)


def test_where_no_column_is_counted_there_is_no_scale(counted):
    table, axes = drawn(counted, least=1.1)
    assert table["count"].isna().all()
    assert len(axes.figure.axes) == 1
    assert axes.get_legend().get_texts()[0].get_text().startswith("undecided")
