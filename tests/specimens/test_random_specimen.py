import time

import numpy as np
import pytest

from crewe.errors import SpecimenError
from crewe.recipes import child_generator
from crewe.specimens.cloud import AtomCloud
from crewe.specimens.random_specimen import draw_shape, random_specimen
from crewe.specimens.specimen_parts import RandomShape, RandomSpecimen

SMALL = RandomSpecimen(maximum_atoms=4000)
BOX = (50.0, 50.0, 50.0)


def within(share, wanted, count):
    return abs(share - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / count)


def test_frequencies_are_those_of_the_paper():
    facts = [random_specimen(SMALL, BOX, child_generator(0, n), 0.2)[1] for n in range(900)]
    assert len({frozenset(fact) for fact in facts}) == 1
    for key, wanted in (
        ("kind", {"crystalline": 1 / 3, "amorphous": 1 / 3, "points": 1 / 3}),
        ("support_kind", {"none": 0.05, "crystalline": 0.475, "amorphous": 0.475}),
        ("wedge", {"none": 0.25, "top": 0.25, "bottom": 0.25, "both": 0.25}),
        ("shape", {"none": 0.5, "rod": 1 / 6, "polyhedron": 1 / 6, "edge": 1 / 6}),
        ("shape_kept", {"none": 0.5, "inside": 0.25, "outside": 0.25}),
        ("defects", {"none": 0.2, "vacancies": 0.4, "displaced": 0.4}),
    ):
        found = [fact[key] for fact in facts]
        assert set(found) == set(wanted)
        for value, share in wanted.items():
            assert within(found.count(value) / 900, share, 900), (key, value)


def test_facts_tell_the_atoms():
    for n in range(40):
        cloud, facts = random_specimen(SMALL, BOX, child_generator(1, n), 0.2)
        assert facts["atoms"] == len(cloud) > 0
        assert facts["specimen_atoms"] <= len(cloud)
        assert len(cloud) <= 4000 * 1.25
        height = facts["thickness_angstrom"] + 10 * facts["support_thickness_nm"]
        assert cloud.box == pytest.approx((50.0, 50.0, height))
        for fact in facts.values():
            assert isinstance(fact, (str, int, float, bool))


def test_atoms_out_of_sight_are_not_made():
    part = RandomSpecimen.read({"defects": {"displace_probability": 0}, "maximum_atoms": 4000})
    for n in range(30):
        cloud, _ = random_specimen(part, BOX, child_generator(2, n), 0.2)
        assert (cloud.positions >= 0).all()
        assert (cloud.positions < cloud.box).all()


def test_the_same_place_gives_the_same_specimen():
    one, two = (random_specimen(SMALL, BOX, child_generator(3, 7), 0.2) for _ in range(2))
    np.testing.assert_array_equal(one[0].positions, two[0].positions)
    np.testing.assert_array_equal(one[0].numbers, two[0].numbers)
    assert one[1] == pytest.approx(two[1], nan_ok=True)


@pytest.mark.parametrize("kind", ["rod", "polyhedron", "edge"])
def test_shapes_keep_or_remove_the_same_region(kind):
    rng = np.random.default_rng(4)
    cloud = AtomCloud(np.full(3000, 6, np.uint8), rng.random((3000, 3)) * 50, BOX)
    counts = []
    for keep in (1.0, 0.0):
        part = RandomShape(probability=1.0, kind=kind, keep_probability=keep)
        cut, facts = draw_shape(part, cloud, np.random.default_rng(5), 50.0)
        assert facts["shape"] == kind
        counts.append(len(cut))
    assert sum(counts) == 3000


def test_nothing_left_is_only_the_support_and_without_one_drawn_again():
    gone = {"shape": {"probability": 1, "kind": "polyhedron", "keep_probability": 1}}
    gone["shape"]["radius"] = 1e-6
    bare = RandomSpecimen.read({**gone, "support": {"probability": 0}})
    with pytest.raises(SpecimenError, match="held no atom"):
        random_specimen(bare, BOX, child_generator(4), 0.2)
    carried = RandomSpecimen.read({**gone, "support": {"probability": 1}, "maximum_atoms": 4000})
    cloud, facts = random_specimen(carried, BOX, child_generator(4), 0.2)
    assert facts["specimen_atoms"] == 0
    assert len(cloud) == facts["atoms"] > 0


def test_impossible_requests_are_refused():
    with pytest.raises(SpecimenError, match="positive lengths"):
        random_specimen(SMALL, (10.0, 10.0, 0.0), child_generator(0), 0.2)
    with pytest.raises(SpecimenError, match="pixel size"):
        random_specimen(SMALL, BOX, child_generator(0), 0.0)


def test_a_specimen_takes_milliseconds():
    """Ten times the median measured; a naive loop would take seconds."""
    seconds = []
    for n in range(25):
        begin = time.perf_counter()
        random_specimen(RandomSpecimen(), (125.0, 125.0, 115.0), child_generator(5, n), 0.45)
        seconds.append(time.perf_counter() - begin)
    assert np.median(seconds) < 0.05
