import json
from pathlib import Path

import pytest

from crewe.cli.training_set_words import (
    not_reproduced,
    tell_report,
    tell_report_as_json,
    verdict,
)
from crewe.training_sets.check import CheckReport, Damage
from crewe.training_sets.reproduction import NotReproduced

MADE = {"crewe": "0.2", "numpy": "2.0"}
UNLIKE = NotReproduced(7, 0, ("array clean in 0.01 of its values",), MADE, {**MADE, "numpy": "2.1"})
FAULT = Damage("block 3: clean/c/3/0/0 cannot be read", (3,))


def report(damage=(), unlike=()):
    return CheckReport(Path("a.zarr"), 40, 12, (7, 9), tuple(damage), tuple(unlike))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (report(), "sound"),
        (report([FAULT]), "1 fault"),
        (report([FAULT, FAULT], [UNLIKE]), "2 faults"),
        (report([], [UNLIKE]), "sound as stored, 1 sample not reproduced here"),
        (report([], [UNLIKE] * 2), "sound as stored, 2 samples not reproduced here"),
    ],
)
def test_the_verdict(found, said):
    assert verdict(found) == said


def test_what_was_not_reproduced_names_the_versions_that_changed():
    assert not_reproduced(UNLIKE) == (
        "sample 7 (block 0) is not reproduced here: array clean in 0.01 of its values. Its files "
        "are what was written. Made with crewe 0.2, numpy 2.0; installed here: numpy 2.1"
    )


def test_the_same_versions_leave_the_processor():
    same = NotReproduced(7, 0, ("fact layers",), MADE, MADE)
    assert not_reproduced(same).endswith("installed here: another processor may be the reason")


def test_people_read_faults_then_the_verdict_and_warnings_apart(capsys):
    tell_report(report([FAULT], [UNLIKE]))
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        FAULT.what,
        "a.zarr: 1 fault; 40 samples, 12 files, 2 samples made again",
    ]
    assert said.err == f"crewe: warning: {not_reproduced(UNLIKE)}\n"


def test_programs_read_one_object(capsys):
    tell_report_as_json(report([FAULT], [UNLIKE]), (3, 5))
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert said.err == ""
    assert told["damage"] == [{"what": FAULT.what, "blocks": [3]}]
    assert told["not_reproduced"][0]["installed"]["numpy"] == "2.1"
    assert (told["path"], told["sound"], told["mended_blocks"]) == ("a.zarr", False, [3, 5])
