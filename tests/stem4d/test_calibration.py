import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe.errors import CalibrationError, CreweError, ImageError
from crewe.physics.electron import wavelength_angstrom
from crewe.stem4d.calibration import BrightField, bright_field

FINE = 8


def disk(shape, centre, radius, inside=lambda ky, kx: 1.0, background=0.02):
    """A sharp disk averaged over the area of each pixel."""
    ky, kx = (
        ((np.arange(n * FINE) + 0.5) / FINE - 0.5 - c) for n, c in zip(shape, centre, strict=True)
    )
    fine = (np.hypot(ky[:, None], kx) < radius) * inside(ky[:, None], kx) + background
    return fine.reshape(shape[0], FINE, shape[1], FINE).mean(axis=(1, 3))


def near(found, centre, radius, tolerance):
    got = (found.centre_ky_px, found.centre_kx_px, found.radius_px)
    np.testing.assert_allclose(got, (*centre, radius), atol=tolerance)


@pytest.mark.parametrize(
    ("shape", "centre", "radius"),
    [
        ((64, 64), (31.3, 32.8), 12.6),
        ((128, 96), (60.0, 40.5), 30.25),
        ((256, 256), (99.7, 140.1), 6.4),
    ],
)
def test_a_disk_is_found_to_a_fraction_of_a_pixel(shape, centre, radius):
    near(bright_field(disk(shape, centre, radius)), centre, radius, 0.05)


def test_a_small_disk_is_found():
    near(bright_field(disk((32, 32), (15.2, 16.1), 3.5)), (15.2, 16.1), 3.5, 0.15)


def test_structure_within_the_disk_does_not_move_it():
    def uneven(ky, kx):
        return 1 + 0.4 * np.cos(0.4 * ky) * np.cos(0.3 * kx + 1) + 0.01 * kx

    centre = (62.4, 65.1)
    near(bright_field(disk((128, 128), centre, 28.3, uneven)), centre, 28.3, 0.15)


def test_hot_and_dead_pixels_do_not_matter():
    pattern = disk((64, 64), (30.2, 33.4), 14.8)
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, 64, (2, 20))
    pattern[rows, columns] = 1000.0
    rows, columns = rng.integers(0, 64, (2, 20))
    pattern[rows, columns] = 0.0
    near(bright_field(pattern), (30.2, 33.4), 14.8, 0.15)


@pytest.mark.parametrize("centre", [(8.0, 32.0), (55.5, 10.2), (32.0, 61.0)])
def test_a_disk_cut_by_the_edge_of_the_detector_is_found(centre):
    near(bright_field(disk((64, 64), centre, 18.5)), centre, 18.5, 0.15)


@pytest.mark.parametrize("electrons", [1000, 10_000, 1_000_000])
def test_counts_are_noisy(electrons):
    expected = disk((96, 96), (47.7, 50.2), 22.0, background=0.01)
    pattern = np.random.default_rng(1).poisson(electrons * expected / expected.sum())
    near(bright_field(pattern.astype(np.uint16)), (47.7, 50.2), 22.0, 0.1 + 40 / electrons**0.5)


def test_halo_around_the_disk_does_not_move_it():
    ky, kx = np.indices((128, 128))
    halo = 0.3 * np.exp(-np.hypot(ky - 60.5, kx - 66.2) / 40)
    near(bright_field(disk((128, 128), (60.5, 66.2), 20.4) + halo), (60.5, 66.2), 20.4, 0.1)


@given(
    st.floats(24, 40), st.floats(24, 40), st.floats(5, 20), st.floats(1e-6, 1e6), st.integers(0, 99)
)
@settings(max_examples=25, deadline=None)
def test_any_disk_in_any_unit(ky, kx, radius, scale, seed):
    noise = np.random.default_rng(seed).normal(0, 0.01, (64, 64))
    near(bright_field(scale * (disk((64, 64), (ky, kx), radius) + noise)), (ky, kx), radius, 0.1)


@pytest.mark.parametrize(
    "pattern",
    [
        np.zeros((64, 64)),
        np.full((64, 64), 7.0),
        np.random.default_rng(2).poisson(50.0, (64, 64)),
        np.random.default_rng(3).poisson(0.05, (64, 64)),
        np.full((64, 64), -1.0),
        np.full((64, 64), np.nan),
        np.zeros((3, 3)),
        np.zeros(64),
        np.arange(64 * 64.0).reshape(64, 64),
    ],
)
def test_a_pattern_without_a_disk_is_refused_with_advice(pattern):
    with pytest.raises(ImageError, match="give"):
        bright_field(pattern)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (np.zeros((9, 9)), "the mean pattern is zero; look"),
        (np.full((9, 9), 2.5), "the mean pattern is uniform; look"),
        (np.linspace(-8, -0.5, 81).reshape(9, 9), r"above zero \(-8 to -0.5\)"),
        (np.linspace(-8, 0, 81).reshape(9, 9), r"above zero \(-8 to 0\): was too much"),
    ],
)
def test_what_a_pattern_without_light_is_like_is_told(pattern, said):
    with pytest.raises(ImageError, match=said):
        bright_field(pattern)


@given(st.integers(0, 10**6), st.sampled_from(["normal", "pareto", "uniform"]))
@settings(max_examples=30, deadline=None)
def test_noise_never_breaks_it(seed, kind):
    rng = np.random.default_rng(seed)
    noise = {"normal": rng.normal, "uniform": rng.uniform}.get(kind)
    shape = tuple(rng.integers(4, 24, 2))
    values = rng.pareto(1.0, shape) if noise is None else noise(size=shape)
    try:
        found = bright_field(values)
    except CreweError:
        return
    assert np.isfinite([*found.centre, found.radius_px]).all()


def test_the_radius_calibrates_the_detector():
    found = BrightField(31.5, 31.5, 20.0)
    size = found.sampling_inverse_angstrom(200.0, 25.0)
    assert size[0] == pytest.approx(0.025 / wavelength_angstrom(200.0) / 20)
    with pytest.raises(CalibrationError, match="semi-angle"):
        found.sampling_inverse_angstrom(200.0, 0.0)
