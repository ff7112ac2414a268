from dataclasses import replace

import numpy as np
import pytest
from laid_out_cells import PEROVSKITE, laid_out

from crewe.atoms.lattice.pose import STRETCH, Crystal
from crewe.atoms.lattice.seeds import PATCHES, find_seeds, strain_limit


def test_a_crystal_in_a_corner_is_found():
    rng = np.random.default_rng(0)
    columns, _ = laid_out(PEROVSKITE, 30.0, size=6, middle=(20.0, 20.0))
    crystal = columns[["x", "y"]].to_numpy()
    scattered = rng.uniform(0, 120, (500, 2))
    outside = np.abs(scattered - 20).max(axis=1) > 22
    points = np.concatenate([crystal, scattered[outside]])
    seeds = find_seeds(
        points, np.ones(len(points)), np.arange(len(points)), [Crystal.of(PEROVSKITE)]
    )
    assert len(seeds) == PATCHES
    assert seeds[0].pose.fits()
    assert np.abs(points[seeds[0].rows[:20]] - 20).max() < 22
    assert [seed.pose.score for seed in seeds] == sorted(
        (s.pose.score for s in seeds), reverse=True
    )


def test_the_cell_that_fits_comes_first():
    columns, _ = laid_out(PEROVSKITE, 30.0)
    points = columns[["x", "y"]].to_numpy()
    other = replace(PEROVSKITE, a=4.2, b=4.2)
    crystals = [Crystal.of(other), Crystal.of(PEROVSKITE)]
    seeds = find_seeds(points, columns["scs"].to_numpy(), np.arange(len(points)), crystals)
    assert seeds[0].crystal is crystals[1]


@pytest.mark.parametrize(
    ("change", "limit"),
    [({"a": 3.905 * 1.06}, 0.03), ({"a": 9.0}, STRETCH), ({"angle_deg": 86.0}, 0.035)],
)
def test_cells_share_what_tells_them_apart(change, limit):
    first, second = Crystal.of(PEROVSKITE), Crystal.of(replace(PEROVSKITE, **change))
    assert strain_limit(first, [first]) == STRETCH
    assert strain_limit(first, [first, second]) == pytest.approx(limit, rel=0.1)
