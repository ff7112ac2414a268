import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from crewe.errors import ImageError, PlanError, ReadError
from crewe.networks.inference import OnnxNetwork, filled, run
from crewe.networks.tiles import TilePlan

PLAN = TilePlan(radius_px=8, blend_px=8, multiple_px=2, smallest_px=16)


def network(tiles):
    """Neither linear nor of zero mean, and looks 8 px far: what a network may be at its worst."""
    blurred = [ndimage.gaussian_filter(t, 1.5, mode="constant", radius=8) for t in tiles]
    return (np.tanh(np.stack(blurred)) + 0.3).astype(np.float32)


def counts(shape=(141, 97), seed=0):
    rng = np.random.default_rng(seed)
    return rng.poisson(20 + 10 * np.sin(np.arange(shape[-1]) / 3), shape).astype(np.float64)


@pytest.mark.parametrize("keep_mean", [False, True])
@pytest.mark.parametrize("factor", [2.0**20, 0.1, 3.7e-12, 1e20])
def test_result_follows_the_unit(factor, keep_mean):
    one = run(network, counts(), plan=PLAN, keep_mean=keep_mean)
    other = run(network, factor * counts(), plan=PLAN, keep_mean=keep_mean)
    np.testing.assert_allclose(other / factor, one, rtol=2e-6)


def test_power_of_two_scales_without_any_rounding():
    one, other = (run(network, image, plan=PLAN) for image in (counts(), 8 * counts()))
    np.testing.assert_array_equal(other, 8 * one)


def test_added_constant_is_added():
    one, other = (run(network, image, plan=PLAN) for image in (counts(), counts() + 1000))
    np.testing.assert_allclose(other - 1000, one, atol=3e-4)


def test_mean_is_kept_when_asked_for():
    image = counts()
    image[10:20, 30:50] = np.nan
    free, kept = (run(network, image, plan=PLAN, keep_mean=keep) for keep in (False, True))
    assert abs(np.nanmean(free, dtype=float) - np.nanmean(image)) > 0.5
    assert np.nanmean(kept, dtype=float) == pytest.approx(np.nanmean(image), rel=1e-6)
    assert np.nanstd(kept - free) < 1e-4


def test_tiled_is_whole():
    image = counts((211, 307))
    whole, tiled = (run(network, image, tile, 3, plan=PLAN) for tile in (512, 64))
    assert np.abs(tiled - whole).max() < 1e-5 * np.ptp(whole)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 2), (37, 41), (64, 1), (63, 129)])
def test_every_shape_comes_back(shape):
    result = run(network, counts(shape), 64, plan=PLAN)
    assert result.shape == shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()


def test_unmeasured_pixels_stay_so_and_trouble_their_surroundings_only():
    image = counts()
    hole = np.zeros(image.shape, dtype=bool)
    hole[30:50, 40:60] = hole[100, 3] = True
    image[hole] = np.nan
    image[100, 3] = np.inf
    result = run(network, image, plan=PLAN)
    np.testing.assert_array_equal(np.isnan(result), hole)
    far = ~ndimage.binary_dilation(hole, iterations=20)
    difference = np.abs(result - run(network, counts(), plan=PLAN))
    assert difference[far].max() < 0.05 * np.ptp(counts())


def test_holes_are_bridged_by_their_surroundings():
    ramp = np.add.outer(np.arange(80.0), np.zeros(60)).astype(np.float32)
    holed = ramp.copy()
    holed[20:23, 20:23] = holed[70:, 50:] = holed[40, 40] = np.nan
    result = filled(holed)
    assert result[40, 40] == pytest.approx(40, abs=1e-5)
    assert np.abs(result - ramp)[20:23, 20:23].max() < 1.5
    assert np.abs(result - ramp).max() < 10
    np.testing.assert_array_equal(result[~np.isnan(holed)], ramp[~np.isnan(holed)])
    lonely = np.full((50, 70), np.nan, dtype=np.float32)
    lonely[3, 4] = -2.5
    np.testing.assert_allclose(filled(lonely), -2.5, rtol=1e-6)


def test_stack_is_its_frames():
    stack = np.stack([counts(seed=seed) * (1 + seed) for seed in range(3)])
    stack[1] = np.nan
    result = run(network, stack, 64, plan=PLAN, keep_mean=True)
    assert np.isnan(result[1]).all()
    for frame in (0, 2):
        alone = run(network, stack[frame], 64, plan=PLAN, keep_mean=True)
        np.testing.assert_array_equal(result[frame], alone)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, ">f4", bool])
