import subprocess
import sys
import time

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


def test_help_is_quick():
    fastest = min(_seconds([sys.executable, "-m", "crewe.cli", "--help"]) for _ in range(3))
    assert fastest < 0.7


def _seconds(command):
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin
