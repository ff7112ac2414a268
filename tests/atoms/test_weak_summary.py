import json

import numpy as np
import pytest
from perovskite_images import counted_image, expected_image, heavy_columns, perovskite

from crewe.atoms.weak_columns import find_weak_columns

SITES = perovskite()
HEAVY = heavy_columns(SITES)


@pytest.fixture(scope="module")
def faint():
    """At four to five times their error some are sure, some doubtful, some unseen."""
    image, electrons = counted_image(expected_image(SITES), 5e4, seed=2)
    return find_weak_columns(image, HEAVY, electrons_per_unit=electrons)


def test_the_summary_can_be_written_and_counts_the_table(faint):
    summary = json.loads(json.dumps(faint.summary))
    assert summary["n_added"] == len(faint.columns)
    assert summary["n_known"] == len(HEAVY)
    assert summary["n_doubtful"] == (faint.columns["probability"] < 0.95).sum()
    assert summary["n_edge"] == faint.columns["flag"].str.contains("edge").sum()


def test_the_verdict_names_numbers_doubt_and_limit(faint):
    verdict = faint.summary["verdict"]
    assert verdict.startswith(f"{len(faint.columns)} weak columns beside the {len(HEAVY)} known")
    assert f"{faint.summary['least_height']:.3g}" in verdict
    assert ("below 0.95" in verdict) == (faint.summary["n_doubtful"] > 0)


def test_the_priors_are_told(faint):
    heights = faint.summary["prior_heights"]
    assert heights[0] == 0.0
    assert heights[1] == pytest.approx(0.04, rel=0.1)
    area = (112 * 0.15) ** 2
    assert faint.summary["prior_volume"] == pytest.approx(area * heights[1])
    assert faint.summary["prior_most"] == 2 * len(HEAVY) + 20
    assert faint.summary["prior_closest"] == pytest.approx(0.9, rel=0.05)


def test_columns_beside_another_are_warned_of_where_allowed():
    """One flattened column, fitted by a round one, leaves two that stand too close."""
    values = expected_image(SITES, names=("Sr", "Ti"))
    along = np.arange(112) * 0.15
    x, y = SITES["Sr"][5]
    rows = np.exp(-((along - y) ** 2) / 0.405)[:, None]
    values += 0.02 * rows * np.exp(-((along - x - 0.85) ** 2) / 0.405)
    image, electrons = counted_image(values, 1e6)
    result = find_weak_columns(image, HEAVY, electrons_per_unit=electrons, closest=0.45)
    assert len(result.columns) >= 1
    assert any("stand so close" in warning for warning in result.summary["warnings"])
    apart = find_weak_columns(image, HEAVY, electrons_per_unit=electrons)
    assert not any("stand so close" in warning for warning in apart.summary["warnings"])
