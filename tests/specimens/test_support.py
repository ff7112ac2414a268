import numpy as np
import pytest

from crewe.specimens.cloud import AtomCloud
from crewe.specimens.specimen_parts import RandomSpecimen
from crewe.specimens.support import draw_support, with_support

BOX = (30.0, 25.0, 20.0)


def test_supports_have_their_frequencies_and_thickness():
    rng = np.random.default_rng(0)
    part = RandomSpecimen(maximum_atoms=2000)
    drawn = [draw_support(part, BOX, rng, 0.2) for _ in range(800)]
    kinds = np.array([facts["support_kind"] for _, _, facts in drawn])
    for name, share in (("none", 0.05), ("crystalline", 0.475), ("amorphous", 0.475)):
        assert abs(np.mean(kinds == name) - share) < 4 * np.sqrt(share * (1 - share) / 800)
    keys = {frozenset(facts) for _, _, facts in drawn}
    assert len(keys) == 1
    for cloud, _, facts in drawn:
        if cloud is not None:
            assert cloud.box[:2] == BOX[:2]
            assert facts["support_thickness_nm"] == pytest.approx(cloud.box[2] / 10)
            assert facts["support_thickness_nm"] <= 30


@pytest.mark.parametrize("below", [True, False])
def test_support_and_specimen_are_stacked_along_the_beam(below):
    rng = np.random.default_rng(1)
    specimen = AtomCloud(np.full(5, 78, np.uint8), rng.random((5, 3)) * BOX, BOX)
    support = AtomCloud(np.full(7, 6, np.uint8), rng.random((7, 3)) * 10, (30.0, 25.0, 10.0))
    whole = with_support(specimen, support, below)
    assert whole.box == (30.0, 25.0, 30.0)
    z_of = {number: whole.positions[whole.numbers == number, 2] for number in (6, 78)}
    first, second = (78, 6) if below else (6, 78)
    assert z_of[first].max() < z_of[second].min()
    shift = 10.0 if not below else 0.0
    np.testing.assert_allclose(np.sort(z_of[78] - shift), np.sort(specimen.positions[:, 2]))
