import numpy as np
import pytest
from fuse_data import measured

from crewe.axes import calibrated_image, sampling
from crewe.chemistry.registration import shifted
from crewe.errors import CalibrationError
from crewe.workflows import fuse_haadf
from crewe.workflows.fuse_haadf import ElasticImages


@pytest.fixture(scope="module")
def made():
    return measured(64, snr=8.0)


def elastic(haadf, made, aligned):
    asked = []

    def maps_of(frame, window):
        asked.append((frame, window))
        return made.maps[:, window[0], window[1]]

    grid = made.maps.isel(element=0, drop=True)
    return ElasticImages(haadf, grid, maps_of, aligned), asked


def test_an_image_that_lies_right_is_not_touched(made):
    images, asked = elastic(made.haadf, made, True)
    np.testing.assert_allclose(images.frame(0).values, made.haadf.values)
    assert images.registrations[0].trusted
    assert images.frame(0) is images.frame(0)
    assert len(asked) == 1


def test_an_image_that_lies_off_is_laid_on_the_maps(made):
    off = shifted(made.haadf, (2.3, -1.6))
    laid = elastic(off, made, True)[0].frame(0).values
    inside = (slice(6, -6), slice(6, -6))
    error = np.abs(laid - made.haadf.values)[inside].mean()
    assert error < 0.3 * np.abs(off.values - made.haadf.values)[inside].mean()
    np.testing.assert_allclose(elastic(off, made, False)[0].frame(0).values, off.values, rtol=1e-6)


def test_finer_pixels_are_averaged(made):
    finer = calibrated_image(np.repeat(np.repeat(made.haadf.values, 2, 0), 2, 1), 0.213 / 2)
    image = elastic(finer, made, False)[0].frame(0)
    np.testing.assert_allclose(image.values, made.haadf.values, rtol=1e-5)
    assert sampling(image) == pytest.approx((0.213, 0.213))
    assert image.dtype == np.float32
    uncalibrated = calibrated_image(finer.values, 1, "px")
    with pytest.raises(CalibrationError, match="pixel size"):
        elastic(uncalibrated, made, False)[0].frame(0)


def test_of_a_large_frame_the_brightest_part_is_registered(made, monkeypatch):
    monkeypatch.setattr(fuse_haadf, "REGISTERED_PX", 40)
    images, asked = elastic(made.haadf, made, True)
    images.frame(0)
    ((frame, (rows, columns)),) = asked
    assert frame == 0
    assert rows.stop - rows.start == columns.stop - columns.start == 40
    assert 4 <= rows.start <= 20


def test_noise_is_no_reason_to_move_anything(made):
    noise = made.haadf.copy(data=np.random.default_rng(3).normal(100, 10, made.haadf.shape))
    images, _ = elastic(noise, made, True)
    np.testing.assert_allclose(images.frame(0).values, noise.values, rtol=1e-6)
    assert not images.registrations[0].trusted
