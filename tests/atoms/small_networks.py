"""Networks of one convolution, whose answers are known, in crewe's format with cards."""

import hashlib

import numpy as np
import pytest

from crewe.networks.card import Card, write_card

SIZE, SIGMA_PX = 17, 2.2


def matched_filter(path, *, output="mask", task="atom map", pixels=(0.1, 0.3), gain=1.0):
    """A network that marks bright blobs about 2.2 px wide, and its card; the path comes back.

    As a mask: minus the Laplacian of a smoothed image, kept between 0 and 1. As an intensity: the
    smoothed image.
    """
    helper, onnx = pytest.importorskip("onnx.helper"), pytest.importorskip("onnx")
    kernel = helper.make_tensor("kernel", 1, (1, 1, SIZE, SIZE), (gain * _kernel(output)).ravel())
    padding = {"pads": [SIZE // 2] * 4}
    nodes = [helper.make_node("Conv", ["image", "kernel"], ["filtered"], **padding)]
    limits = [helper.make_tensor(name, 1, (), [at]) for name, at in (("low", 0.0), ("high", 1.0))]
    if output == "mask":
        nodes.append(helper.make_node("Clip", ["filtered", "low", "high"], ["result"]))
    else:
        nodes.append(helper.make_node("Identity", ["filtered"], ["result"]))
    ends = [
        helper.make_tensor_value_info(name, 1, ["batch", 1, "y", "x"])
        for name in ("image", "result")
    ]
    graph = helper.make_graph(nodes, "blobs", ends[:1], ends[1:], [kernel, *limits])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    write_card(_card(path, output, task, pixels), path.with_suffix(".yaml"), overwrite=True)
    return path


def _kernel(output):
    offsets = np.arange(SIZE) - SIZE // 2
    square = (offsets[:, None] ** 2 + offsets[None] ** 2) / SIGMA_PX**2
    gaussian = np.exp(-square / 2)
    if output == "intensity":
        return (gaussian / gaussian.sum()).astype(np.float32)
    laplacian = (2 - square) * gaussian
    laplacian -= laplacian.mean()
    # a blob of its own width and of the height of two deviations is answered by about one
    return (laplacian / np.sum(laplacian * gaussian) / 2).astype(np.float32)


def _card(path, output, task, pixels):
    figures = {"seed": 1, "count": 1, "psnr_db": 20.0, "ssim": 0.9}
    made = {"plan": "none", "steps": 0, "samples": 0, "hours": 0.0, "device": "none"}
    return Card.model_validate(
        {
            "name": path.stem,
            "task": task,
            "target": "gaussian_mask" if output == "mask" else "no_noise",
            "output": output,
            "description": "One convolution.",
            "recipe": "none",
            "pixel_size_angstrom": pixels,
            "radius_px": SIZE // 2,
            "parameters": SIZE**2,
            "training": made,
            "validation": figures,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
    )
