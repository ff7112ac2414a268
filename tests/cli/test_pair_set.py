import json

import pytest
import yaml
from test_pair_set_plan import SMALL

from crewe.cli.main import main
from crewe.simulation.emulator.pairs import read_pairs


@pytest.fixture
def plan(folder):
    (folder / "plan.yaml").write_text(yaml.safe_dump(SMALL))
    return folder


def test_a_set_from_a_plan(plan, capsys):
    pytest.importorskip("abtem")
    make = ["emulator", "pairs", "plan.yaml", "-o", "pairs.npz"]
    assert main([*make, "--json"]) == 0
    said = capsys.readouterr()
    summary = json.loads(said.out)
    assert summary["output"] == "pairs.npz"
    assert summary["configurations"] == [2, 2]
    assert "2 pairs with 2 or more configurations" in said.err
    assert len(read_pairs(plan / "pairs.npz")) == 2
    assert main(make) == 1
    assert "--overwrite" in capsys.readouterr().err
    again = ["-o", "again.npz", "--checkpoint", "pairs.npz.part", "--as-is", "-q"]
    assert main(["emulator", "pairs", "plan.yaml", *again]) == 0
    assert (plan / "again.npz").read_bytes()[:2] == b"PK"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["none.yaml", "-o", "a.npz"], 2, "cannot be read"),
        (["wrong.yaml", "-o", "a.npz"], 2, "did you mean 'seed'"),
        (["plan.yaml", "-o", "a.zarr"], 2, "written as .npz"),
        (["plan.yaml", "-o", "none/a.npz"], 1, "does not exist"),
        (["plan.yaml", "-o", "a.npz", "--take-over", "none"], 1, "no folder"),
    ],
)
def test_mistakes_are_explained_in_one_line(plan, arguments, code, words, capsys):
    (plan / "wrong.yaml").write_text(yaml.safe_dump({**SMALL, "sed": 1}))
    assert main(["emulator", "pairs", *arguments, "-q"]) == code
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
