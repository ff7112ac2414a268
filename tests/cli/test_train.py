import contextlib
import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from PIL import Image

from crewe.cli.main import main
from crewe.networks.training_plan import load_plan

PLAN = """
based_on: hrstem-small
name: tiny
recipe: {name: hrstem, changes: {size_px: 64}}
validation: {count: 2, every_steps: 2, pictures: 2}
log_every_steps: 2
checkpoint_every_steps: 2
batch_size: 1
workers: 0
"""


def run(*words):
    return main(["train", *map(str, words)])


@pytest.fixture
def plan(folder):
    Path("tiny.yaml").write_text(PLAN)
    return Path("tiny.yaml")


def test_it_explains_itself_with_examples(capsys):
    assert run("--help") == 0
    said = capsys.readouterr().out
    assert "crewe train hrstem-small" in said.split("Examples")[1]
    assert "crewe[train]" in said


def test_a_run_writes_its_files_and_goes_on(plan, capsys):
    pytest.importorskip("torch")
    assert run(plan, "-o", "runs/a", "--steps", 3) == 0
    steps = load_plan("hrstem-small").steps
    assert f"step 3 of {steps}; best validation" in capsys.readouterr().err
    names = {path.name for path in Path("runs/a").iterdir()}
    expected = {"plan.yaml", "recipe.yaml", "log.csv", "checkpoint.pt", "best.pt", "figure.png"}
    assert names == expected
    with Image.open("runs/a/figure.png") as sheet:
        assert sheet.width == 8 + 3 * (192 + 8)
    assert yaml.safe_load(Path("runs/a/recipe.yaml").read_text())["size_px"] == 64

    assert run(plan, "-o", "runs/a", "--steps", 5) == 2
    assert "--resume" in capsys.readouterr().err
    assert run("runs/a/plan.yaml", "-o", "runs/a", "--steps", 5, "--resume") == 0
    said = capsys.readouterr().err
    assert "goes on after step 3" in said
    assert "warning" not in said
    with Path("runs/a/log.csv").open() as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == [2, 3, 4, 5]


def test_wrong_use_is_told(plan, capsys):
    pytest.importorskip("torch")
    assert run("hrstem-smal", "-o", "a") == 2
    assert "did you mean hrstem-small" in capsys.readouterr().err
    Path("wrong.yaml").write_text(PLAN + "stepz: 3\n")
    assert run("wrong.yaml", "-o", "a") == 2
    assert "wrong.yaml, line 10: unknown key stepz" in capsys.readouterr().err
    Path("big.yaml").write_text(PLAN + "network: {size: huge}\n")
    assert run("big.yaml", "-o", "b") == 2
    assert "huge" in capsys.readouterr().err
    assert not Path("a").exists()
    Path("file").write_text("")
    assert run(plan, "-o", "file", "--steps", 1) == 1
    assert "cannot write file" in capsys.readouterr().err


def test_without_torch_it_says_what_to_install(plan, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run(plan, "-o", "a") == 2
    assert "pip install 'crewe[train]'" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_a_checkpoint(plan, number):
    pytest.importorskip("torch")
    Path("busy.yaml").write_text(PLAN.replace("workers: 0", "workers: 1"))
    command = [sys.executable, "-m", "crewe.cli", "train", "busy.yaml", "-o", "a"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            _wait_for(Path("a/checkpoint.pt"), process)
            os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(
                number
            )
            _, said = process.communicate(timeout=30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130
    assert "Traceback" not in said
    step = int(said.split("interrupted after step ")[1].split(";")[0])
    with Path("a/log.csv").open() as file:
        assert int(list(csv.DictReader(file))[-1]["step"]) == step
    assert run("busy.yaml", "-o", "a", "--resume", "--steps", step + 1, "-q") == 0


def _wait_for(path, process):
    end = time.monotonic() + 60
    while not path.exists():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)


def test_help_needs_no_torch():
    program = (
        "import sys; from crewe.cli.main import main; main(['train', '--help']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = set(done.stderr.split())
    assert "crewe.cli.train" in loaded
    assert not {"numpy", "torch", "matplotlib"} & loaded
