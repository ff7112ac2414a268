"""Turn a trained torch network into an ONNX file that runs without torch."""

from __future__ import annotations

import copy
import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.errors import CreweError, WriteError
from crewe.io.atomic import atomic_path
from crewe.networks.inference import INPUT_NAME, OUTPUT_NAME, OnnxNetwork

if TYPE_CHECKING:
    import torch

OPSET = 18
LARGEST_HALF = 65504.0
HALF = "_half"
"""Ends the names of the weights that are stored as float16."""


def export_onnx(
    module: torch.nn.Module,
    path: str | os.PathLike[str],
    opset: int = OPSET,
    half: bool = False,
    metadata: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write a network of (batch, 1, y, x) → same as an ONNX file with free batch, y and x.

    The module is exported as it acts in evaluation, from a copy on the CPU; it is left untouched.
    `half` stores kernels as float16, half the size; the file makes them float32 when it is
    loaded, so the sums run in float32. `metadata` (name, recipe, pixel-size range, checksum of
    the plan, …) becomes the file's text entries. The file appears whole or not at all. Raises
    CreweError when torch or onnx is missing, and WriteError when the file cannot be written, the
    opset is below 18 or a weight is no finite number or too large for float16.
    """
    if opset < OPSET:
        raise WriteError(f"opset {opset} is too old: choose {OPSET} or later")
    model = _translated(module, opset)
    _strip(model)
    _check_weights(model, half)
    if half:
        _store_half(model)
    for key, value in (metadata or {}).items():
        model.metadata_props.add(key=key, value=str(value))
    with atomic_path(path, overwrite) as temporary:
        temporary.write_bytes(model.SerializeToString())


def compare(
    module: torch.nn.Module,
    path: str | os.PathLike[str],
    shapes: Sequence[tuple[int, int, int]],
    rng: np.random.Generator,
) -> float:
    """Largest absolute difference of file and module on normal noise of (batch, y, x) `shapes`."""
    import torch

    network, original = OnnxNetwork(path, threads=1), _on_cpu(module)
    largest = 0.0
    for shape in shapes:
        tiles = rng.standard_normal(shape, dtype=np.float32)
        with torch.no_grad():
            expected = original(torch.from_numpy(tiles)[:, None])[:, 0].numpy()
        largest = max(largest, float(np.max(np.abs(network(tiles) - expected))))
    return largest


def _on_cpu(module: torch.nn.Module) -> torch.nn.Module:
    return copy.deepcopy(module).cpu().float().eval()


def _translated(module: torch.nn.Module, opset: int) -> Any:
    try:
        import onnxscript  # noqa: F401 (torch's exporter needs it)
        import torch
    except ImportError as error:
        raise CreweError("export needs torch, onnx and onnxscript: install crewe[train]") from error
    # It tells of each operator of torchvision, which nobody asked for, that it is missing.
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    free = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        # torch's exporter warns of its own use of what torch has deprecated.
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        program: Any = torch.onnx.export(
            _on_cpu(module),
            (torch.zeros(2, 1, 64, 96),),
            dynamo=True,
            opset_version=opset,
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            dynamic_shapes=({0: free, 2: free, 3: free},),
            verbose=False,
        )
    return program.model_proto


def _strip(model: Any) -> None:
    """Drop notes on the exporting source, which hold paths of the machine, and name free dims."""
    graph = model.graph
    for functions in (graph.node, graph.input, graph.output, graph.value_info, graph.initializer):
        for entry in functions:
            entry.doc_string = ""
            del entry.metadata_props[:]
    del graph.metadata_props[:]
    del model.metadata_props[:]
    del graph.value_info[:]
    for value in (graph.input[0], graph.output[0]):
        dims = value.type.tensor_type.shape.dim
        for axis, name in ((0, "batch"), (2, "y"), (3, "x")):
            dims[axis].dim_param = name


def _check_weights(model: Any, half: bool) -> None:
    from onnx import TensorProto, numpy_helper

    limit = LARGEST_HALF if half else np.inf
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        largest = float(np.max(np.abs(numpy_helper.to_array(tensor)), initial=0.0))
        if not (np.isfinite(largest) and largest <= limit):
            raise WriteError(
                f"weights {tensor.name} reach {largest:g}: train again, or export with half=False"
            )


def _store_half(model: Any) -> None:
    """Keep float32 kernels as float16 and cast them back at the head of the graph."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        name, weights = tensor.name, numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(weights.astype(np.float16), name + HALF))
        casts.append(helper.make_node("Cast", [name + HALF], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
