import numpy as np
import pandas as pd
from laid_out_cells import PEROVSKITE, laid_out

from crewe.atoms.lattice.growth import grow, neighbours, nothing_grown, sow
from crewe.atoms.lattice.pose import Crystal

CRYSTAL = Crystal.of(PEROVSKITE)


def grown_over(columns, free=None, limit=0.12):
    points = np.ascontiguousarray(columns[["x", "y"]])
    grown = nothing_grown(len(points))
    start = np.argsort(np.linalg.norm(points, axis=1))[:12]
    sow(grown, points, start, CRYSTAL, np.zeros(2), CRYSTAL.vectors)
    free = np.ones(len(points), dtype=bool) if free is None else free
    grow(grown, points, neighbours(points), free, CRYSTAL, CRYSTAL.vectors, limit)
    return grown


def places(grown):
    return grown.cell + PEROVSKITE.sites[grown.site]


def test_a_bent_lattice_is_followed_far_beyond_where_a_straight_one_ends():
    columns, truth = laid_out(PEROVSKITE, 0.0, noise=0.03, size=15, middle=(0, 0))
    bent = columns["x"] ** 2 / 540
    columns["y"] += bent
    assert bent.max() > 4 * CRYSTAL.tolerance
    grown = grown_over(columns)
    assert (grown.site >= 0).all()
    assert np.allclose(places(grown), truth[["u", "v"]])


def test_drift_that_jumps_by_half_a_site_distance_stops_it():
    columns, _ = laid_out(PEROVSKITE, 0.0, noise=0.0, size=8, middle=(0, 0))
    beyond = (columns["y"] > 10).to_numpy()
    columns.loc[beyond, "x"] += PEROVSKITE.a / 2
    grown = grown_over(columns)
    assert (grown.site[~beyond] >= 0).all()
    assert not (grown.site[beyond] >= 0).any()


def test_only_free_columns_are_taken():
    columns, _ = laid_out(PEROVSKITE, 0.0, noise=0.0, middle=(0, 0))
    free = (columns["x"] < 5).to_numpy()
    grown = grown_over(columns, free)
    assert np.array_equal(grown.site >= 0, free)


def test_a_phase_of_other_lengths_is_not_followed():
    columns, _ = laid_out(PEROVSKITE, 0.0, noise=0.0, middle=(0, 0))
    right = columns["x"] > 8
    columns.loc[right, "x"] = 8 + (columns.loc[right, "x"] - 8) * 1.08
    grown = grown_over(columns, limit=0.04)
    assert (grown.site[columns["x"] < 6] >= 0).all()
    assert not (grown.site[columns["x"] > 14] >= 0).any()
    assert (grown_over(columns).site >= 0).all()


def test_two_columns_at_one_place_do_not_both_get_it():
    columns, _ = laid_out(PEROVSKITE, 0.0, noise=0.0, middle=(0, 0))
    row = columns.iloc[[5]].copy()
    row["x"] += 0.4
    grown = grown_over(pd.concat([columns, row], ignore_index=True))
    assert (grown.site[[5, -1]] >= 0).sum() == 1


def test_coincidences_are_taken_back():
    columns, _ = laid_out(PEROVSKITE, 0.0, noise=0.0, size=5, middle=(0, 0))
    alone = pd.DataFrame({"x": [40 * PEROVSKITE.a], "y": [0.0]})
    points = np.ascontiguousarray(pd.concat([columns[["x", "y"]], alone]))
    others = points[-1] + np.random.default_rng(0).uniform(-9, 9, (20, 2))
    points = np.concatenate([points, others])
    grown = nothing_grown(len(points))
    rows = np.arange(len(columns) + 1)
    sow(grown, points, rows, CRYSTAL, np.zeros(2), CRYSTAL.vectors)
    assert grown.site[len(columns)] == 0
    free = np.ones(len(points), dtype=bool)
    grow(grown, points, neighbours(points), free, CRYSTAL, CRYSTAL.vectors, 0.12)
    assert grown.site[len(columns)] == -1
