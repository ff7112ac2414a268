from dataclasses import replace

import numpy as np
import pytest

from crewe.axes import calibrated_array, calibrated_image, sampling
from crewe.axes.arrays import Axis
from crewe.errors import ImageError, PlanError
from crewe.networks.zoo import open_network
from crewe.restoration import restore

pytest.importorskip("onnxruntime")


def counts(shape=(96, 80), seed=0, level=40.0):
    y, x = np.indices(shape)
    wave = 1.5 + np.cos(2 * np.pi * y / 16) * np.cos(2 * np.pi * x / 16)
    return np.random.default_rng(seed).poisson(level * wave).astype(np.float32)


def plain(image, model, **more):
    return restore(image, 0.2, model, trust=False, **more)


def test_arrays_come_back_as_arrays_with_their_mean(smoothing):
    restored = plain(counts().astype(np.uint16), smoothing)
    assert isinstance(restored.image, np.ndarray)
    assert restored.image.dtype == np.float32
    assert restored.image.mean(dtype=float) == pytest.approx(counts().mean(dtype=float), rel=1e-5)
    assert restored.image.std() < 0.8 * counts().std()
    assert restored.warnings == ()
    assert restored.trust is None
    assert np.isnan(restored.trusted_share)


@pytest.mark.parametrize("pixel", [0.2, 0.05, 0.6])
def test_c_times_the_image_is_c_times_the_result(smoothing, pixel):
    one, other = (restore(c * counts(), pixel, smoothing) for c in (1.0, 1e-7))
    np.testing.assert_allclose(1e7 * other.image, one.image, rtol=1e-4)
    np.testing.assert_allclose(other.trust, one.trust, atol=2e-3)


def test_calibration_and_attributes_are_kept(smoothing):
    image = calibrated_image(counts(), 0.15, name="HAADF", attrs={"beam_energy_kev": 300})
    restored = restore(image, model=smoothing)
    for result in (restored.image, restored.trust):
        assert result.dims == ("y", "x")
        assert sampling(result) == (0.15, 0.15)
        assert result.attrs["beam_energy_kev"] == 300
    assert restored.image.name == "HAADF"
    assert restored.trust.name == "trust"
    np.testing.assert_array_equal(restored.image.values, restore(counts(), 0.15, smoothing).image)


def test_stacks_are_restored_frame_by_frame(smoothing):
    stack = np.stack([counts(seed=n, level=10.0 * 4**n) for n in range(3)])
    told = []
    whole = restore(stack, 0.2, smoothing, observer=lambda *said: told.append(said))
    assert whole.image.shape == whole.trust.shape == stack.shape
    for frame, result in zip(stack, whole.image, strict=True):
        np.testing.assert_array_equal(result, plain(frame, smoothing).image)
    axes = (Axis("z", 1.0, 0.0, "s"), Axis("y", 0.2, 0, "Å"), Axis("x", 0.2, 0, "Å"))
    calibrated = restore(calibrated_array(stack, axes), model=smoothing, trust=False)
    np.testing.assert_array_equal(calibrated.image.values, whole.image)
    assert {stage for stage, _ in told} == {"restoring", "judging"}
    assert max(fraction for _, fraction in told) == 1.0


@pytest.mark.parametrize("pixel", [0.2, 0.05, 0.6])
def test_holes_stay_holes_and_the_rest_keeps_its_mean(smoothing, pixel):
    image = counts()
    image[10:20, 30:50], image[3, 4] = np.nan, np.inf
    restored = restore(image, pixel, smoothing)
    known = np.isfinite(image)
    np.testing.assert_array_equal(np.isfinite(restored.image), known)
    np.testing.assert_array_equal(np.isfinite(restored.trust), known)
    mean = restored.image[known].mean(dtype=float)
    assert mean == pytest.approx(image[known].mean(dtype=float), rel=1e-5)
    nothing = restore(np.full((40, 40), np.nan), pixel, smoothing)
    assert np.isnan(nothing.image).all()
    assert np.isnan(nothing.trusted_share)


def test_finer_pixels_are_restored_as_coarser_ones(smoothing):
    fine = counts((120, 96))
    blocks = fine.reshape(60, 2, 48, 2).mean(axis=(1, 3))
    restored = restore(fine, 0.06, smoothing, trust=False)
    expected = plain(blocks, smoothing).image
    ours = restored.image.reshape(60, 2, 48, 2).mean(axis=(1, 3))
    # A spline through the block means, not over them, averages a little lower at peaks.
    assert np.abs(ours - expected).max() < 0.03 * np.ptp(expected)
    (warning,) = restored.warnings
    assert "finer" in warning
    assert "0.12 Å" in warning


def test_unknown_pixel_size_is_warned_of(smoothing):
    for image in (counts(), calibrated_image(counts(), 1.0, "px")):
        (warning,) = restore(image, model=smoothing, trust=False).warnings
        assert "pixel size is not known" in warning