def test_types_of_pixels(dtype):
    image = counts().astype(dtype)
    expected = run(network, image.astype(np.float64), plan=PLAN)
    np.testing.assert_array_equal(run(network, image, plan=PLAN), expected)


def test_refusals():
    with pytest.raises(ImageError, match="complex128"):
        run(network, np.ones((9, 9), dtype=complex))
    with pytest.raises(ImageError, match="dims"):
        run(network, np.ones(9))
    with pytest.raises(ImageError, match="dims"):
        run(network, np.ones((0, 9)))
    with pytest.raises(PlanError, match="tile_px"):
        run(network, counts(), tile_px=40)


@pytest.fixture(scope="module")
def onnx_bytes():
    """A 3 × 3 blur as an ONNX file, made without torch."""
    pytest.importorskip("onnxruntime")
    return blur_file(("batch", 1, "y", "x"))


def blur_file(shape, name="image"):
    onnx = pytest.importorskip("onnx")
    ends = [
        onnx.helper.make_tensor_value_info(end, onnx.TensorProto.FLOAT, shape)
        for end in (name, "result")
    ]
    kernel = onnx.numpy_helper.from_array(np.full((1, 1, 3, 3), 1 / 9, np.float32), "kernel")
    node = onnx.helper.make_node("Conv", [name, "kernel"], ["result"], pads=[1, 1, 1, 1])
    graph = onnx.helper.make_graph([node], "blur", ends[:1], ends[1:], [kernel])
    opset = [onnx.helper.make_opsetid("", 18)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=9)
    model.metadata_props.add(key="name", value="blur")
    return model.SerializeToString()


def test_file_and_bytes_run_alike(onnx_bytes, tmp_path):
    (tmp_path / "blur.onnx").write_bytes(onnx_bytes)
    image = counts()
    plan = TilePlan(radius_px=1, blend_px=4)
    results = [
        run(OnnxNetwork(source, threads=1), image, tile, 2, plan=plan)
        for source, tile in ((onnx_bytes, 512), (tmp_path / "blur.onnx", 32))
    ]
    inner = (slice(1, -1), slice(1, -1))
    expected = ndimage.uniform_filter(image, 3)[inner]
    for result in results:
        np.testing.assert_allclose(result[inner], expected, rtol=1e-5)
    np.testing.assert_allclose(*results, rtol=1e-5)
    assert OnnxNetwork(onnx_bytes).metadata == {"name": "blur"}


def test_damaged_files_are_refused(onnx_bytes, tmp_path):
    for contents in (b"", b"junk", onnx_bytes[: len(onnx_bytes) // 2], b"\x80\x04N."):
        with pytest.raises(ReadError):
            OnnxNetwork(contents)
    (tmp_path / "junk.onnx").write_bytes(b"junk")
    with pytest.raises(ReadError, match=r"junk\.onnx.*fetch it again"):
        OnnxNetwork(tmp_path / "junk.onnx")
    with pytest.raises(ReadError, match=r"none\.onnx: No such file"):
        OnnxNetwork(tmp_path / "none.onnx")


@pytest.mark.parametrize(
    ("shape", "name"),
    [
        ((1, 1, "y", "x"), "image"),
        (("batch", 1, 64, "x"), "image"),
        (("batch", 1, "y"), "image"),
        (("batch", 1, "y", "x"), "other"),
    ],
)
def test_other_networks_are_refused(shape, name):
    pytest.importorskip("onnxruntime")
    with pytest.raises(ReadError):
        OnnxNetwork(blur_file(shape, name))


def test_without_onnxruntime_the_extras_are_named():
    code = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from crewe.errors import CreweError\n"
        "from crewe.networks.inference import OnnxNetwork\n"
        "try: OnnxNetwork(b'x')\n"
        "except CreweError as error: print(error, 'torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for extra in ("crewe[cpu]", "crewe[gpu]", "crewe[directml]"):
        assert extra in done.stdout
    assert done.stdout.strip().endswith("False")


@pytest.mark.parametrize("value", [0.0, 1e-9, -7.0])
def test_a_constant_image_is_its_own_result(value):
    """Whatever a network makes of nothing, an empty frame keeps its counts."""
    image = np.full((20, 24), value)
    image[3, 4] = np.nan

    def inventive(tiles):
        return tiles + 1

    found = run(inventive, image, keep_mean=True)
    np.testing.assert_array_equal(found, image.astype(np.float32))
    blank = run(inventive, image, mask=True)
    np.testing.assert_array_equal(blank, np.where(np.isnan(image), np.nan, 0))
