import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from crewe.errors import PlanError, RecipeError  # noqa: E402
from crewe.networks.cgrdn import CGRDN, FAMILY, CGRDNSize, mirror_to_multiple  # noqa: E402

TINY = CGRDNSize(channels=6, growth=4, convolutions=2, dense_blocks=2, groups=2)


def seeded(seed: int) -> "torch.Generator":
    return torch.Generator().manual_seed(seed)


@pytest.fixture(autouse=True)
def _two_threads():
    torch.set_num_threads(2)


@pytest.fixture
def network():
    """A tiny network whose last layer is as strong as that of a trained one."""
    made = CGRDN(TINY, seeded(1))
    with torch.no_grad():
        made.last.weight *= 1e3
    return made.eval()


@pytest.mark.parametrize(
    ("name", "expected"), [("small", 364_673), ("medium", 1_446_961), ("paper", 7_035_521)]
)
def test_number_of_parameters(name, expected):
    with torch.device("meta"):
        made = CGRDN(CGRDNSize.named(name))
    assert sum(weights.numel() for weights in made.parameters()) == expected


def test_paper_s_7_04_million_and_its_20_000_above_the_cascade():
    made = CGRDN(CGRDNSize())
    total = sum(weights.numel() for weights in made.parameters())
    fusion = sum(weights.numel() for weights in made.groups.fusion.parameters())
    assert total == pytest.approx(7.04e6, rel=0.005)
    assert round((total - fusion) / 1e6, 2) == 7.02


@pytest.mark.parametrize("name", FAMILY)
def test_untrained_network_is_nearly_the_identity(name):
    image = 1 + torch.randn(1, 1, 32, 32, generator=seeded(2))
    with torch.no_grad():
        residual = CGRDN(CGRDNSize.named(name), seeded(3))(image) - image
    assert 0 < residual.std() < 0.01 * image.std()


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (7, 10), (9, 13), (2, 3)])
def test_any_height_and_width(network, shape):
    image = torch.randn(2, 1, *shape, generator=seeded(4))
    with torch.no_grad():
        assert network(image).shape == image.shape


def test_odd_image_is_the_even_one_with_its_edge_repeated(network):
    odd = torch.randn(1, 1, 9, 11, generator=seeded(5))
    even = torch.cat([odd, odd[..., -1:, :]], dim=-2)
    even = torch.cat([even, even[..., -1:]], dim=-1)
    with torch.no_grad():
        torch.testing.assert_close(network(odd), network(even)[..., :9, :11])


@pytest.mark.parametrize("multiple", [2, 4])
@pytest.mark.parametrize("side", [1, 4, 5, 7, 8])
def test_padding_reaches_the_next_multiple_and_no_further(side, multiple):
    image = torch.arange(side * 3.0).reshape(1, 1, side, 3)
    padded = mirror_to_multiple(image, multiple).numpy()[0, 0]
    wanted = [(-length) % multiple for length in (side, 3)]
    expected = np.pad(image.numpy()[0, 0], [(0, extra) for extra in wanted], mode="edge")
    np.testing.assert_array_equal(padded, expected)


def test_shift_by_two_pixels_shifts_the_result_away_from_the_borders(network):
    image = torch.randn(1, 1, 96, 96, generator=seeded(6))
    with torch.no_grad():
        here, there = network(image), network(image.roll((2, 4), (2, 3)))
    inside = slice(40, 56)
    expected = here.roll((2, 4), (2, 3))[..., inside, inside]
    torch.testing.assert_close(there[..., inside, inside], expected, rtol=0, atol=1e-5)


def test_same_seed_same_weights_whatever_torch_drew_before():
    first = CGRDN(TINY, seeded(7)).state_dict()
    torch.rand(3)
    second = CGRDN(TINY, seeded(7)).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["last.weight"], CGRDN(TINY, seeded(8)).state_dict()["last.weight"])


def test_every_weight_learns(network):
    image = torch.randn(2, 1, 16, 16, generator=seeded(9))
    network(image).square().sum().backward()
    assert all(weights.grad.abs().sum() > 0 for weights in network.parameters())


def test_learns_to_remove_an_offset():
    made = CGRDN(TINY, seeded(10))
    image = torch.rand(4, 1, 16, 16, generator=seeded(11))
    adam = torch.optim.Adam(made.parameters(), lr=3e-3)
    for _ in range(60):
        adam.zero_grad()
        loss = (made(image + 0.5) - image).square().mean()
        loss.backward()
        adam.step()
    assert loss.item() < 0.1 * 0.25


def test_export_with_free_batch_height_and_width_agrees(network, tmp_path):
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    free = torch.export.Dim.DYNAMIC
    example = torch.randn(2, 1, 16, 17, generator=seeded(12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (example,),
            tmp_path / "network.onnx",
            dynamo=True,
            verbose=False,
            dynamic_shapes={"image": {0: free, 2: free, 3: free}},
        )
    session = runtime.InferenceSession(tmp_path / "network.onnx")
    for shape in [(1, 1, 9, 20), (3, 1, 32, 32), (2, 1, 15, 7)]:
        image = torch.randn(*shape, generator=seeded(13))
        (exported,) = session.run(None, {session.get_inputs()[0].name: image.numpy()})
        np.testing.assert_allclose(exported, network(image).detach(), atol=1e-4)


def test_unknown_member_names_those_there_are():
    with pytest.raises(PlanError, match="small, medium, paper"):
        CGRDNSize.named("huge")


def test_impossible_size_is_refused():
    with pytest.raises(RecipeError, match="growth"):
        CGRDNSize.read({"growth": 0})
