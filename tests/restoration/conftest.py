import pytest
from small_networks import matched_filter


@pytest.fixture(scope="session")
def smoothing(tmp_path_factory):
    """Path of a network that smooths with a Gaussian of 2.2 px, trained on 0.1 to 0.3 Å."""
    pytest.importorskip("onnxruntime")
    path = tmp_path_factory.mktemp("networks") / "smoothing.onnx"
    return matched_filter(path, output="intensity", task="restoration")
