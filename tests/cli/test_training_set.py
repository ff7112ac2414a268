import contextlib
import csv
import dataclasses
import importlib
import io as text_io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from crewe.cli.main import main
from crewe.training_sets.folder import read_description, write_metadata
from crewe.training_sets.making import make_sample
from crewe.training_sets.recipe import load_recipe
from crewe.training_sets.store import open_training_set
from crewe.workflows.training_set import TrainingSetPlan, make_training_set

sys.path.append(str(Path(__file__).parents[1] / "training_sets"))
blobs = importlib.import_module("blob_maker")

SHIPPED = "atom-maps"
COMMANDS = ["make", "list", "recipe", "find", "preview", "export", "check"]


def run(*words):
    return main(["training-set", *map(str, words)])


@pytest.fixture(scope="module")
def blob_set(tmp_path_factory):
    """A set of atoms with facts that are worth a search."""
    path = tmp_path_factory.mktemp("cli") / "blobs.zarr"
    make_training_set(TrainingSetPlan(blobs.BlobMaker(), 40, path, 1), recall=blobs.recall)
    return path


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """The shipped recipe with small images, as somebody would change it."""
    path = tmp_path_factory.mktemp("cli") / "small.yaml"
    text = load_recipe(SHIPPED).text
    path.write_text(yaml.safe_dump({**yaml.safe_load(text), "size_px": 64}))
    return path


@pytest.fixture(scope="module")
def recipe_set(tmp_path_factory, recipe):
    """A set by that recipe, made by the command itself."""
    path = tmp_path_factory.mktemp("cli") / "made.zarr"
    assert run("make", recipe, "-n", 34, "-o", path, "--seed", 4, "-q") == 0
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(command, capsys):
    assert run(command, "--help") == 0
    said = capsys.readouterr().out
    assert f"crewe training-set {command}" in said.split("Examples")[1]


def test_the_set_is_that_of_the_recipe(recipe_set, recipe):
    stored = open_training_set(recipe_set)
    assert len(stored) == 34
    fresh = make_sample(load_recipe(recipe), 4, 33)
    for name, array in stored[33].arrays.items():
        np.testing.assert_array_equal(array, fresh.arrays[name])
    assert stored.facts(33) == fresh.facts


def test_make_again_keeps_a_set_and_refuses_another(recipe_set, recipe, capsys):
    assert run("make", recipe, "-n", 34, "-o", recipe_set, "--seed", 4) == 0
    assert "34 of 34 samples are there already" in capsys.readouterr().err
    assert run("make", recipe, "-n", 34, "-o", recipe_set, "--seed", 5) == 2
    assert "--seed 4" in capsys.readouterr().err
    assert run("make", SHIPPED, "-n", 34, "-o", recipe_set, "--seed", 4) == 2
    assert "another recipe" in capsys.readouterr().err


