import numpy as np
import pytest

from crewe.specimens.cloud import AtomCloud
from crewe.specimens.layer import draw_defects, draw_layer, draw_orientation, draw_wedge, symbols
from crewe.specimens.specimen_parts import RandomSpecimen

PART = RandomSpecimen()
BOX = (40.0, 35.0, 30.0)


@pytest.mark.parametrize("kind", ["crystalline", "amorphous", "points"])
def test_layers_lie_in_their_box_and_hold_their_elements(kind):
    for seed in range(8):
        cloud, facts = draw_layer(PART, kind, BOX, np.random.default_rng(seed), 0.2)
        assert facts["kind"] == kind
        assert (cloud.positions >= 0).all()
        assert (cloud.positions < cloud.box).all()
        if len(cloud) > 500:
            present = tuple(dict.fromkeys(cloud.numbers.tolist()))
            assert set(symbols(present).split()) <= set(facts["elements"].split())
        assert (facts["space_group"] > 0) == (kind == "crystalline")


def test_facts_have_the_same_keys_for_every_kind():
    keys = [
        set(draw_layer(PART, kind, BOX, np.random.default_rng(0), 0.2)[1])
        for kind in ("crystalline", "amorphous", "points")
    ]
    assert keys[0] == keys[1] == keys[2]


@pytest.mark.parametrize("kind", ["crystalline", "amorphous", "points"])
def test_layers_become_thinner_rather_than_fuller(kind):
    part = RandomSpecimen(maximum_atoms=2000)
    for seed in range(6):
        cloud, _ = draw_layer(part, kind, (80.0, 80.0, 80.0), np.random.default_rng(seed), 0.3)
        assert len(cloud) < 1000 * 1.25
        assert cloud.box[2] <= 80.0


def test_zone_axes_and_mistilts_have_their_frequencies():
    rng = np.random.default_rng(0)
    drawn = [draw_orientation(PART.orientation, np.eye(3) * 4, rng) for _ in range(4000)]
    random = np.array([axis == "random" for _, axis, _ in drawn])
    assert abs(random.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 4000)
    mistilt = np.array([tilt for _, _, tilt in drawn])
    assert np.isnan(mistilt[random]).all()
    assert mistilt[~random].std() == pytest.approx(5.0, rel=4 / np.sqrt(2 * 3000))
    names, counts = np.unique(
        [axis for _, axis, _ in drawn if axis != "random"], return_counts=True
    )
    assert len(names) == 8
    assert (np.abs(counts - 375) < 4.5 * np.sqrt(3000 * 7 / 64)).all()


def test_wedge_and_defects_frequencies():
    rng = np.random.default_rng(1)
    cloud = AtomCloud(np.full(40, 6, np.uint8), rng.random((40, 3)) * 10, (10.0, 10.0, 10.0))
    wedges = np.array([draw_wedge(PART.wedge, cloud, rng)[1]["wedge"] for _ in range(3000)])
    for name, share in (("none", 0.25), ("top", 0.25), ("bottom", 0.25), ("both", 0.25)):
        assert abs(np.mean(wedges == name) - share) < 4 * np.sqrt(share * (1 - share) / 3000)
    told = [draw_defects(PART.defects, cloud, rng) for _ in range(3000)]
    kinds = np.array([facts["defects"] for _, facts in told])
    for name, share in (("none", 0.2), ("vacancies", 0.4), ("displaced", 0.4)):
        assert abs(np.mean(kinds == name) - share) < 4 * np.sqrt(share * (1 - share) / 3000)
    counts = np.array([facts["defect_atoms"] for _, facts in told])[kinds != "none"]
    # Uniform from 0 to a quarter of 40.
    assert counts.max() == 10
    assert counts.mean() == pytest.approx(5.0, abs=4 * 2.9 / np.sqrt(2400))
    for changed, facts in told[:200]:
        missing = facts["defect_atoms"] if facts["defects"] == "vacancies" else 0
        assert len(changed) == 40 - missing
