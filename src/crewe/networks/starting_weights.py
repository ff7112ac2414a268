"""Weights to begin a training with: those of a network that has learnt something already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from crewe.errors import PlanError, ReadError
from crewe.networks.checkpoints import read_checkpoint
from crewe.networks.export import HALF
from crewe.networks.training_plan import is_path
from crewe.networks.zoo import path_of_network


def start_from(network: nn.Module, source: str) -> None:
    """Give a network the weights of another of the same shape.

    `source` is a checkpoint (.pt), a folder of a run, whose best weights are taken, an ONNX file
    that crewe has written, or the name of a shipped network. Batch normalisation is melted into
    the kernels of an ONNX file, so that a `UNet` starts from a run only. Raises PlanError when the
    networks differ in shape, and ReadError when the source cannot be read.
    """
    weights = _weights(weights_path(source))
    # The counter of a batch normalisation is no weight, and ONNX does not keep it.
    own = {name: one for name, one in network.state_dict().items() if one.ndim}
    differing = [name for name in own if _shape(weights.get(name)) != _shape(own[name])]
    if differing:
        raise PlanError(
            f"cannot start from {source}: it is another network ({len(differing)} of {len(own)} "
            f"weights do not fit, {differing[0]} the first): choose the same kind and size, and "
            "for a unet a run instead of an ONNX file"
        )
    network.load_state_dict({name: weights[name] for name in own}, strict=False)


def weights_path(source: str) -> Path:
    """Return the file that a source stands for.

    Raises PlanError for an unknown name and ReadError for a path to nothing.
    """
    path = Path(source) if is_path(source) or Path(source).is_dir() else path_of_network(source)
    path = path / "best.pt" if path.is_dir() else path
    if not path.is_file():
        raise ReadError(f"there is nothing to start from at {path}: give a run, or a network")
    return path


def _weights(path: Path) -> dict[str, Tensor]:
    if path.suffix == ".pt":
        contents: dict[str, Tensor] = read_checkpoint(path)["generator"]
        return contents
    return _weights_of_onnx(path)


def _weights_of_onnx(path: Path) -> dict[str, Tensor]:
    """Read the tensors of an ONNX file by their names, those stored as float16 too."""
    import onnx
    from onnx import numpy_helper

    try:
        graph = onnx.load(path).graph
    except Exception as error:  # protobuf's own errors share no class with the system's
        raise ReadError(f"{path} cannot be read as a network: {error}") from error
    tensors = graph.initializer
    return {one.name.removesuffix(HALF): _tensor(numpy_helper.to_array(one)) for one in tensors}


def _tensor(array: NDArray[Any]) -> Tensor:
    return torch.from_numpy(array.copy()).float()


def _shape(weights: Any) -> tuple[int, ...] | None:
    return None if weights is None else tuple(weights.shape)
