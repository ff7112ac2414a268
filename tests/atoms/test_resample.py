import numpy as np
import pytest

from crewe import axes
from crewe.atoms.resample import enlarged_like, resampled


def bump(shape, sampling, at=(7.3, 6.1), width=0.8, origin=(0.0, 0.0)):
    y, x = (np.arange(n) * s + o for n, s, o in zip(shape, sampling, origin, strict=True))
    values = np.exp(-((y[:, None] - at[0]) ** 2 + (x[None] - at[1]) ** 2) / (2 * width**2))
    image = axes.calibrated_image(values, sampling)
    return image.assign_coords(y=("y", y, image["y"].attrs), x=("x", x, image["x"].attrs))


def centre(image):
    total = float(image.sum())
    return [float((image * image[dim]).sum()) / total for dim in ("y", "x")]


@pytest.mark.parametrize("shape", [(150, 130), (41, 37), (60, 140), (75, 65)])
def test_what_is_where_stays_there(shape):
    image = bump((75, 65), (0.2, 0.2), origin=(-0.4, 0.3))
    there = resampled(image, shape)
    assert there.shape == shape
    np.testing.assert_allclose(centre(there), centre(image), atol=2e-3)
    assert float(there.mean()) == pytest.approx(float(image.mean()), rel=1e-2)


def test_the_field_is_the_same_edge_on_edge():
    image = bump((75, 65), (0.2, 0.25))
    there = resampled(image, (100, 50))
    for dim, length in (("y", 15.0), ("x", 16.25)):
        step = float(there[dim][1] - there[dim][0])
        assert there.sizes[dim] * step == pytest.approx(length)
        before = float(image[dim][0]) - 0.5 * float(image[dim][1] - image[dim][0])
        assert float(there[dim][0]) - 0.5 * step == pytest.approx(before)
        assert there[dim].attrs["units"] == "Å"


def test_finer_and_back_is_the_same_image():
    image = bump((75, 65), (0.2, 0.2))
    back = resampled(resampled(image, (150, 130)), (75, 65))
    # coming back smooths a little, as a larger pixel does
    assert float(abs(back - image).max()) < 0.03
    np.testing.assert_allclose(back["x"], image["x"], atol=1e-12)


def test_finer_values_are_those_of_the_function():
    image = bump((75, 65), (0.2, 0.2))
    fine = resampled(image, (150, 130))
    y, x = fine["y"].values, fine["x"].values
    truth = np.exp(-((y[:, None] - 7.3) ** 2 + (x[None] - 6.1) ** 2) / (2 * 0.8**2))
    assert np.abs(fine.values - truth).max() < 1e-3


def test_noise_beyond_the_new_pixels_does_not_fold_over():
    rng = np.random.default_rng(0)
    noise = axes.calibrated_image(rng.normal(size=(240, 240)), 0.1)
    coarse = resampled(noise, (60, 60))
    # a mean over 16 pixels has a quarter of the deviation; sampling alone would have all of it
    assert 0.1 < float(coarse.std()) < 0.3


def test_results_on_half_pixels_lie_over_their_image():
    image = bump((75, 65), (0.2, 0.2))
    twice = enlarged_like(image, np.zeros((150, 130)))
    np.testing.assert_allclose(twice["y"][:2], [-0.05, 0.05])
    np.testing.assert_allclose(
        twice["x"].values.reshape(-1, 2).mean(axis=1), image["x"].values, atol=1e-12
    )
