import numpy as np

from crewe.testing.diffraction import lattice_patterns, lattice_shifts

SHIFT, COUNTS = 1.5, 20000


def centres(patterns):
    total = patterns.sum(axis=(2, 3), dtype=float)
    ky, kx = (np.arange(n) - (n - 1) / 2 for n in patterns.shape[2:])
    y = (patterns * ky[:, None]).sum(axis=(2, 3)) / total
    x = (patterns * kx).sum(axis=(2, 3)) / total
    return np.stack([y, x]), total


def test_the_disk_follows_the_gradient_within_its_noise():
    patterns = lattice_patterns(
        (16, 24), (32, 40), COUNTS, np.random.default_rng(1), atoms_across=2, largest_shift_px=SHIFT
    )
    measured, total = centres(patterns)
    shifts = lattice_shifts((16, 24), 2, SHIFT)
    # A uniform disk of radius R has a variance of R²/4 along each axis.
    noise = (32 / 4) / 2 / np.sqrt(COUNTS)
    assert np.std(measured - shifts) < 1.3 * noise
    assert abs(np.mean(measured - shifts)) < 5 * noise / np.sqrt(measured.size)
    assert abs(total.mean() - COUNTS) < 5 * np.sqrt(COUNTS / total.size)


def test_the_disk_points_towards_the_atoms():
    """Atoms lie in the middle of each period: above one, the disk moves down."""
    shifts = lattice_shifts((16, 16), 1, SHIFT)
    assert shifts[0, 4, 0] == SHIFT
    assert shifts[1, 0, 12] == -SHIFT
    divergence = np.gradient(shifts[0], axis=0) + np.gradient(shifts[1], axis=1)
    assert np.unravel_index(divergence.argmin(), divergence.shape) == (8, 8)


def test_the_generator_decides():
    first, same, other = (
        lattice_patterns((2, 2), (8, 8), 10, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_the_first_rows_are_those_of_the_whole():
    whole, some = (
        lattice_patterns((8, 6), (16, 12), 50, np.random.default_rng(3), rows=rows)
        for rows in (None, 3)
    )
    np.testing.assert_array_equal(some, whole[:3])


def test_a_disk_that_leaves_the_detector_keeps_its_electrons():
    patterns = lattice_patterns((4, 16), (8, 8), 500, np.random.default_rng(0), radius_px=6)
    mean = patterns.sum(axis=(2, 3)).mean()
    assert abs(mean - 500) < 5 * np.sqrt(500 / 64)
