import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from crewe.errors import PlanError, ReadError  # noqa: E402
from crewe.networks.cgrdn import CGRDN, CGRDNSize  # noqa: E402
from crewe.networks.checkpoints import write_checkpoint  # noqa: E402
from crewe.networks.export import export_onnx  # noqa: E402
from crewe.networks.starting_weights import start_from  # noqa: E402

SIZE = CGRDNSize(channels=4, growth=2, convolutions=1, dense_blocks=1, groups=1)


def network(seed, size=SIZE):
    """A network as if trained: no two of its weights are equal."""
    rng = torch.Generator().manual_seed(seed)
    made = CGRDN(size, rng)
    for weights in made.parameters():
        weights.data += 0.1 * torch.randn(weights.shape, generator=rng)
    return made


def image():
    return torch.randn(1, 1, 16, 16, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("half", [False, True])
def test_a_network_starts_as_the_one_in_an_onnx_file(tmp_path, half):
    source, target = network(1), network(2)
    path = tmp_path / "one.onnx"
    export_onnx(source, path, half=half)
    start_from(target, str(path))
    with torch.no_grad():
        difference = (source(image()) - target(image())).abs().max()
    assert difference <= (2e-3 if half else 0.0)


def test_a_run_gives_its_best_weights(tmp_path):
    source, target = network(1), network(2)
    contents = {"generator": source.state_dict()}
    write_checkpoint(tmp_path / "best.pt", contents)
    start_from(target, str(tmp_path))
    for name, weights in source.state_dict().items():
        assert torch.equal(weights, target.state_dict()[name])


def test_another_network_is_refused_and_nothing_changed(tmp_path):
    write_checkpoint(tmp_path / "best.pt", {"generator": network(1).state_dict()})
    wider = network(2, CGRDNSize(channels=6, growth=2, convolutions=1, dense_blocks=1, groups=1))
    before = {name: weights.clone() for name, weights in wider.state_dict().items()}
    with pytest.raises(PlanError, match="another network"):
        start_from(wider, str(tmp_path / "best.pt"))
    assert all(torch.equal(before[name], one) for name, one in wider.state_dict().items())


def test_what_cannot_be_read_is_named(tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x08\x07 no network")
    with pytest.raises(ReadError, match=r"broken\.onnx"):
        start_from(network(1), str(broken))
    with pytest.raises(PlanError, match="there is no network 'hrsteam'"):
        start_from(network(1), "hrsteam")
