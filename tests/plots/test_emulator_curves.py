import numpy as np
import pandas as pd
import pytest

from crewe.plots.emulator_curves import terms_figure, training_figure
from crewe.plots.save import png_bytes
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.selection import plans_table


def scanned():
    errors = {
        EmulatorPlan(size=1, degree=1, log=False): [0.1, 0.12],
        EmulatorPlan(size=3, degree=2): [0.02, 0.03],
        EmulatorPlan(size=5, degree=2): [0.0118, 0.0121],
        EmulatorPlan(features="smoothed", degree=3): [0.0119, 0.0120],
        EmulatorPlan(size=3, degree=2, interactions=False): [0.04, 0.05],
    }
    return plans_table(
        [
            {
                "plan": plan.to_dict(),
                "terms": plan.terms().count,
                "one_minus_r2": float(np.mean(each)),
                "each_repeat": each,
                "image_errors": each,
            }
            for plan, each in errors.items()
        ]
    )


def test_every_plan_is_drawn_on_logarithmic_axes():
    table = scanned()
    figure = terms_figure(table, floor=0.001, title="Pt")
    (axes,) = figure.axes
    assert axes.get_xscale() == axes.get_yscale() == "log"
    marks = [line for line in axes.lines if line.get_marker() in "os" and len(line.get_xdata())]
    points = {(x, y) for line in marks for x, y in zip(*line.get_data(), strict=True)}
    assert points == set(zip(table["terms"], table["one_minus_r2"], strict=True))
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert {"degree 2", "degree 2, powers alone", "degree 3, smoothed"} <= set(labels)
    assert "phonon noise" in labels
    assert png_bytes(figure, 50).startswith(b"\x89PNG")


def test_the_ring_is_around_the_smallest_that_suffices():
    (axes,) = terms_figure(scanned()).axes
    (ring,) = [line for line in axes.lines if line.get_label() == "smallest sufficient"]
    assert list(ring.get_xdata()) == [364]


@pytest.mark.parametrize("spread", [0.001, 0.5, np.nan])
def test_error_against_training_images_with_bars_of_any_size(spread):
    errors = [0.03, 0.02, 0.01]
    table = pd.DataFrame(
        {"images": [1, 3, 10], "one_minus_r2": errors, "median": errors, "spread": [spread] * 3}
    )
    figure = training_figure(table)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "3", "10"]
    assert list(axes.lines[0].get_ydata()) == [0.03, 0.02, 0.01]
    assert 0 < axes.get_ylim()[0] <= 0.01
    assert png_bytes(figure, 50).startswith(b"\x89PNG")
