import json
import subprocess
import sys

import numpy as np
import pytest
from small_networks import matched_filter

from crewe import io
from crewe.cli.main import main

pytest.importorskip("onnxruntime")


@pytest.fixture
def model(folder):
    """A small network in the working folder."""
    matched_filter(folder / "smoothing.onnx", output="intensity", task="restoration")
    return "smoothing.onnx"


def restore(*arguments):
    return main(["restore", *arguments, "--threads", "1"])


def test_one_image(image, model, folder, capsys):
    assert restore("gold.tif", "--model", model) == 0
    assert io.read(folder / "gold_restored.tif").shape == (72, 84)
    assert io.read(folder / "gold_trust.tif").values.max() <= 1
    said = capsys.readouterr().err
    assert "gold.tif: the data support" in said
    assert "gold_restored.tif" in said
    assert restore("gold.tif", "--model", model) == 0
    assert "skipped" in capsys.readouterr().err


def test_one_bad_file_does_not_end_the_others(image, model, folder, capsys):
    (folder / "a.tif").write_bytes(b"")
    arguments = ["a.tif", "gold.tif", "--model", model, "-o", "out", "--json", "-q"]
    assert restore(*arguments) == 1
    said = capsys.readouterr()
    bad, good = (json.loads(line) for line in said.out.splitlines())
    assert bad["status"] == "failed"
    assert good["status"] == "done"
    assert good["output"] == "out/gold_restored.tif"
    assert 0 <= good["summary"]["trusted_share"] <= 1
    assert said.err.startswith("crewe: a.tif")
    assert (folder / "out" / "gold_restored.tif").exists()


def test_workers_do_the_same(image, model, folder, capsys):
    (folder / "two.tif").write_bytes(image.read_bytes())
    assert restore("*.tif", "--model", model, "-o", "here") == 0
    assert restore("*.tif", "--model", model, "-o", "there", "--workers", "2") == 0
    for name in ("gold", "two"):
        here, there = (io.read(folder / at / f"{name}_trust.tif") for at in ("here", "there"))
        np.testing.assert_array_equal(here.values, there.values)


def test_options_reach_the_plan(image, model, folder, capsys):
    options = ["--pixel-size", "0.05", "--format", ".hspy", "--no-trust", "--seed", "4"]
    assert restore("gold.tif", "--model", model, "--tile", "128", *options) == 0
    assert {path.name for path in folder.glob("gold_*")} == {
        "gold_restored.hspy",
        "gold_restored.png",
        "gold_restored.yaml",
    }
    assert "warning: pixels of 0.05 Å are finer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gold.tif", "--model", "hubble"], "no network 'hubble'"),
        ([], "no image given"),
        (["gold.tif", "--model", "smoothing.onnx", "--format", "bmp"], "format = 'bmp'"),
        (["gold.tif", "--model", "smoothing.onnx", "--tile", "16"], "choose tile_px"),
        (["gold.tif", "--model", "smoothing.onnx", "--pixel-size", "-2"], "greater than 0"),
        (["gold.tif", "--model", "smoothing.onnx", "--pixel-size", "9"], "too far"),
        (["gold.tif", "gold.npy", "--model", "smoothing.onnx"], "one by one"),
    ],
)
def test_mistakes_are_explained(image, model, arguments, words, capsys):
    assert restore(*arguments) in (1, 2)
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") <= 4


def test_a_damaged_network_is_told(image, model, folder, capsys):
    contents = (folder / model).read_bytes()
    (folder / model).write_bytes(contents[:-9])
    assert restore("gold.tif", "--model", model) == 1
    assert "damaged" in capsys.readouterr().err
    assert not list(folder.glob("gold_*"))


def test_without_onnxruntime_it_says_what_to_install(image, model, folder):
    program = (
        "import sys; sys.modules['onnxruntime'] = None\n"
        "from crewe.cli.main import main\n"
        "sys.exit(main(['restore', 'gold.tif', '--model', 'smoothing.onnx']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'crewe[cpu]'" in done.stderr
    assert done.stderr.count("\n") == 1
