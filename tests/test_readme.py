"""The README's Python session and its two commands stay true."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_session_prints_columns_with_errors(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert session is not None
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(session[1], names)
    assert "x_std" in capsys.readouterr().out
    assert len(names["fit"].columns) > 100  # type: ignore[attr-defined]


def test_there_are_exactly_two_commands_and_both_use_the_constraints() -> None:
    commands = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    assert len(commands) == 2
    assert all("pip install -c constraints.txt" in command for command in commands)


def test_every_linked_file_exists() -> None:
    targets = re.findall(r"\]\(([^):]+)\)", README)
    missing = [target for target in targets if not (ROOT / target).exists()]
    assert not missing
