import numpy as np
import pytest

torch = pytest.importorskip("torch")

from crewe.errors import ImageError  # noqa: E402
from crewe.networks.discriminator import (  # noqa: E402
    PATCH,
    PatchDiscriminator,
    relativistic_average,
    relativistic_logits,
)


def seeded(seed: int) -> "torch.Generator":
    return torch.Generator().manual_seed(seed)


@pytest.fixture(autouse=True)
def _two_threads():
    torch.set_num_threads(2)


@pytest.fixture
def judge():
    return PatchDiscriminator(channels=4, generator=seeded(1)).double()


def without_normalisation(judge):
    """Only the convolutions see a limited patch; a normalisation sees the whole image."""
    kept = [layer for layer in judge.layers if not isinstance(layer, torch.nn.InstanceNorm2d)]
    return torch.nn.Sequential(*kept)


@pytest.mark.parametrize("row", [0, 3, 7])
def test_each_value_sees_exactly_70_by_70_pixels_8_apart(judge, row):
    image = torch.randn(1, 1, 128, 128, dtype=torch.double, generator=seeded(2), requires_grad=True)
    values = without_normalisation(judge)(image)
    assert values.shape[-2:] == (8, 8)
    values[0, 0, row, 2].backward()
    seen = np.argwhere(image.grad[0, 0].numpy() != 0)
    assert PATCH == 70
    np.testing.assert_array_equal(seen.min(0), [8 * row, 16])
    np.testing.assert_array_equal(seen.max(0), [8 * row + 69, 16 + 69])
    assert len(seen) == 70 * 70


@pytest.mark.parametrize(("side", "patches"), [(70, 1), (77, 1), (78, 2), (256, 24)])
def test_number_of_patches(judge, side, patches):
    image = torch.randn(1, 1, side, 70, dtype=torch.double, generator=seeded(3))
    assert judge(image).shape == (1, 1, patches, 1)


def test_output_of_the_paper_s_training_image():
    with torch.device("meta"):
        assert PatchDiscriminator()(torch.empty(4, 1, 256, 256)).shape == (4, 1, 24, 24)


def test_nothing_is_padded(judge):
    """A constant image has no border to see: without padding, all values are the same."""
    values = without_normalisation(judge)(torch.ones(1, 1, 110, 102, dtype=torch.double))
    torch.testing.assert_close(values, values[..., :1, :1].expand_as(values))


def test_instance_normalisation_judges_each_image_alone(judge):
    images = torch.randn(3, 1, 80, 80, dtype=torch.double, generator=seeded(4))
    alone = torch.cat([judge(image[None]) for image in images])
    torch.testing.assert_close(judge(images), alone)
    kinds = [layer for layer in judge.layers if isinstance(layer, torch.nn.InstanceNorm2d)]
    assert [layer.num_features for layer in kinds] == [8, 16, 32]


def test_sees_the_distorted_image_beside_the_restored_one():
    judge = PatchDiscriminator(channels=2, images=2, generator=seeded(5))
    pair = torch.randn(1, 2, 72, 72, generator=seeded(6), requires_grad=True)
    judge(pair).sum().backward()
    assert (pair.grad.abs().sum(dim=(0, 2, 3)) > 0).all()


def test_image_smaller_than_a_patch_is_refused(judge):
    with pytest.raises(ImageError, match="69 x 90"):
        judge(torch.zeros(1, 1, 69, 90, dtype=torch.double))


def test_relativistic_average_is_eqs_2_and_3():
    rng = np.random.default_rng(7)
    real, fake = rng.normal(size=(3, 1, 4, 5)), rng.normal(size=(3, 1, 4, 5))
    of_real, of_fake = relativistic_average(torch.tensor(real), torch.tensor(fake))
    np.testing.assert_allclose(of_real, 1 / (1 + np.exp(-(real - fake.mean()))))
    np.testing.assert_allclose(of_fake, 1 / (1 + np.exp(-(fake - real.mean()))))


def test_only_differences_between_judgements_count():
    real = torch.randn(2, 1, 3, 3, dtype=torch.double, generator=seeded(8))
    fake = torch.randn(2, 1, 3, 3, dtype=torch.double, generator=seeded(9))
    for raised, plain in zip(
        relativistic_logits(real + 5, fake + 5), relativistic_logits(real, fake), strict=True
    ):
        torch.testing.assert_close(raised, plain)


def test_swapping_real_and_restored_swaps_the_probabilities():
    real = torch.randn(2, 1, 3, 3, generator=seeded(10))
    fake = torch.randn(2, 1, 3, 3, generator=seeded(11))
    assert all(
        torch.equal(one, other)
        for one, other in zip(
            relativistic_average(real, fake), relativistic_average(fake, real)[::-1], strict=True
        )
    )


def test_same_seed_same_weights():
    first, second = (PatchDiscriminator(2, generator=seeded(12)).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
