import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

from crewe.errors import WriteError  # noqa: E402
from crewe.networks.cgrdn import CGRDN, CGRDNSize  # noqa: E402
from crewe.networks.export import compare, export_onnx  # noqa: E402
from crewe.networks.inference import OnnxNetwork  # noqa: E402

SHAPES = [(1, 64, 96), (3, 40, 34), (1, 2, 130), (5, 32, 32)]


class Residual(torch.nn.Module):
    """Down, up and a skip, as restoring networks have."""

    def __init__(self, width=16):
        super().__init__()
        self.head = torch.nn.Conv2d(1, width, 3, padding=1)
        self.down = torch.nn.Conv2d(width, width, 4, stride=2, padding=1)
        self.up = torch.nn.ConvTranspose2d(width, width, 4, stride=2, padding=1)
        self.tail = torch.nn.Conv2d(2 * width, 1, 3, padding=1)
        self.drop = torch.nn.Dropout(0.5)

    def forward(self, image):
        found = torch.relu(self.head(image))
        deep = self.drop(self.up(torch.relu(self.down(found))))
        return image + self.tail(torch.cat([found, deep], dim=1))


@pytest.fixture
def module():
    torch.set_num_threads(1)
    torch.manual_seed(3)
    return Residual()


def rng():
    return np.random.default_rng(5)


def test_file_agrees_with_torch_for_every_size(module, tmp_path):
    export_onnx(module, tmp_path / "net.onnx")
    assert compare(module, tmp_path / "net.onnx", SHAPES, rng()) < 1e-4


def test_cgrdn_agrees_for_odd_sides_too(tmp_path):
    size = CGRDNSize(channels=6, growth=4, convolutions=2, dense_blocks=2, groups=2)
    module = CGRDN(size, torch.Generator().manual_seed(1))
    with torch.no_grad():
        module.last.weight *= 1e3
    export_onnx(module, tmp_path / "net.onnx")
    shapes = [*SHAPES, (1, 65, 97), (2, 33, 40), (1, 1, 1)]
    assert compare(module, tmp_path / "net.onnx", shapes, rng()) < 1e-4


def test_difference_is_seen(module, tmp_path):
    export_onnx(module, tmp_path / "net.onnx")
    with torch.no_grad():
        module.tail.bias += 0.25
    assert compare(module, tmp_path / "net.onnx", SHAPES, rng()) == pytest.approx(0.25, abs=1e-4)


def test_half_storage_is_half_as_large(tmp_path):
    torch.manual_seed(3)
    module = Residual(96)
    export_onnx(module, tmp_path / "full.onnx")
    export_onnx(module, tmp_path / "half.onnx", half=True)
    sizes = [(tmp_path / name).stat().st_size for name in ("half.onnx", "full.onnx")]
    assert sizes[0] < 0.51 * sizes[1]
    assert 0 < compare(module, tmp_path / "half.onnx", SHAPES, rng()) < 1e-2


def test_metadata_is_kept_and_nothing_else(module, tmp_path):
    notes = {"name": "hrstem", "pixel_size_range_angstrom": "[0.05, 0.4]", "plan_sha256": "0f" * 32}
    export_onnx(module, tmp_path / "net.onnx", metadata=notes)
    assert OnnxNetwork(tmp_path / "net.onnx").metadata == notes
    contents = (tmp_path / "net.onnx").read_bytes()
    assert b"test_export" not in contents
    assert b"stack_trace" not in contents


def test_module_is_left_as_it_was(module, tmp_path):
    module.train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    export_onnx(module, tmp_path / "net.onnx", half=True)
    assert module.training
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_refusals_leave_the_file_alone(module, tmp_path):
    path = tmp_path / "net.onnx"
    export_onnx(module, path)
    kept = path.read_bytes()
    with pytest.raises(WriteError, match="overwrite"):
        export_onnx(module, path)
    with pytest.raises(WriteError, match="opset 9"):
        export_onnx(module, path, opset=9, overwrite=True)
    with torch.no_grad():
        module.tail.weight[0, 0, 0, 0] = 1e5
    with pytest.raises(WriteError, match="half=False"):
        export_onnx(module, path, half=True, overwrite=True)
    with torch.no_grad():
        module.tail.weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(WriteError, match="train again"):
        export_onnx(module, path, overwrite=True)
    assert path.read_bytes() == kept
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.onnx"]