def test_wrong_use_is_told(folder, recipe, capsys):
    assert run("make", "atom-map", "-n", 3, "-o", "a.zarr") == 2
    assert "atom-maps" in capsys.readouterr().err
    assert run("make", recipe, "-n", 0, "-o", "a.zarr") == 2
    assert run("make", recipe, "-n", 3, "-o", "a.h5") == 2
    assert "in .zarr" in capsys.readouterr().err
    assert run("find", "none.zarr", "element=Pt") == 1
    assert "does not exist" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_interrupted_make_says_how_to_go_on_and_goes_on(folder, recipe):
    command = [sys.executable, "-m", "crewe.cli", "training-set", "make", str(recipe)]
    command += ["-n", "4000", "-o", "a.zarr", "--workers", "2"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            _wait_for_a_block(folder / "a.zarr", process)
            os.killpg(process.pid, signal.SIGINT)
            _, said = process.communicate(timeout=30)
        finally:
            # Its workers too, should it hang; there is no such group any more when all went well.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130
    assert re.search(r"interrupted; \d+ of 4000 samples are whole; run the same", said)
    assert "Traceback" not in said
    whole = len(list(folder.glob(RECORDS)))
    assert 0 < whole < 125
    # Fewer would do for the set, and are refused: what is there is not thrown away.
    assert run("make", recipe, "-n", 64, "-o", "a.zarr") == 2


RECORDS = "a.zarr/blocks/[0-9]*.json"
"""Without the names that records have while they are written."""


def _wait_for_a_block(path, process):
    end = time.monotonic() + 60
    while not list(path.parent.glob(RECORDS)):
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_printed_recipe_is_the_same_recipe(tmp_path, capsys):
    assert run("recipe", "lrtem") == 0
    printed = capsys.readouterr().out
    (tmp_path / "mine.yaml").write_text(printed)
    assert run("recipe", tmp_path / "mine.yaml") == 0
    assert capsys.readouterr().out == printed
    assert run("recipe", "lrtme") == 2
    assert "did you mean lrtem" in capsys.readouterr().err


def test_list_names_recipes_and_describes_sets(blob_set, capsys):
    assert run("list") == 0
    assert re.search(rf"^{SHIPPED} +\w", capsys.readouterr().out, re.MULTILINE)
    assert run("list", "--json") == 0
    assert SHIPPED in json.loads(capsys.readouterr().out)
    assert run("list", blob_set) == 0
    said = capsys.readouterr().out
    assert "40 samples of blobs, seed 1" in said
    assert "fine  48 × 48 float32" in said
    assert run("list", blob_set, "--json") == 0
    assert json.loads(capsys.readouterr().out)["count"] == 40


def test_find_in_all_its_forms(blob_set, capsys):
    query = "element=Fe fov<5"
    facts = [open_training_set(blob_set).facts(i) for i in range(40)]
    expected = [
        i
        for i, fact in enumerate(facts)
        if "Fe" in fact["elements"] and fact["field_of_view_angstrom"] < 5
    ]
    assert expected
    assert run("find", blob_set, query) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert [int(line.split()[0]) for line in lines[1:]] == expected
    assert f"{len(expected)} samples" in said.err
    assert run("find", blob_set, query, "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["index"] for row in rows] == expected
    first = facts[expected[0]]
    assert {key: rows[0][key] for key in first} == first
    assert run("find", blob_set, query, "--csv") == 0
    table = list(csv.DictReader(text_io.StringIO(capsys.readouterr().out)))
    assert [int(row["index"]) for row in table] == expected


def test_find_refuses_what_it_cannot_answer(blob_set, capsys):
    assert run("find", blob_set, "elemnt=Fe") == 2
    assert "did you mean 'element'" in capsys.readouterr().err
    assert run("find", blob_set, "fov<wide") == 2
    assert run("find", blob_set, "fov<5", "--json", "--csv") == 2
    assert run("find", blob_set, "fov>1e6", "--json") == 0
    assert capsys.readouterr().out == ""


def test_previews_of_sets_and_recipes(blob_set, folder, recipe, capsys):
    assert run("preview", blob_set, "-o", "set.png", "-n", 3, "--query", "element=Sr") == 0
    assert run("preview", recipe, "-o", "recipe.png", "-n", 2, "--seed", 3) == 0
    with Image.open("set.png") as sheet:
        assert sheet.width == 8 + 4 * (192 + 8)
    with Image.open("recipe.png") as sheet:
        assert sheet.width == 8 + 5 * (256 + 8)
        assert np.asarray(sheet.convert("L")).std() > 30
    assert run("preview", recipe, "-o", "recipe.png", "-n", 2) == 1
    assert "exists" in capsys.readouterr().err
    assert run("preview", recipe, "-o", "recipe.jpg") == 2
    assert run("preview", recipe, "-o", "other.png", "--query", "element=Pt") == 2
    assert run("preview", blob_set, "-o", "other.png", "--query", "element=Au") == 2


def test_exports(blob_set, folder):
    for form, output in (("tif", "a"), ("npz", "b"), ("hdf5", "c.h5")):
        words = ["export", blob_set, "-o", output, "--format", form, "--query", "element=Fe", "-q"]
        assert run(*words) == 0
        assert run(*words) == 1
    numbers = len(list(Path("b").glob("*.npz")))
    assert numbers == len(list(Path("a/image").glob("*.tif"))) > 0
    assert Path("c.h5").stat().st_size > 1000
    assert run("export", blob_set, "-o", "d", "--format", "mat") == 2


def test_check_finds_and_mends_damage(recipe_set, capsys):
    assert run("check", recipe_set) == 0
    assert "sound; 34 samples" in capsys.readouterr().out
    shard = recipe_set / "clean" / "c" / "1" / "0" / "0"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:100] + bytes(50) + whole[150:])
    assert run("check", recipe_set, "--remake", 0) == 1
    said = capsys.readouterr()
    assert "block 1: clean/c/1/0/0 is not what was written" in said.out
    assert "--mend" in said.err
    assert run("check", recipe_set, "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["damage"][0]["blocks"] == [1]
    assert report["sound"] is False
    assert run("check", recipe_set, "--mend", "-q") == 0
    assert "sound" in capsys.readouterr().out.splitlines()[-1]
    assert shard.read_bytes() == whole
    shard.unlink()
    assert run("check", recipe_set, "--mend", "--json", "-q") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["sound"], report["mended_blocks"]) == (True, [1])


def test_samples_that_come_out_otherwise_here_are_a_warning(recipe_set, tmp_path, capsys):
    path = shutil.copytree(recipe_set, tmp_path / "copy.zarr")
    write_metadata(path, dataclasses.replace(read_description(path), seed=5))
    files = {file: file.read_bytes() for file in path.rglob("*.*") if file.is_file()}
    assert run("check", path, "--remake", 2, "--mend") == 0
    said = capsys.readouterr()
    assert "sound as stored, 2 samples not reproduced here" in said.out
    assert said.err.count("is not reproduced here: array") == 2
    assert {file: file.read_bytes() for file in path.rglob("*.*") if file.is_file()} == files


def test_help_needs_no_heavy_library():
    program = (
        "import sys; from crewe.cli.main import main; main(['training-set', '--help']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = set(done.stderr.split())
    assert "crewe.cli.training_set" in loaded
    assert not {"numpy", "zarr", "pandas", "matplotlib", "pyarrow"} & loaded
