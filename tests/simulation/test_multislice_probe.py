import numpy as np
import pytest

from crewe.physics.optics import Optics, probe
from crewe.simulation.multislice_probe import (
    RIM_ANGSTROM,
    faded_probes,
    spread_tails,
    tail_kernel,
)
from crewe.simulation.multislice_scan import ScanAxis

LENS = Optics(200, 24.5, 60.0, 0.001, c12_angstrom=20, phi12_deg=25, c21_angstrom=300)


def test_within_its_rim_a_faded_probe_is_the_whole_one():
    step = 0.1
    whole = probe(LENS, (600, 600), step)
    y, x = 5.2, 4.3
    found = faded_probes(LENS, (np.array([y]), np.array([x])), (100, 120), (10.0, 12.0))[0, 0].T
    rows, columns = 300 - round(y / step), 300 - round(x / step)
    expected = whole[rows : rows + 120, columns : columns + 100]
    inner = (slice(11, -11), slice(11, -11))
    assert np.abs(found - expected)[inner].max() < 1e-4 * np.abs(expected).max()
    assert np.abs(found[:, 0]).max() < 1e-6
    assert 0.9 < np.sum(np.abs(found) ** 2) < 1


def test_what_a_window_leaves_out_shrinks_as_the_tails_of_an_airy_disk_do():
    lens = Optics(200, 24.5)
    missing = []
    for length in (6.0, 12.0):
        middle = np.array([length / 2])
        points = (round(length / 0.1),) * 2
        found = faded_probes(lens, (middle, middle), points, (length, length))
        missing.append(1 - np.sum(np.abs(found) ** 2))
    # 2 / πx lies beyond x = 2πkR, here beyond the middle of the rim of a square (0.9 is the mean
    # of 1/R along it); beyond 30 Å the probe's own field ends.
    outside = 0.9 / (np.array([3.0, 6.0]) - 0.5 * RIM_ANGSTROM) - 1 / 30
    airy = outside / (np.pi**2 * lens.cutoff)
    assert np.array(missing) == pytest.approx(airy, rel=0.15)


def test_the_kernel_holds_what_a_window_leaves_out():
    lens, length = Optics(200, 24.5), 8.0
    middle = np.array([length / 2])
    inside = np.sum(np.abs(faded_probes(lens, (middle, middle), (80, 80), (length, length))) ** 2)
    kernel = tail_kernel(lens, (length, length), (0.2, 0.25))
    assert kernel.shape == (201, 161)
    # Beyond 20 Å lies half a percent of the probe.
    assert kernel.sum() * 0.2 * 0.25 == pytest.approx(1 - inside, abs=7e-3)
    centre = kernel[95:106, 75:86]
    assert centre.max() < 1e-12
    assert length / 2 - RIM_ANGSTROM > 5 * 0.25


@pytest.mark.parametrize("periodic", [True, False])
def test_tails_complete_the_beam_and_meet_what_lies_around(periodic):
    axes = ScanAxis(0.0, 0.5, 15, periodic), ScanAxis(0.0, 0.4, 11, periodic)
    rng = np.random.default_rng(3)
    inside = 0.95 + 0.04 * rng.random((15, 11))
    kernel = rng.random((7, 5))
    share = rng.random((1, 2, 15, 11))
    share /= share.sum(axis=1, keepdims=True)
    samples = inside * share
    found = spread_tails(samples, inside, kernel, axes)
    assert found.sum(axis=1) == pytest.approx(np.ones((1, 15, 11)))
    weights, total = kernel / kernel.sum(), 0.0
    for dy in range(-3, 4):
        for dx in range(-2, 3):
            row, column = 1 + dy, 9 + dx
            if periodic:
                row, column = row % 15, column % 11
            row, column = np.clip(row, 0, 14), np.clip(column, 0, 10)
            total += weights[dy + 3, dx + 2] * share[0, 1, row, column]
    expected = samples[0, 1, 1, 9] + (1 - inside[1, 9]) * total
    assert found[0, 1, 1, 9] == pytest.approx(expected)
