import hashlib
import importlib
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from crewe.errors import CreweError, PlanError, SpecimenError, WriteError
from crewe.training_sets.blocks import read_record
from crewe.training_sets.folder import read_description
from crewe.training_sets.store import open_training_set
from crewe.workflows.observer import Recorder
from crewe.workflows.training_set import TrainingSetPlan, make_training_set

# A worker process imports the maker by name.
PLACE = Path(__file__).parents[1] / "training_sets"
sys.path.append(str(PLACE))
blobs = importlib.import_module("blob_maker")

COUNT, SEED = 70, 5


def make(path, text="size: 24", count=COUNT, seed=SEED, **how):
    plan = TrainingSetPlan(blobs.BlobMaker(text), count, path, seed)
    return make_training_set(plan, recall=blobs.recall, **how)


def sums(path):
    """The SHA-256 of every file of a set."""
    return {
        file.relative_to(path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in path.rglob("*")
        if file.is_file()
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "set.zarr"
    make(path)
    return sums(path)


def test_workers_do_not_change_a_byte(undisturbed, tmp_path):
    make(tmp_path / "two.zarr", workers=2)
    assert sums(tmp_path / "two.zarr") == undisturbed


def test_a_cluster_makes_the_same_set(undisturbed, tmp_path):
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=1, processes=False, dashboard_address=None, protocol="inproc://"
    )
    with cluster:
        make(tmp_path / "set.zarr", scheduler=cluster.scheduler_address)
    assert sums(tmp_path / "set.zarr") == undisturbed


def test_a_killed_worker_is_told_and_the_set_goes_on(tmp_path, monkeypatch):
    text = "{size: 24, dies: 40}"
    monkeypatch.setenv("DEADLY", str(tmp_path / "flag"))
    path = tmp_path / "set.zarr"
    with pytest.raises(WriteError, match=r"ended early.*run the same command again"):
        make(path, text, workers=1)
    assert (tmp_path / "flag").exists()
    assert not read_description(path).complete
    assert [file.name for file in (path / "blocks").iterdir()] == ["000000.json"]
    first = (path / "blocks" / "000000.json").stat().st_mtime_ns
    make(path, text, workers=1)
    assert (path / "blocks" / "000000.json").stat().st_mtime_ns == first
    make(tmp_path / "other.zarr", text)
    assert sums(path) == sums(tmp_path / "other.zarr")


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05])
def test_a_killed_program_goes_on_to_the_same_bytes(undisturbed, tmp_path, delay):
    path = tmp_path / "set.zarr"
    program = PROGRAM.format(place=str(PLACE), path=str(path), count=COUNT, seed=SEED)
    process = subprocess.Popen([sys.executable, "-c", program])
    # In the middle of the second block, or of the writing of the first.
    while not (path / "image" / "c" / "0").exists():
        time.sleep(0.001)
        assert process.poll() is None
    time.sleep(delay)
    process.kill()
    process.wait()
    make(path)
    assert sums(path) == undisturbed


