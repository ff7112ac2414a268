import numpy as np
from scipy.optimize import check_grad, minimize

from crewe.specimens.planar_network import flip_edges, triangular_rings
from crewe.specimens.planar_relaxation import _strain, relax, tutte_positions


def network_of(flips, seed=0):
    rings = triangular_rings(6, 6)
    flip_edges(rings, flips, np.random.default_rng(seed))
    return rings.network(), rings.periods * np.sqrt(3)


def test_tutte_puts_every_atom_amid_its_neighbours():
    network, periods = network_of(30)
    positions = tutte_positions(network, periods)
    ends = positions[network.neighbours] + network.neighbour_images * periods
    np.testing.assert_allclose(ends.mean(axis=1), positions, atol=2e-6)


def test_slope_of_the_strain_is_its_derivative():
    network, periods = network_of(20)
    shifts = network.neighbour_images * periods
    shape = (len(network.neighbours), 2)
    start = tutte_positions(network, periods)
    start += np.random.default_rng(0).normal(0, 0.1, shape)
    error = check_grad(
        lambda flat: _strain(flat.reshape(shape), network.neighbours, shifts)[0],
        lambda flat: _strain(flat.reshape(shape), network.neighbours, shifts)[1].ravel(),
        start.ravel(),
    )
    assert error < 1e-4


def test_graphene_has_no_strain_and_disorder_some():
    perfect, periods = network_of(0)
    relaxed = relax(tutte_positions(perfect, periods), perfect, periods, 1.0)
    np.testing.assert_allclose(perfect.bond_lengths(relaxed, periods), 1.0, atol=1e-4)
    network, periods = network_of(20)
    before = tutte_positions(network, periods)
    after = relax(before, network, periods, 1.0)
    shifts = network.neighbour_images * periods
    worse, better = (_strain(p, network.neighbours, shifts)[0] for p in (before, after))
    assert 0.01 < better < 0.5 * worse


def test_it_comes_to_where_a_library_comes():
    network, periods = network_of(25, seed=4)
    start = tutte_positions(network, periods)
    shifts = network.neighbour_images * periods
    best = minimize(
        lambda flat: [
            part if np.ndim(part) == 0 else part.ravel()
            for part in _strain(flat.reshape(start.shape), network.neighbours, shifts)
        ],
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
    ).fun
    relaxed = relax(start, network, periods, 1.0)
    assert _strain(relaxed, network.neighbours, shifts)[0] < 1.02 * best
