import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import crewe
from crewe.cli.main import main


@pytest.mark.parametrize("command", ["quantify", "rerun", "info", "convert"])
def test_every_command_explains_itself_with_examples(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"crewe {command} " in capsys.readouterr().out.split("Examples")[1]


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"crewe {crewe.__version__}"


def test_debug_shows_the_traceback(folder):
    command = [sys.executable, "-m", "crewe.cli", "info", "none.dm4", "--debug"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk")
@pytest.mark.parametrize("words", ["training-set list", "training-set recipe hrstem", "--help"])
def test_a_full_device_is_told_in_one_line(words):
    with Path("/dev/full").open("w") as full:
        done = _run(words, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "crewe: cannot write the output: No space left on device; make room\n"


@pytest.mark.parametrize("words", ["training-set list", "training-set recipe hrstem", "--help"])
def test_a_closed_pipe_is_no_fault(words):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = _run(words, stdout=closed)
    assert done.returncode == 1
    assert done.stderr == ""


def test_names_of_the_interface_for_python_stay_there(image, capsys):
    Path("out.h5").write_text("mine")
    assert main(["convert", str(image), "out.h5"]) == 1
    said = capsys.readouterr().err
    assert "--overwrite" in said
    assert "overwrite=True" not in said


def _run(words, stdout):
    command = [sys.executable, "-m", "crewe.cli", *words.split()]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)


def test_help_is_quick():
    fastest = min(_seconds([sys.executable, "-m", "crewe.cli", "--help"]) for _ in range(3))
    assert fastest < 0.7


def _seconds(command):
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin
