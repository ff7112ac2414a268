import numpy as np
import pytest
from fields import detector_axes, gaussian_phase, moments_of

from crewe.errors import ImageError, PlanError
from crewe.sources import Scan
from crewe.stem4d.com import CentreOfMass
from crewe.stem4d.icom import IntegratedCentreOfMass, integrate

SHAPE, STEP = (48, 61), (0.2, 0.3)


def spectral_gradient(image, step):
    spectrum = np.fft.fft2(image)
    ky, kx = (np.fft.fftfreq(n, s) for n, s in zip(image.shape, step, strict=True))
    return np.stack(
        [np.fft.ifft2(2j * np.pi * k * spectrum).real for k in (ky[:, None], kx[None, :])]
    )


def smooth(shape, seed=0):
    """A periodic image of low frequencies and mean zero."""
    ky, kx = (np.fft.fftfreq(n) for n in shape)
    low = np.hypot(ky[:, None], kx) < 0.3
    image = np.fft.ifft2(np.fft.fft2(np.random.default_rng(seed).normal(size=shape)) * low).real
    return image - image.mean()


@pytest.mark.parametrize("shape", [(16, 16), (15, 22), (1, 9)])
def test_the_gradient_of_an_image_integrates_to_the_image(shape):
    image = smooth(shape)
    field = spectral_gradient(image, STEP)
    np.testing.assert_allclose(integrate(field, STEP), image, atol=1e-12)


def test_a_gaussian_phase_comes_back_in_rad_with_its_sign():
    phase, shift = gaussian_phase(SHAPE, STEP, (4.5, 9.0), 0.8)
    for boundary in ("periodic", "open"):
        image = 2 * np.pi * integrate(shift, STEP, boundary)
        np.testing.assert_allclose(image, phase - phase.mean(), atol=1e-6)
        assert image[22, 30] == pytest.approx(image.max(), rel=1e-6)


def test_what_is_no_gradient_leaves_no_image():
    stream = smooth(SHAPE)
    along_y, along_x = spectral_gradient(stream, STEP)
    np.testing.assert_allclose(integrate(np.stack([-along_x, along_y]), STEP), 0, atol=1e-12)


def test_no_other_image_fits_noise_better():
    field = np.random.default_rng(3).normal(size=(2, 15, 21))

    def misfit(image):
        return ((spectral_gradient(image, STEP) - field) ** 2).sum()

    best = integrate(field, STEP)
    for seed in range(5):
        assert misfit(best) < misfit(best + 1e-3 * smooth((15, 21), seed))


def test_open_edges_keep_a_ramp_and_periodic_ones_drop_it():
    y, x = np.arange(64) * STEP[0], np.arange(80) * STEP[1]
    ramp = 0.3 * y[:, None] - 0.7 * x
    field = np.stack([np.full((64, 80), 0.3), np.full((64, 80), -0.7)])
    np.testing.assert_allclose(integrate(field, STEP), 0, atol=1e-12)
    inside = (slice(8, -8), slice(8, -8))
    found = integrate(field, STEP, "open")[inside]
    difference = found - ramp[inside]
    assert np.ptp(difference) < 0.02 * np.ptp(ramp)


def test_images_undo_rotation_and_calibrate():
    phase, shift = gaussian_phase(SHAPE, STEP, (4.5, 9.0), 0.8)
    sampling = (0.02, 0.05)
    pixels = detector_axes(shift, 25.0, True) / np.reshape(sampling, (2, 1, 1))
    com = CentreOfMass(
        moments_of(pixels),
        scan=Scan(SHAPE, rotation_degrees=25.0, mirrored=True, step_angstrom=STEP),
        sampling_inverse_angstrom=sampling,
    )
    image = IntegratedCentreOfMass(com).images()["icom"]
    assert image.attrs["units"] == "rad"
    np.testing.assert_allclose(image.values, phase - phase.mean(), atol=1e-6)


def test_units_say_what_is_not_known():
    moments = moments_of(gaussian_phase(SHAPE, (1, 1), (20, 30), 5.0)[1])
    for step, sampling, units in [
        (None, None, "px·px"),
        (STEP, None, "px·Å"),
        (None, (0.1, 0.1), "1/Å·px"),
    ]:
        scan = Scan(SHAPE, step_angstrom=step)
        com = CentreOfMass(moments, scan=scan, sampling_inverse_angstrom=sampling)
        assert IntegratedCentreOfMass(com).images()["icom"].attrs["units"] == units


def test_positions_without_counts_take_no_part_but_show_a_value():
    _, shift = gaussian_phase(SHAPE, (1, 1), (20, 30), 5.0)
    counts = np.full(SHAPE, 10.0)
    counts[10, 10] = 0.0
    com = CentreOfMass(moments_of(shift, counts), scan=Scan(SHAPE), reference=(7.5, 5.5))
    image = IntegratedCentreOfMass(com, "open").images()["icom"].values
    assert np.isfinite(image).all()
    missing = shift.copy()
    missing[:, 10, 10] = 0
    np.testing.assert_allclose(image, integrate(missing, (1, 1), "open"), atol=1e-12)


def test_an_unknown_boundary_is_refused():
    com = CentreOfMass(moments_of(np.zeros((2, 4, 4))), scan=Scan((4, 4)))
    with pytest.raises(PlanError, match="boundary"):
        IntegratedCentreOfMass(com, "closed")
    with pytest.raises(PlanError, match="boundary"):
        integrate(np.zeros((2, 4, 4)), (1, 1), "closed")


@pytest.mark.parametrize("field", [np.zeros((4, 4)), np.full((2, 4, 4), np.nan)])
def test_what_is_no_field_is_refused(field):
    with pytest.raises(ImageError, match="field"):
        integrate(field, (1, 1))
