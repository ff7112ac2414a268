import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crewe.atoms.counting.by_mixture import count_by_mixture
from crewe.errors import NoColumnsError, PlanError

STATSTEM = json.loads((Path(__file__).parent / "data" / "statstem_ptir.json").read_text())


def particle(seed, width, number=400, most=10, dose=None):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, most + 1, number)
    mean = counts - 0.01 * counts**2
    variance = width**2 + (0.0 if dose is None else mean / dose)
    scs = mean + np.sqrt(variance) * rng.normal(size=number)
    return pd.DataFrame({"scs": scs}), counts


def test_narrow_components_are_all_counted():
    columns, truth = particle(1, 0.1)
    heard = []
    counts = count_by_mixture(columns, progress=lambda stage, part: heard.append((stage, part)))
    table = counts.add_to(columns)
    assert counts.summary["decided"]
    assert counts.summary["components"] == 10
    assert (table["count"] == truth).mean() > 0.99
    assert np.allclose(counts.posterior.sum(axis=1), 1.0)
    assert counts.weights.sum() == pytest.approx(1.0)
    assert counts.curve[0] == 0.0
    error = counts.curve[1:] - (np.arange(1, 11) - 0.01 * np.arange(1, 11) ** 2)
    assert np.abs(error / counts.curve_std[1:]).max() < 4
    assert abs(counts.summary["atoms_total"] - truth.sum()) < 4 * counts.summary["atoms_total_std"]
    assert heard[-1] == ("fitting mixtures", 1.0)
    json.dumps(counts.summary)


def test_wide_components_are_not_decided():
    counts = count_by_mixture(particle(2, 0.35)[0])
    assert not counts.summary["decided"]
    assert counts.summary["warnings"]
    assert "cannot be trusted" in counts.summary["verdict"]


@pytest.mark.parametrize("given", [None, 300.0])
def test_widths_that_grow_with_the_dose_come_back(given):
    columns, truth = particle(3, 0.08, 3000, dose=300.0)
    counts = count_by_mixture(
        columns, components=10, most_components=10, width="dose", electrons_per_unit=given
    )
    expected = np.sqrt(0.08**2 + counts.curve[1:] / 300)
    # 300 columns a component tell its width to one part in √600, the line through ten better
    assert counts.spread[1:] == pytest.approx(expected, rel=0.06)
    assert (counts.add_to(columns)["count"] == truth).mean() > 0.97
    assert counts.summary["width"]["electrons_per_unit"] == pytest.approx(300, rel=0.25)


def test_an_offset_moves_counts_and_curve():
    columns, truth = particle(4, 0.1, most=5)
    moved = columns + 2.0
    counts = count_by_mixture(moved, components=5, most_components=5, offset=2)
    assert (counts.add_to(moved)["count"] == truth + 2).mean() > 0.99
    assert np.isnan(counts.curve[1:3]).all()
    empty = count_by_mixture(columns - 0.99, components=5, most_components=5, offset=-1)
    assert (empty.add_to(columns)["count"] == truth - 1).mean() > 0.99


def test_missing_cross_sections_stay_uncounted():
    columns, _ = particle(5, 0.1, most=4)
    columns.loc[7, "scs"] = np.nan
    counts = count_by_mixture(columns, most_components=6)
    assert np.isnan(counts.posterior[7]).all()
    assert counts.summary["n_left_out"] == 1
    assert pd.isna(counts.add_to(columns).loc[7, "count"])


def test_statstem_counts_its_particle_as_we_do():
    columns = pd.DataFrame({"scs": STATSTEM["scs"]})
    counts = count_by_mixture(columns, components=10, most_components=20)
    assert counts.curve[1:] == pytest.approx(STATSTEM["means"], abs=3e-4)
    assert counts.spread[1] == pytest.approx(STATSTEM["width"], rel=1e-3)
    assert (counts.posterior.argmax(axis=1) == STATSTEM["counts"]).all()
    table = counts.summary["criteria"]
    better = np.array(table["log_likelihood"]) + STATSTEM["negative_log_likelihood"]
    assert better.min() > -1e-6
    assert better.max() < 0.01
    assert np.abs(np.array(table["icl"]) - STATSTEM["icl"]).max() < 2
    assert 10 in counts.summary["candidates"]
    # a width of a third of the step is beyond what the number of components can be told from
    assert any("steps wide" in one for one in counts.summary["warnings"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"criterion": "mdl"}, "choose one of icl"),
        ({"width": "measured"}, "choose one of common"),
        ({"components": 0}, "at least 1"),
        ({"components": 81}, "405 columns"),
        ({"offset": -2}, "offset"),
        ({"electrons_per_unit": 3.0}, "width='dose'"),
        ({"electrons_per_unit": -3.0, "width": "dose"}, "positive"),
    ],
)
def test_wrong_settings_teach(settings, words):
    with pytest.raises(PlanError, match=words):
        count_by_mixture(particle(6, 0.1)[0], **settings)


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(NoColumnsError, match="at least 20"):
        count_by_mixture(pd.DataFrame({"scs": [1.0, 2.0]}))
    columns, _ = particle(7, 0.1)
    with pytest.raises(PlanError, match="negative cross-section"):
        count_by_mixture(columns - 3.0, width="dose")
