import numpy as np
import pytest
from scipy.spatial import cKDTree

from crewe.errors import SpecimenError
from crewe.specimens.amorphous import amorphous, amorphous_matter, number_density


@pytest.mark.parametrize("block_atoms", [None, 2000])
@pytest.mark.parametrize(("element", "density", "distance"), [(6, 2.0, 1.4), (79, 7.0, 1.6)])
@pytest.mark.parametrize("box", [(40.0, 30.0, 60.0), (50.0, 50.0, 5.0), (9.0, 9.0, 150.0)])
def test_density_and_minimum_distance(element, density, distance, box, block_atoms):
    made = amorphous(element, box, np.random.default_rng(0), density, distance, block_atoms)
    positions = made.cloud.positions
    assert not cKDTree(positions).query_pairs(distance * (1 - 1e-9))
    assert (positions >= 0).all()
    assert (positions < box).all()
    wanted = number_density(element, density) * np.prod(box)
    # The rim cuts blocks at random; of a few hundred atoms some per cent come and go.
    assert len(made.cloud) == pytest.approx(wanted, abs=4 * np.sqrt(wanted) + 2)
    assert made.density_g_cm3 == pytest.approx(density * len(made.cloud) / wanted)
    assert (made.cloud.numbers == element).all()


def test_unreachable_density_is_packed_as_far_as_it_goes_and_told():
    made = amorphous(1, (30.0, 30.0, 30.0), np.random.default_rng(0), 2.0, 1.6, 2000)
    packing = len(made.cloud) / 27_000 * np.pi / 6 * 1.6**3
    assert 0.25 < packing < 0.384
    assert made.density_g_cm3 < 0.5
    assert not cKDTree(made.cloud.positions).query_pairs(1.6 * (1 - 1e-9))


def farthest_echo(positions, side=120):
    """Largest autocorrelation of the projection beyond 3 Å, as a part of that at rest."""
    image, _, _ = np.histogram2d(*positions[:, :2].T, bins=side, range=[[0, side], [0, side]])
    correlation = np.fft.ifft2(np.abs(np.fft.fft2(image - image.mean())) ** 2).real
    correlation /= correlation[0, 0]
    distance = np.abs(np.fft.fftfreq(side, 1 / side))
    correlation[np.hypot(distance[:, None], distance[None]) < 3] = 0
    return np.abs(correlation).max()


def test_no_lateral_period_survives_the_projection():
    box = (120.0, 120.0, 140.0)
    made = amorphous(14, box, np.random.default_rng(4), 2.3, 1.6, block_atoms=4000).cloud
    assert farthest_echo(made.positions) < 0.12
    block = made.positions[(made.positions[:, :2] < 60).all(axis=1)]
    tiled = np.concatenate([block + np.array([60 * i, 60 * j, 0]) for i in (0, 1) for j in (0, 1)])
    assert farthest_echo(tiled) > 0.9


def test_layers_leave_no_visible_steps_in_density():
    made = amorphous(26, (60.0, 60.0, 160.0), np.random.default_rng(1), 7.0, 1.6, 3000).cloud
    counts, _ = np.histogram(made.positions[:, 2], bins=8, range=(0, 160))
    assert counts.std() < 0.1 * counts.mean()


def test_atoms_only_and_refusals():
    rng = np.random.default_rng(0)
    assert len(amorphous_matter(6, (20.0, 20.0, 20.0), rng)) == pytest.approx(802, abs=1)
    with pytest.raises(SpecimenError, match="must be positive"):
        amorphous_matter(6, (20.0, 20.0, 20.0), rng, density_g_cm3=-1.0)
    with pytest.raises(SpecimenError, match="no element has Z = 0"):
        amorphous_matter(0, (20.0, 20.0, 20.0), rng)
