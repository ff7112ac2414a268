import numpy as np
import pytest

torch = pytest.importorskip("torch")

from crewe.errors import PlanError, RecipeError  # noqa: E402
from crewe.networks.export import compare, export_onnx  # noqa: E402
from crewe.networks.residual_unet import FAMILY, ResidualUNet, ResidualUNetSize  # noqa: E402

TINY = ResidualUNetSize(channels=4, levels=2, blocks=1, entering=3)


def seeded(seed: int) -> "torch.Generator":
    return torch.Generator().manual_seed(seed)


@pytest.fixture(autouse=True)
def _two_threads():
    torch.set_num_threads(2)


@pytest.fixture
def network():
    """A tiny network whose last layer is as strong as that of a trained one."""
    made = ResidualUNet(TINY, seeded(1))
    with torch.no_grad():
        made.last.weight *= 1e3
    return made.eval()


@pytest.mark.parametrize(("name", "expected"), [("small", 2_032_401), ("medium", 21_175_489)])
def test_number_of_parameters(name, expected):
    with torch.device("meta"):
        made = ResidualUNet(ResidualUNetSize.named(name))
    assert sum(weights.numel() for weights in made.parameters()) == expected


@pytest.mark.parametrize("name", ["small"])
def test_untrained_network_is_nearly_the_identity(name):
    image = 1 + torch.randn(1, 1, 32, 32, generator=seeded(2))
    with torch.no_grad():
        residual = ResidualUNet(ResidualUNetSize.named(name), seeded(3))(image) - image
    assert 0 < residual.std() < 0.02 * image.std()


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (7, 10), (9, 13), (2, 3)])
def test_any_height_and_width(network, shape):
    image = torch.randn(2, 1, *shape, generator=seeded(4))
    with torch.no_grad():
        assert network(image).shape == image.shape


def test_odd_image_is_the_larger_one_with_its_edge_repeated(network):
    image = torch.randn(1, 1, 9, 14, generator=seeded(4))
    larger = torch.from_numpy(np.pad(image.numpy(), [(0, 0)] * 2 + [(0, 3), (0, 2)], mode="edge"))
    with torch.no_grad():
        torch.testing.assert_close(network(image), network(larger)[..., :9, :14])


def test_an_image_moved_by_a_whole_step_is_restored_alike(network):
    """Inside, away from the zeros about the image, a shift by the coarsest pixel commutes."""
    image = torch.randn(1, 1, 72, 72, generator=seeded(5))
    with torch.no_grad():
        whole, moved = network(image), network(image[..., 4:, 8:])
    inner = (slice(None), slice(None), slice(24, 44), slice(24, 40))
    torch.testing.assert_close(moved[inner], whole[..., 28:48, 32:48])


def test_it_looks_as_far_as_its_coarsest_level(network):
    image = torch.zeros(1, 1, 64, 64, requires_grad=True)
    network(image + torch.randn(1, 1, 64, 64, generator=seeded(6)))[0, 0, 32, 32].backward()
    seen = np.flatnonzero(np.abs(image.grad[0, 0].numpy()).sum(axis=0))
    assert 16 < np.ptp(seen) < 64


def test_the_same_seed_gives_the_same_weights():
    one, other = (ResidualUNet(TINY, seeded(7)).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_its_onnx_file_gives_the_same(network, tmp_path):
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    export_onnx(network, tmp_path / "tiny.onnx")
    shapes = [(1, 16, 16), (3, 33, 50)]
    assert compare(network, tmp_path / "tiny.onnx", shapes, np.random.default_rng(1)) < 1e-4


def test_sizes_that_make_no_network_are_refused():
    with pytest.raises(PlanError, match="'huge'"):
        ResidualUNetSize.named("huge")
    with pytest.raises(RecipeError, match="levels"):
        ResidualUNetSize.read({"levels": 0})
    assert set(FAMILY) == {"small", "medium"}
