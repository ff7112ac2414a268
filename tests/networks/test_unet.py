import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from crewe.errors import RecipeError  # noqa: E402
from crewe.networks.unet import UNet, UNetSize  # noqa: E402

TINY = UNetSize(channels=4)


def seeded(seed: int) -> "torch.Generator":
    return torch.Generator().manual_seed(seed)


@pytest.fixture(autouse=True)
def _two_threads():
    torch.set_num_threads(2)


@pytest.fixture
def network():
    return UNet(TINY, seeded(1)).eval()


def test_number_of_parameters_is_that_of_the_reference_to_a_tenth_of_a_percent():
    total = sum(weights.numel() for weights in UNet().parameters())
    assert total == 1_740_865
    assert total == pytest.approx(1_742_533, rel=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (3, 6), (8, 8), (13, 18)])
def test_any_height_and_width_and_values_of_a_mask(network, shape):
    image = 50 * torch.randn(2, 1, *shape, generator=seeded(2))
    with torch.no_grad():
        mask = network(image)
    assert mask.shape == image.shape
    assert mask.min() >= 0
    assert mask.max() <= 1


def test_sigmoid_head_is_the_sigmoid_of_the_linear_one(network):
    linear = UNet(UNetSize(channels=4, head="linear")).eval()
    linear.load_state_dict(network.state_dict())
    image = torch.randn(1, 1, 12, 16, generator=seeded(3))
    with torch.no_grad():
        torch.testing.assert_close(torch.sigmoid(linear(image)), network(image))
        assert linear(image).min() < 0 or linear(image).max() > 1


def test_odd_image_is_the_larger_one_with_its_edge_repeated(network):
    image = torch.randn(1, 1, 9, 14, generator=seeded(4))
    larger = torch.from_numpy(np.pad(image.numpy(), [(0, 0)] * 2 + [(0, 3), (0, 2)], mode="edge"))
    with torch.no_grad():
        torch.testing.assert_close(network(image), network(larger)[..., :9, :14])


def test_each_image_of_a_batch_is_mapped_alone(network):
    images = torch.randn(3, 1, 16, 16, generator=seeded(5))
    with torch.no_grad():
        alone = torch.cat([network(image[None]) for image in images])
        torch.testing.assert_close(network(images), alone)


def test_enlargement_keeps_the_centre_of_a_symmetric_image(network):
    """A shift of half a pixel between levels would show as an asymmetric map."""
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            kernel = module.weight.data
            module.weight.data = (
                kernel + kernel.flip(-1) + kernel.flip(-2) + kernel.flip(-1, -2)
            ) / 4
    image = torch.randn(1, 1, 16, 24, generator=seeded(6))
    image = image + image.flip(-1)
    with torch.no_grad():
        mapped = network(image)
    assert mapped.std() > 0
    torch.testing.assert_close(mapped, mapped.flip(-1))


def test_same_seed_same_weights():
    first, second, other = (UNet(TINY, seeded(seed)).state_dict() for seed in (7, 7, 8))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_learns_to_mark_the_bright_pixels():
    made = UNet(UNetSize(channels=8), seeded(9))
    image = torch.rand(4, 1, 16, 16, generator=seeded(10))
    mask = (image > 0.7).float()
    adam = torch.optim.Adam(made.parameters(), lr=1e-2)
    for _ in range(160):
        adam.zero_grad()
        loss = (made(image) - mask).square().mean()
        loss.backward()
        adam.step()
    assert all(weights.grad.abs().sum() > 0 for weights in made.parameters())
    assert loss.item() < 0.2 * mask.var().item()


def test_export_with_free_batch_height_and_width_agrees(network, tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    free = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (torch.randn(2, 1, 16, 17, generator=seeded(11)),),
            tmp_path / "network.onnx",
            dynamo=True,
            verbose=False,
            dynamic_shapes={"image": {0: free, 2: free, 3: free}},
        )
    session = runtime.InferenceSession(tmp_path / "network.onnx")
    for shape in [(1, 1, 9, 20), (3, 1, 32, 32), (2, 1, 15, 7)]:
        image = torch.randn(*shape, generator=seeded(12))
        (exported,) = session.run(None, {session.get_inputs()[0].name: image.numpy()})
        np.testing.assert_allclose(exported, network(image).detach(), atol=1e-4)


def test_unknown_head_is_refused():
    with pytest.raises(RecipeError, match="head"):
        UNetSize.read({"head": "tanh"})