def test_what_is_unlike_the_training_is_warned_of(smoothing):
    network = open_network(smoothing)
    likeness = {"noise_share": (0.0, 0.5), "outliers": (0.0, 0.05)}
    taught = replace(network, card=network.card.model_copy(update={"likeness": likeness}))
    assert plain(counts(), taught).warnings == ()
    noise = np.random.default_rng(0).standard_normal((2, 64, 64))
    (warning,) = plain(noise, taught).warnings
    assert warning.startswith("unlike the images that the network was trained on: it is noisier")
    assert warning.endswith("in 2 of 2 frames")


def test_the_same_seed_gives_the_same_trust(smoothing):
    one, same, other = (restore(counts(), 0.2, smoothing, seed=seed).trust for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0


@pytest.mark.parametrize("shape", [(1, 1), (3, 70), (8, 8), (33, 31), (1, 5, 5)])
def test_tiny_images_come_back(smoothing, shape):
    restored = restore(np.ones(shape) + np.arange(shape[-1]), 0.2, smoothing)
    assert restored.image.shape == restored.trust.shape == shape
    assert np.isfinite(restored.trust).all()


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((4, 4, 4, 4)), "shape"),
        (np.zeros((0, 5)), "shape"),
        (np.zeros((40, 40, 3)), "RGB"),
        (np.zeros((40, 40), complex), "type"),
    ],
)
def test_what_is_no_image_is_refused(smoothing, image, words):
    with pytest.raises(ImageError, match=words):
        restore(image, 0.2, smoothing)


def test_dims_tell_a_stack_of_narrow_images_from_colours(smoothing):
    stack = np.stack([counts((40, 3), seed) for seed in range(2)])
    axes = (Axis("frame", 1.0, 0.0, "1"), Axis("y", 0.2, 0, "Å"), Axis("x", 0.2, 0, "Å"))
    restored = restore(calibrated_array(stack, axes), model=smoothing, trust=False)
    np.testing.assert_array_equal(restored.image.values[1], plain(stack[1], smoothing).image)


def test_trust_has_no_unit(smoothing):
    image = calibrated_image(counts(), 0.2, attrs={"units": "e", "beam_energy_kev": 300})
    restored = restore(image, model=smoothing)
    assert restored.image.attrs["units"] == "e"
    assert restored.trust.attrs == {"beam_energy_kev": 300}
    assert image.attrs["units"] == "e"


@pytest.mark.parametrize("pixel", [0.2, 0.06])
@pytest.mark.parametrize("offset", [1e5, -1e6])
def test_a_large_constant_costs_no_contrast(smoothing, pixel, offset):
    plainly, raised = (restore(counts().astype(float) + c, pixel, smoothing) for c in (0.0, offset))
    # What float32 rounds a result to.
    np.testing.assert_allclose(raised.image - offset, plainly.image, atol=1e-7 * abs(offset))
    np.testing.assert_allclose(raised.trust, plainly.trust, atol=1e-3)


def test_a_constant_frame_comes_back_as_it_is(smoothing):
    stack = np.stack([counts(), np.full((96, 80), 7.3, np.float32)])
    stack[1, :4] = np.nan
    restored = restore(stack, 0.2, smoothing)
    np.testing.assert_array_equal(restored.image[1], stack[1])
    np.testing.assert_array_equal(restored.trust[1], np.where(np.isnan(stack[1]), np.nan, 0.5))
    np.testing.assert_array_equal(restored.image[0], plain(counts(), smoothing).image)
    (warning,) = restored.warnings
    assert "all pixels are equal" in warning
    assert plain(np.zeros((32, 32), bool), smoothing).trust is None


def test_pixels_that_are_not_square_are_told(smoothing):
    restored = restore(calibrated_image(counts(), (0.2, 0.24)), model=smoothing, trust=False)
    (warning,) = restored.warnings
    assert "0.2 × 0.24 Å" in warning
    assert sampling(restored.image) == pytest.approx((0.2, 0.24))
    long = calibrated_image(counts(), (0.1, 0.2))
    with pytest.raises(PlanError, match="resample"):
        restore(long, model=smoothing)
    assert restore(long, 0.2, smoothing, trust=False).warnings == ()


def test_wrong_order_of_axes_is_refused(smoothing):
    image = calibrated_image(counts(), 0.2).transpose("x", "y")
    with pytest.raises(ImageError, match="transpose"):
        restore(image, model=smoothing)


def test_networks_for_other_tasks_are_refused(tmp_path):
    from small_networks import matched_filter

    with pytest.raises(PlanError, match="gaussian_mask"):
        restore(counts(), 0.2, matched_filter(tmp_path / "blobs.onnx"))


def test_unknown_networks_are_refused():
    with pytest.raises(PlanError, match="no network 'hubble'"):
        restore(counts(), 0.2, "hubble")
