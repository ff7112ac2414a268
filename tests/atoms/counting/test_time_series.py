import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from crewe.atoms.counting.by_library import count_by_library
from crewe.atoms.counting.time_series import count_series
from crewe.errors import NoColumnsError, PlanError

MOST = 12
ATOMS = np.arange(1, MOST + 1)
LIBRARY = xr.DataArray(
    ATOMS - 0.01 * ATOMS**2, {"atoms": ATOMS}, ("atoms",), "scs", {"units": "Å²"}
)
SCALE, DRIFT = 1.05, (2.6, -1.3)


def series(seed, width, frames=8):
    """Tables of a particle that drifts while one atom in twelve columns comes or goes."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-6:7, -6:7]
    radius = np.hypot(x, y)
    inside = radius < 6.2
    places = 2.0 * np.stack([x[inside], y[inside]], axis=1) + 30
    sphere = 11 * np.sqrt(1 - (radius[inside] / 6.5) ** 2)
    counts = np.clip(np.round(sphere + rng.normal(0, 0.7, len(places))), 1, MOST).astype(int)
    tables, truth = [], []
    for t in range(frames):
        if t:
            moved = rng.random(len(counts)) < 1 / 12
            counts = np.clip(counts + moved * rng.choice([-1, 1], len(counts)), 1, MOST)
        kept = rng.permutation(np.flatnonzero(rng.random(len(counts)) > 0.03))
        at = places[kept] + np.multiply(DRIFT, t) + rng.normal(0, 0.05, (len(kept), 2))
        scs = SCALE * LIBRARY.values[counts[kept] - 1] + rng.normal(0, width, len(kept))
        tables.append(pd.DataFrame({"x": at[:, 0], "y": at[:, 1], "scs": np.abs(scs)}))
        truth.append(counts[kept])
    return tables, truth


def right(found, truth):
    table = found.tracks
    true = [truth[t][row] for t, row in zip(table["frame"], table["row"], strict=True)]
    return table["count"].to_numpy(int) == np.array(true)


@pytest.mark.parametrize(("width", "better"), [(0.3, 0.05), (0.42, 0.12)])
def test_frames_together_beat_frames_alone(width, better):
    tables, truth = series(1, width)
    found = count_series(tables, LIBRARY)
    alone = [
        count_by_library(table, LIBRARY, rule="bayes", scale=SCALE).posterior.argmax(axis=1) == true
        for table, true in zip(tables, truth, strict=True)
    ]
    together = right(found, truth)
    assert together.mean() > np.concatenate(alone).mean() + better
    assert found.tracks["count_probability"].mean() == pytest.approx(together.mean(), abs=0.03)
    assert found.scale == pytest.approx(SCALE, abs=0.015)
    assert found.width == pytest.approx(width, rel=0.1)
    assert found.summary["decided"]


def test_the_result_is_whole():
    tables, truth = series(2, 0.15, 5)
    tables[2].loc[4, "scs"] = np.nan
    heard = []
    found = count_series(tables, LIBRARY, progress=lambda stage, part: heard.append(part))
    frames, tracks = found.counts.shape
    assert frames == 5
    assert found.posterior.shape == (5, tracks, MOST + 1)
    assert np.allclose(found.posterior.sum(axis=2), 1.0)
    assert np.array_equal(found.counts.isna().to_numpy(), np.isnan(found.probability))
    assert np.allclose(found.transition.sum(axis=1), 1.0)
    assert found.shifts[4] == pytest.approx(np.multiply(DRIFT, 4), abs=0.1)
    assert len(found.tracks) == sum(map(len, tables)) - 1
    assert not ((found.tracks["frame"] == 2) & (found.tracks["row"] == 4)).any()
    row = next(found.tracks.iloc[17:].itertuples())
    assert tables[row.frame].loc[row.row, "scs"] == row.scs
    assert found.counts.loc[row.frame, row.track] == found.tracks.loc[17, "count"]
    assert right(found, truth).mean() > 0.99
    atoms = [true.sum() for true in truth]
    assert np.allclose(found.summary["atoms_total"], atoms, rtol=0.03)
    assert heard[-1] == 1.0
    json.dumps(found.summary)


def test_too_much_noise_or_too_short_a_library_is_told():
    tables, _ = series(3, 0.8, 4)
    assert not count_series(tables, LIBRARY).summary["decided"]
    short = count_series(series(4, 0.1, 3)[0], LIBRARY[:7])
    assert any("extend" in one or "scaled" in one for one in short.summary["warnings"])


def test_what_is_no_series_is_refused():
    tables, _ = series(5, 0.1, 3)
    with pytest.raises(PlanError, match="at least 2"):
        count_series(tables[:1], LIBRARY)
    with pytest.raises(PlanError, match="frame 1 has no places"):
        count_series([tables[0], tables[1][["scs"]]], LIBRARY)
    with pytest.raises(NoColumnsError, match="at least 20"):
        count_series([tables[0], tables[1][:5]], LIBRARY)
    with pytest.raises(PlanError, match="another scale"):
        count_series(tables, 1e-3 * LIBRARY)
