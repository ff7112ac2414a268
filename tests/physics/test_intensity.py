import numpy as np
import pytest

from crewe.axes import calibrated_image, sampling
from crewe.errors import CalibrationError, ImageError
from crewe.physics.intensity import (
    detector_levels,
    dose_per_area,
    electrons_per_pixel,
    normalise_to_detector,
)


def test_vacuum_is_zero_and_the_full_beam_is_one():
    counts = np.array([[100, 1100], [600, 0]], dtype=np.uint16)
    image = calibrated_image(counts, 0.2, name="HAADF", attrs={"beam_energy_kev": 300})
    fraction = normalise_to_detector(image, 100, 1100)
    assert fraction.values.tolist() == [[0.0, 1.0], [0.5, -0.1]]
    assert fraction.attrs["units"] == "fraction of beam"
    assert fraction.attrs["beam_energy_kev"] == 300
    assert sampling(fraction) == sampling(image)
    assert fraction.name == "HAADF"
    assert "units" not in image.attrs


@pytest.mark.parametrize(("vacuum", "detector"), [(5, 5), (6, 5), (np.nan, 1), (0, np.inf)])
def test_levels_that_cannot_be_are_refused(vacuum, detector):
    with pytest.raises(CalibrationError, match="above vacuum"):
        normalise_to_detector(calibrated_image(np.ones((3, 3)), 1), vacuum, detector)


@pytest.mark.parametrize("size", [40, 512])
def test_detector_levels_find_the_truth_of_a_noisy_ring(size):
    rng = np.random.default_rng(7)
    y, x = np.indices((size, size)) - size / 2
    radius = np.hypot(y, x) / size
    ring = (radius > 0.15) & (radius < 0.4)
    noise = 2.0
    detector_map = 50 + 900.0 * ring + rng.normal(0, noise, ring.shape)
    vacuum, detector = detector_levels(detector_map)
    # The lowest pixels of noise lie below its mean, by less than three standard deviations.
    assert 50 - 3 * noise < vacuum < 50 + noise
    assert detector == pytest.approx(950, abs=5 * noise / np.sqrt(ring.sum()))


def test_a_hot_pixel_does_not_move_the_detector_level():
    detector_map = np.random.default_rng(7).normal(50, 2, (64, 64))
    detector_map[16:48, 16:48] += 900
    _, without = detector_levels(detector_map)
    detector_map[0, 0] = 60_000
    _, detector = detector_levels(detector_map)
    assert detector == pytest.approx(without + (60_000 - 950) / 1025, rel=1e-3)


def test_a_constant_map_has_no_levels():
    with pytest.raises(ImageError, match="constant"):
        detector_levels(np.ones((50, 50)))


def test_dose_of_one_picoampere_microsecond():
    # 1 pA is 6.241509e6 electrons per second.
    assert electrons_per_pixel(1, 1) == pytest.approx(6.241509074)
    assert electrons_per_pixel(30, 10) == pytest.approx(300 * 6.241509074)
    assert dose_per_area(1, 1, 0.5) == pytest.approx(4 * 6.241509074)
    assert dose_per_area(1, 1, (0.5, 0.25)) == pytest.approx(8 * 6.241509074)


@pytest.mark.parametrize("bad", [(0, 1), (1, -1), (np.nan, 1)])
def test_a_dose_needs_positive_quantities(bad):
    with pytest.raises(CalibrationError, match="positive"):
        electrons_per_pixel(*bad)
