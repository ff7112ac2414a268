import json
import shutil

import pytest
from small_networks import matched_filter

from crewe.cli.main import main

pytest.importorskip("onnxruntime")


@pytest.fixture
def network(folder):
    (folder / "networks").mkdir()
    return str(matched_filter(folder / "networks" / "blobs.onnx"))


def names(folder):
    return {path.name for path in folder.iterdir()} - {"networks"}


def test_one_command_maps_and_lists(image, network, folder, capsys):
    assert main(["map-atoms", "gold.tif", "--model", network, "--json"]) == 0
    said = capsys.readouterr()
    answer = json.loads(said.out)
    assert answer["status"] == "done"
    assert answer["summary"]["columns"] == 30
    assert answer["summary"]["files"] == [
        "gold_blobs.tif",
        "gold_blobs.png",
        "gold_columns.csv",
        "gold_blobs.yaml",
    ]
    assert names(folder) == {"gold.tif", *answer["summary"]["files"]}
    assert "gold.tif: mapping atoms" in said.err
    assert "30 columns" in said.err


def test_many_images_and_one_that_is_none(image, network, folder, capsys):
    shutil.copy(image, folder / "a.tif")
    (folder / "b.tif").write_bytes(b"II*\0 not really a picture")
    command = ["map-atoms", "*.tif", "--model", network, "-o", "maps", "--no-fit", "-q", "--json"]
    assert main(command) == 1
    said = capsys.readouterr()
    statuses = [json.loads(line)["status"] for line in said.out.splitlines()]
    assert statuses == ["done", "failed", "done"]
    assert "1 of 3 images failed" in said.err
    assert len(names(folder / "maps")) == 8
    again = [word for word in command if word not in ("*.tif", "-q", "--json")]
    assert main([*again, "a.tif", "--threads", "1"]) == 0
    assert "skipped" in capsys.readouterr().err
    assert main(["map-atoms", "a.tif", "--model", network, "-o", "maps", "-q"]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main(["map-atoms", "a.tif", "--model", network, "-o", "maps", "-q", "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no image given"),
        (["gold.tif", "--model", "no-such-mask"], "no-such-mask"),
        (["gold.tif", "--model", "lost.onnx"], "lost"),
        (["gold.tif", "--sampling", "-1"], "sampling"),
        (["gold.tif", "--sampling", "5"], "resolve"),
        (["absent.tif"], "absent.tif"),
    ],
)
def test_bad_input_is_told_in_one_line(image, network, capsys, words, said):
    if words and "--model" not in words:
        words = [*words, "--model", network]
    assert main(["map-atoms", *words]) in (1, 2)
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("crewe: ")
    assert said in error
