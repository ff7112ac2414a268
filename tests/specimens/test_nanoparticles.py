import numpy as np
import pytest
from scipy.spatial import cKDTree

from crewe.errors import SpecimenError
from crewe.specimens.nanoparticles import NANOPARTICLES, cuboctahedral_sites, nanoparticle
from crewe.specimens.particles import cuboctahedron


@pytest.mark.parametrize(("name", "total"), [("Pt", 561), ("Pt-Mo 5 %", 586), ("Pt-Mo 50 %", 561)])
def test_atoms_of_the_paper_are_counted(name, total):
    particle = nanoparticle(NANOPARTICLES[name], np.random.default_rng(0))
    numbers, counts = np.unique(particle.numbers, return_counts=True)
    assert len(particle) == total
    assert dict(zip(numbers.tolist(), counts.tolist(), strict=True)) == NANOPARTICLES[name]


def test_sites_of_a_closed_shell_are_the_cuboctahedron():
    sites = cuboctahedral_sites(561, 4.0)
    assert cuboctahedron(4.0, 5).inside(sites).all()
    assert not cuboctahedron(4.0, 4).inside(sites).all()
    assert len(np.unique(sites, axis=0)) == 561


@pytest.mark.parametrize("disorder", [0.0, 0.2, 0.6, 1.0])
def test_distances_stay_physical(disorder):
    for seed in range(3):
        particle = nanoparticle({78: 561}, np.random.default_rng(seed), disorder)
        nearest = cKDTree(particle.positions).query(particle.positions, k=2)[0][:, 1]
        assert nearest.min() >= 2.2
        assert nearest.max() < 3.3


def lattice_share(particle):
    """Share of the pairs up to 4.2 Å at √2 nearest-neighbour distances, which glasses avoid."""
    pairs = cKDTree(particle.positions).query_pairs(4.2, output_type="ndarray")
    gaps = np.linalg.norm(np.diff(particle.positions[pairs], axis=1)[:, 0], axis=1)
    return np.mean((gaps > 3.75) & (gaps < 4.1))


def test_order_falls_with_disorder():
    shares = [
        lattice_share(nanoparticle({78: 561}, np.random.default_rng(1), disorder))
        for disorder in (0.0, 0.5, 1.0)
    ]
    assert shares[0] > 0.3
    assert shares[0] > shares[1] > shares[2]
    assert shares[2] < 0.17


def test_orientation_and_mixing_are_drawn():
    rng = np.random.default_rng(2)
    one, two = (nanoparticle(NANOPARTICLES["Pt-Mo 50 %"], rng) for _ in range(2))
    assert (one.numbers != two.numbers).any()
    upright = nanoparticle({78: 13}, rng, rotation=np.eye(3))
    gaps = upright.positions - upright.positions.mean(axis=0)
    assert np.isclose(np.abs(gaps), 0, atol=1e-9).sum() == 15


def test_impossible_particles_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(SpecimenError, match="needs atoms"):
        nanoparticle({}, rng)
    with pytest.raises(SpecimenError, match="between 0 and 1"):
        nanoparticle({78: 13}, rng, 1.5)
    with pytest.raises(SpecimenError, match="does not fit"):
        nanoparticle({78: 561}, rng, box=(10.0, 10.0, 10.0))
