import numpy as np
import pytest

torch = pytest.importorskip("torch")

from crewe.errors import ImageError  # noqa: E402
from crewe.networks import losses  # noqa: E402
from crewe.networks.loss_terms import TERMS  # noqa: E402

COMPARISONS = list(TERMS.values())


@pytest.fixture(autouse=True)
def _two_threads():
    torch.set_num_threads(2)


def images(seed: int, shape: tuple[int, ...] = (2, 1, 7, 9), dtype: type = float):
    """A restored and a true image, positive."""
    rng = np.random.default_rng(seed)
    return tuple(torch.tensor(rng.uniform(0.5, 4, shape).astype(dtype)) for _ in range(2))


def naive_whitening(image: np.ndarray, side: int, smallest: float) -> np.ndarray:
    result = np.empty_like(image)
    for y, x in np.ndindex(image.shape):
        top, left = max(0, y - side // 2), max(0, x - side // 2)
        window = image[top : y + (side + 1) // 2, left : x + (side + 1) // 2]
        result[y, x] = (image[y, x] - window.mean()) / max(smallest, window.std())
    return result


def naive_per_image(restored, truth, formula):
    pairs = zip(restored.numpy()[:, 0], truth.numpy()[:, 0], strict=True)
    return np.mean([formula(one, other) for one, other in pairs])


FORMULAS = {
    losses.l1: lambda r, t: np.abs(t - r).mean() / t.std(),
    losses.l2: lambda r, t: ((t - r) ** 2).mean() / t.std(),
    losses.log_error: lambda r, t: np.log(1 + 1e4 * ((t - r) ** 2).mean() / t.var()),
    losses.fourier: lambda r, t: (np.abs(np.fft.fft2(t - r)) ** 0.125).mean(),
    losses.mean_difference: lambda r, t: abs(t.mean() - r.mean()),
    losses.deviation_difference: lambda r, t: abs(t.std() - r.std()),
    losses.modified_chi_square: lambda r, t: sum(
        (r[p] - t[p]) ** 2 / (t[p] + t.max() / 10) / t.size for p in np.ndindex(t.shape)
    ),
    losses.multi_local_whitening: lambda r, t: np.mean(
        [
            np.abs(naive_whitening(t, side, 0.01) - naive_whitening(r, side, 0.01)).mean()
            for side in (2, 4, 8, 16)
        ]
    ),
}


@pytest.mark.parametrize("loss", FORMULAS)
def test_loss_is_the_printed_equation(loss):
    restored, truth = images(1)
    expected = naive_per_image(restored, truth, FORMULAS[loss])
    assert loss(restored, truth).item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("side", [1, 2, 3, 4, 16])
def test_local_whitening_against_a_loop(side):
    image, _ = images(2, (1, 1, 10, 12))
    image[0, 0, :6] = 2.0  # flat, where only the smallest contrast divides
    fast = losses.local_whitening(image, side, 0.3)[0, 0]
    np.testing.assert_allclose(fast, naive_whitening(image[0, 0].numpy(), side, 0.3), atol=1e-9)


def test_local_whitening_ignores_brightness_and_contrast():
    image, _ = images(3)
    white = losses.local_whitening(image, 4, 1e-3)
    torch.testing.assert_close(losses.local_whitening(7 * image + 100, 4, 1e-3), white)


def test_local_whitening_in_single_precision_on_a_high_offset():
    image, _ = images(4, (1, 1, 32, 32), np.float32)
    raised = losses.local_whitening(image + 1000, 8)
    exact = losses.local_whitening((image + 1000).double(), 8)
    assert (raised - exact).abs().max() < 1e-3


@pytest.mark.parametrize("loss", COMPARISONS)
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_equal_images_lose_nothing_and_gradients_stay_finite(loss, level):
    for truth in (images(5, dtype=np.float32)[0], torch.full((2, 1, 8, 8), level)):
        restored = truth.clone().requires_grad_()
        value = loss(restored, truth)
        value.backward()
        assert value.item() == 0
        assert torch.isfinite(restored.grad).all()


@pytest.mark.parametrize("loss", COMPARISONS)
@pytest.mark.parametrize("difference", [1e-30, 1e-8, 1e-4, 1e6])
def test_gradients_are_finite_near_and_far(loss, difference):
    noise, _ = images(6, dtype=np.float32)
    truth = torch.ones_like(noise)
    restored = (truth + difference * noise).requires_grad_()
    loss(restored, truth).backward()
    assert torch.isfinite(restored.grad).all()


@pytest.mark.parametrize("loss", COMPARISONS)
def test_gradient_is_the_slope(loss):
    restored, truth = images(7, (2, 1, 5, 6))
    assert torch.autograd.gradcheck(loss, (restored.requires_grad_(), truth))


@pytest.mark.parametrize("loss", COMPARISONS)
def test_batch_is_the_average_over_its_images(loss):
    restored, truth = images(8, (3, 1, 6, 6))
    alone = [loss(restored[i : i + 1], truth[i : i + 1]).item() for i in range(3)]
    assert loss(restored, truth).item() == pytest.approx(np.mean(alone))


@pytest.mark.parametrize(
    ("loss", "power"),
    [
        (losses.l1, 0),
        (losses.l2, 1),
        (losses.multi_local_whitening, 0),
        (losses.fourier, 0.125),
        (losses.mean_difference, 1),
        (losses.deviation_difference, 1),
        (losses.modified_chi_square, 1),
    ],
)
def test_power_of_the_intensity_scale(loss, power):
    restored, truth = images(9)
    scaled = loss(30 * restored, 30 * truth)
    assert scaled.item() == pytest.approx(30**power * loss(restored, truth).item())


def test_contrast_weight_counts_a_flat_image_as_the_smallest_contrast():
    truth = torch.full((1, 1, 4, 4), 3.0)
    assert losses.contrast_weight(truth, 0.02).item() == pytest.approx(50)
    assert losses.l1(truth + 0.1, truth, 0.02).item() == pytest.approx(5, rel=1e-5)


def test_fourier_loss_of_one_wrong_pixel_is_analytic():
    """All coefficients of a single pixel have the same modulus, its value."""
    truth = torch.zeros(1, 1, 8, 8, dtype=torch.double)
    for value in (5.0, 1e-2, 2.5e-3):
        restored = truth.clone()
        restored[0, 0, 3, 4] = value
        expected = value**0.125 if value >= 1e-2 else value**2 * 1e-2 ** (0.125 - 2)
        assert losses.fourier(restored, truth).item() == pytest.approx(expected)


def test_mean_and_deviation_ignore_where_the_pixels_lie():
    _, truth = images(10)
    moved = truth.flip(-1).roll(2, dims=-2)
    assert losses.mean_difference(moved, truth).item() == pytest.approx(0, abs=1e-12)
    assert losses.deviation_difference(moved, truth).item() == pytest.approx(0, abs=1e-12)
    assert losses.mean_difference(truth + 0.5, truth).item() == pytest.approx(0.5)


def test_chi_square_punishes_an_atom_in_the_background_more():
    truth = torch.zeros(1, 1, 8, 8)
    truth[0, 0, 2, 2] = 1
    invented, missed = truth.clone(), truth.clone()
    invented[0, 0, 6, 6] = 1
    missed[0, 0, 2, 2] = 0
    assert losses.modified_chi_square(invented, truth).item() == pytest.approx(10 / 64)
    assert losses.modified_chi_square(missed, truth).item() == pytest.approx(1 / 1.1 / 64)


def test_adversarial_losses_are_eqs_12_and_15():
    rng = np.random.default_rng(13)
    real, fake = rng.normal(size=(2, 3, 1, 4, 4))
    of_real = 1 / (1 + np.exp(-(real - fake.mean())))
    of_fake = 1 / (1 + np.exp(-(fake - real.mean())))
    generator = -np.log(1 - of_real).mean() - np.log(of_fake).mean()
    discriminator = -np.log(of_real).mean() - np.log(1 - of_fake).mean()
    judged = torch.tensor(real), torch.tensor(fake)
    assert losses.adversarial(*judged).item() == pytest.approx(generator)
    assert losses.discrimination(*judged).item() == pytest.approx(discriminator)
    assert losses.adversarial(*judged[::-1]).item() == pytest.approx(discriminator)


def test_adversarial_losses_of_an_undecided_judge():
    same = torch.full((2, 1, 3, 3), 4.0)
    for loss in (losses.adversarial, losses.discrimination):
        assert loss(same, same).item() == pytest.approx(2 * np.log(2))


@pytest.mark.parametrize("loss", [losses.adversarial, losses.discrimination])
@pytest.mark.parametrize("sure", [-1e4, 1e4])
def test_adversarial_losses_survive_a_judge_that_is_sure(loss, sure):
    real = torch.full((1, 1, 2, 2), sure, requires_grad=True)
    fake = torch.full((1, 1, 2, 2), -sure, requires_grad=True)
    value = loss(real, fake)
    value.backward()
    assert all(torch.isfinite(part).all() for part in (value, real.grad, fake.grad))


@pytest.mark.parametrize("loss", COMPARISONS)
def test_shapes_that_would_broadcast_are_refused(loss):
    with pytest.raises(ImageError, match=r"\(2, 1, 4, 4\)"):
        loss(torch.zeros(2, 1, 4, 4), torch.zeros(2, 4, 4))


def test_ten_decibels_count_the_same_in_a_good_and_in_a_poor_image():
    _, truth = images(3, (1, 1, 32, 32))
    error = 0.3 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(1)).double()
    steps = []
    for size in (1.0, 0.3):
        poor, good = (
            losses.log_error(truth + size * part * error, truth) for part in (1, 0.1**0.5)
        )
        steps.append(float(poor - good))
    assert steps == pytest.approx([np.log(10)] * 2, rel=0.06)
