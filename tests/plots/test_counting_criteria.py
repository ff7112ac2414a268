import numpy as np

from crewe.plots.counting_criteria import criteria_figure


def test_criteria_are_drawn_above_their_least_with_choice_and_candidates(counted):
    _, counts = counted(mixture=True)
    (axes,) = criteria_figure(counts.summary, title="criteria").axes
    lines = {line.get_label(): line for line in axes.lines}
    assert set(lines) == {"ICL", "BIC", "other minimum", "chosen: 12"}
    assert lines["ICL"].get_ydata().min() == 0
    np.testing.assert_array_equal(lines["ICL"].get_ydata(), 5 * np.abs(np.arange(1, 16) - 12.0))
    assert list(lines["chosen: 12"].get_xdata()) == [12]
    assert list(lines["other minimum"].get_xdata()) == [9]
    assert sorted(text.get_text() for text in axes.texts) == ["12", "9", "BIC", "ICL"]
    ends = sorted(text.xy[1] for text in axes.texts if text.get_text() in ("ICL", "BIC"))
    assert ends[1] - ends[0] > 0.05 * axes.get_ylim()[1]
