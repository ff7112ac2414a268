import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crewe.errors import PlanError
from crewe.workflows.many import run_many
from crewe.workflows.observer import Recorder

# A worker process imports what it is to do by name, which test modules do not have.
sys.path.append(str(Path(__file__).parent))
worker_verbs = importlib.import_module("worker_verbs")

ITEMS = [2, 3, 0, 8]


def outcomes(**how):
    recorder = Recorder()
    names = [str(item) for item in ITEMS]
    return list(
        run_many(worker_verbs.halve, ITEMS, names, observer=recorder, **how)
    ), recorder.heard


def test_each_item_has_its_outcome_in_order():
    found, heard = outcomes()
    assert [outcome.status for outcome in found] == ["done", "failed", "failed", "skipped"]
    assert found[0].summary == {"half": 1}
    assert found[1].error == "3 is odd: give an even number"
    assert "unexpected ZeroDivisionError" in found[2].error
    assert "halve" in found[2].trace
    assert ("warning", "halved") in heard


def test_here_in_processes_and_on_a_cluster_are_one_thing():
    distributed = pytest.importorskip("distributed")
    here = _comparable(outcomes())
    assert _comparable(outcomes(workers=2)) == here
    cluster = distributed.LocalCluster(
        n_workers=1, processes=False, dashboard_address=None, protocol="inproc://"
    )
    with cluster:
        assert _comparable(outcomes(scheduler=cluster.scheduler_address)) == here


def _comparable(found):
    items, heard = found
    return [(item.name, item.status, item.summary, item.error) for item in items], heard


def test_both_ways_at_once_is_a_contradiction():
    with pytest.raises(PlanError, match="not both"):
        outcomes(workers=2, scheduler="tcp://localhost:1")


def test_a_killed_worker_is_a_failed_item():
    (outcome,) = run_many(worker_verbs.end_abruptly, [1], ["victim"], workers=1)
    assert outcome.status == "failed"
    assert "memory" in outcome.error


def test_ctrl_c_stops_at_once_and_leaves_nothing(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(INTERRUPTED)
    process = subprocess.Popen(
        [sys.executable, program],
        cwd=tmp_path,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "busy\n"
    deadline = time.monotonic() + 10
    while not list(tmp_path.glob(".*partial*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, complaints = process.communicate(timeout=10)
    assert process.returncode == 130
    assert complaints == ""
    assert [path.name for path in tmp_path.iterdir() if path.name != "__pycache__"] == [
        "program.py"
    ]


INTERRUPTED = """
import sys, time
from pathlib import Path
from crewe.workflows.many import Finished, run_many
from crewe.workflows.result_folder import new_folder

def slow(item, observer):
    with new_folder(Path(f"out{item}")) as folder:
        (folder / "half.csv").write_text("x")
        time.sleep(20)
    return Finished({})

if __name__ == "__main__":
    print("busy", flush=True)
    try:
        list(run_many(slow, [1, 2, 3], ["1", "2", "3"], workers=2))
    except KeyboardInterrupt:
        sys.exit(130)
"""