PROGRAM = """
import sys
sys.path.append({place!r})
import blob_maker
from pathlib import Path
from crewe.workflows.training_set import TrainingSetPlan, make_training_set
plan = TrainingSetPlan(blob_maker.BlobMaker(), {count}, Path({path!r}), {seed})
make_training_set(plan, recall=blob_maker.recall)
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk")
@pytest.mark.parametrize("file", ["clean/c/1/0/0", "tables/positions/000001.parquet"])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_full_disk_is_told_and_the_set_goes_on(undisturbed, tmp_path, file, workers):
    path = tmp_path / "set.zarr"
    make(path, count=32)
    (path / file).parent.mkdir(parents=True, exist_ok=True)
    # Every write to this device fails as on a full disk.
    (path / file).symlink_to("/dev/full")
    with pytest.raises(WriteError, match="disk is full") as told:
        make(path, workers=workers)
    # Of the other blocks, a second worker may have made the last one meanwhile.
    assert re.search("(32|38) of 70 samples are whole", str(told.value))
    assert "run the same command again" in str(told.value)
    # Nothing of the block takes up room.
    assert not list(path.glob("*/c/1/*/*"))
    assert not list(path.glob("tables/*/000001.parquet"))
    make(path, workers=workers)
    assert sums(path) == undisturbed


def test_the_systems_limit_on_files_is_told(undisturbed, tmp_path):
    path = tmp_path / "set.zarr"
    program = PROGRAM.format(place=str(PLACE), path=str(path), count=COUNT, seed=SEED)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(
        [sys.executable, "-c", program], preexec_fn=limit, capture_output=True, text=True
    )
    assert "WriteError" in done.stderr
    assert "larger than the system allows" in done.stderr
    make(path)
    assert sums(path) == undisturbed


def test_ctrl_c_says_how_to_go_on(undisturbed, tmp_path):
    path = tmp_path / "set.zarr"
    recorder = Recorder()

    def interrupt():
        while not (path / "blocks" / "000000.json").exists():
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        make(path, count=3000, observer=recorder)
    thread.join()
    (said,) = [text for kind, text in recorder.heard if kind == "warning"]
    assert "run the same command again" in said
    assert not read_description(path).complete
    assert len(make(path, count=3000, workers=2)) == 3000


def test_a_set_grows_to_the_bytes_of_a_large_one(undisturbed, tmp_path):
    path = tmp_path / "set.zarr"
    make(path, count=10)
    make(path, count=40)
    assert len(open_training_set(path)) == 40
    make(path)
    assert sums(path) == undisturbed


def test_a_finished_set_is_left_alone(tmp_path):
    path = tmp_path / "set.zarr"
    make(path, count=40)
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    recorder = Recorder()
    make(path, count=40, observer=recorder)
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before
    assert ("message", "40 of 40 samples are there already") in recorder.heard


def test_another_recipe_seed_or_size_is_refused(tmp_path):
    path = tmp_path / "set.zarr"
    make(path, count=5)
    before = sums(path)
    with pytest.raises(PlanError, match="another recipe"):
        make(path, "size: 25", count=5)
    with pytest.raises(PlanError, match=f"give --seed {SEED}"):
        make(path, count=5, seed=SEED + 1)
    with pytest.raises(PlanError, match="cannot shrink to 4: give -n 5 or more"):
        make(path, count=4)
    assert sums(path) == before


def test_wrong_requests_are_refused_before_anything_is_written(tmp_path):
    for path, how, said in (
        ("set.zarr", {"count": 0}, "one or more"),
        ("set.zarr", {"seed": -1}, "seed -1"),
        ("set.h5", {}, "in .zarr"),
    ):
        with pytest.raises(PlanError, match=said):
            make(tmp_path / path, **how)
    with pytest.raises(WriteError, match="does not exist"):
        make(tmp_path / "nowhere" / "set.zarr")
    assert not list(tmp_path.iterdir())
    (tmp_path / "mine.zarr").mkdir()
    (tmp_path / "mine.zarr" / "thesis.txt").write_text("years of work")
    with pytest.raises(PlanError, match="something else"):
        make(tmp_path / "mine.zarr")
    (tmp_path / "file.zarr").write_text("years of work")
    with pytest.raises(PlanError, match="is a file and no training set"):
        make(tmp_path / "file.zarr")


def test_a_sample_that_fails_names_itself_and_keeps_the_rest(tmp_path):
    path = tmp_path / "set.zarr"
    for workers in (0, 1):
        with pytest.raises(SpecimenError, match="sample 40 of seed 5: no such crystal") as told:
            make(path, "{size: 24, fails: 40}", workers=workers)
        # A worker may have begun the last block meanwhile.
        assert re.search("(32|38) of 70 samples are whole", str(told.value))
        # It would fail again.
        assert "same command" not in str(told.value)
        assert "blob_maker" in "".join(told.value.__notes__)


def test_a_sample_too_large_for_the_memory_is_told(tmp_path):
    with pytest.raises(PlanError, match=r"sample 0 of seed 5 needs more memory.*smaller") as told:
        make(tmp_path / "set.zarr", "{size: 24, hoards: 0}")
    assert "same command" not in str(told.value)


def test_a_fault_of_the_program_asks_for_a_report(tmp_path):
    with pytest.raises(CreweError, match=r"unexpected KeyError: 'size'.*report") as told:
        make(tmp_path / "set.zarr", "{size: 24, forgets: 1}")
    assert type(told.value) is CreweError


def test_a_corrected_recipe_may_take_the_folder_while_no_block_is_whole(undisturbed, tmp_path):
    path = tmp_path / "set.zarr"
    with pytest.raises(SpecimenError, match="0 of 70 samples are whole"):
        make(path, "{size: 20, fails: 3}")
    make(path)
    assert sums(path) == undisturbed


def test_other_versions_are_told_and_the_first_ones_kept(tmp_path, monkeypatch):
    path = tmp_path / "set.zarr"
    make(path, count=32)
    first = read_description(path).versions
    now = {**first, "numpy": "99.1"}
    monkeypatch.setattr("crewe.workflows.training_set._versions", lambda: now)
    recorder = Recorder()
    make(path, observer=recorder)
    (said,) = [text for kind, text in recorder.heard if kind == "warning"]
    assert said.startswith(f"begun with numpy {first['numpy']}, now 99.1: ")
    assert read_description(path).versions == first
    records = [read_record(path, read_description(path), block) for block in range(3)]
    assert [record.versions for record in records] == [first, now, now]
    # A set that is whole is not touched, whatever is installed.
    recorder = Recorder()
    make(path, observer=recorder)
    assert "warning" not in dict(recorder.heard)


def test_progress_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("crewe.workflows.sample_progress.SECONDS_BETWEEN_MESSAGES", 0.0)
    fractions = []

    class Listener(Recorder):
        def advanced(self, stage, fraction):
            fractions.append(fraction)

    listener = Listener()
    make(tmp_path / "set.zarr", observer=listener)
    assert fractions == pytest.approx([32 / 70, 64 / 70, 1])
    messages = [text for kind, text in listener.heard if kind == "message"]
    assert messages[0].startswith("32 of 70 samples, ")
    assert "per second" in messages[0]
    assert messages[-1].endswith(" 0 s left")
