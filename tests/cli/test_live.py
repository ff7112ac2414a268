import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import yaml

from crewe import io
from crewe.cli.live import seconds
from crewe.cli.main import main
from crewe.errors import PlanError
from crewe.testing.diffraction import lattice_patterns
from crewe.testing.fake_merlin import FakeMerlin
from crewe.testing.fake_timepix3 import main as fake_timepix3

SCAN = (12, 16)
DATA = lattice_patterns(SCAN, (16, 16), 400, np.random.default_rng(0), atoms_across=2)


@pytest.fixture
def merlin():
    """A detector that waits to be commanded."""
    with FakeMerlin(DATA) as merlin:
        yield merlin


def arguments(merlin, *more):
    address = f"merlin://127.0.0.1:{merlin.data_port}"
    ports = ["--command-port", str(merlin.command_port), "--patience", "5s"]
    return ["live", address, "--scan", "12x16", *ports, *more]


def test_a_scan_is_shown_recorded_and_written_and_phase_makes_the_same_of_it(
    merlin, folder, capsys
):
    disk = ["--centre", "7.5,7.5", "--radius", "4", "--kernel", "7"]
    images = ["--methods", "ricom,adf", *disk, "--step", "0.2A"]
    options = ["--scans", "1", "--depth", "12", "--record", "kept.zarr", "-o", "out"]
    assert main(arguments(merlin, *images, *options, "--show", "--port", "0")) == 0
    said = capsys.readouterr().err
    assert "the page is at http://127.0.0.1:" in said
    assert "192 received, 192 used, 0 dropped, ricom, adf written to out" in said
    np.testing.assert_array_equal(io.read("kept.zarr").values, DATA)
    rotation = ["--rotation", "0", "--no-mirrored"]
    phase = ["phase", "kept.zarr", "--methods", "ricom,adf", *disk, *rotation, "-o", "again", "-q"]
    assert main(phase) == 0
    for name in ("ricom", "adf"):
        live, again = (io.read(folder / at / f"{name}.tif").values for at in ("out", "again"))
        np.testing.assert_array_equal(live, again)
    note = yaml.safe_load((folder / "out" / "phase.yaml").read_text("utf-8"))
    assert note["counters"]["used"] == 192


def test_single_electrons_are_listened_for_and_recorded(folder, capsys):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def send():
        # Whoever sends may come too early, as Serval does.
        for _ in range(100):
            options = ["--scan", "16x16", "--chips", "1", "--scans", "3", "--electrons", "30"]
            if fake_timepix3(["--port", str(port), *options, "--dwell-us", "20"]) == 0:
                return
            time.sleep(0.1)

    sender = threading.Thread(target=send)
    sender.start()
    command = ["live", f"timepix3://:{port}", "--scan", "16x16", "--chips", "1", "--scans", "2"]
    command += ["--methods", "ricom,total", "--kernel", "5", "--record", "kept.tpx3", "-o", "out"]
    assert main([*command, "--patience", "20"]) == 0
    sender.join()
    total = io.read(folder / "out" / "total.tif").values
    assert total.shape == (16, 16)
    assert total.mean() == pytest.approx(30, rel=0.2)
    assert (folder / "kept.tpx3").read_bytes()[:4] == b"TPX3"


def test_ctrl_c_writes_what_came(folder):
    with FakeMerlin(DATA, rate_hz=300, frames=10**6, wait=False) as merlin:
        command = [sys.executable, "-m", "crewe.cli", *arguments(merlin, "--passive")]
        command += ["--scans", "1000", "--centre", "7.5,7.5", "--radius", "4", "-o", "out"]
        process = subprocess.Popen(
            [*command, "--show", "--port", "0"], stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        port = int(process.stderr.readline().rstrip("/\n").rsplit(":", 1)[1])
        late = threading.Timer(120, process.kill)
        late.start()
        # How fast it is, is said after a while only, however many frames were waiting before.
        said = next(line for line in process.stderr if "kHz" in line)
        while not late.finished.is_set() and state(port)["counters"].get("used", 0) < 300:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said += process.stderr.read()
        late.cancel()
        process.stderr.close()
        assert process.wait(30) == 0
    assert "kHz" in said
    assert "ricom written to out" in said
    assert np.isfinite(io.read(folder / "out" / "ricom.tif").values).any()


def state(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/state")
    told = json.loads(connection.getresponse().read())
    connection.close()
    return told


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        (["http://host", "--scan", "4x4"], 2, "give merlin://HOST"),
        (["merlin://host"], 2, "Missing option"),
        (["merlin://host", "--scan", "4"], 2, "give rows and columns"),
        (["merlin://host", "--scan", "4x4", "--methods", "magic"], 2, "no method 'magic'"),
        (["merlin://host", "--scan", "4x4", "--record", "a.tpx3"], 2, "on .zarr"),
        (["merlin://host", "--scan", "4x4", "--record", "no/a.zarr"], 1, "does not exist"),
        (["merlin://host", "--scan", "4x4", "--depth", "7"], 2, "counter_depth = 7"),
        (["merlin://host", "--scan", "4x4", "--patience", "long"], 2, "--patience"),
        (["merlin://127.0.0.1:1", "--scan", "4x4", "--passive"], 1, "no Merlin data socket"),
        (["timepix3://:28453", "--scan", "4x4", "--patience", "0.2"], 1, "nobody connected"),
        (["merlin://host", "--scan", "4x4", "--show", "--port", "99999"], 2, "--port"),
    ],
)
def test_mistakes_are_explained(wrong, code, words, folder, capsys):
    assert main(["live", *wrong]) == code
    said = capsys.readouterr().err
    assert words in said
    assert said.splitlines()[-1].startswith("crewe: ")
    assert not list(folder.iterdir())


def test_help_shows_examples(capsys):
    assert main(["live", "--help"]) == 0
    assert "crewe live merlin://192.168.0.5" in capsys.readouterr().out.split("Examples")[1]


def test_times():
    assert [seconds(text) for text in ("30", "30s", "500ms", "2 s")] == [30, 30, 0.5, 2]
    with pytest.raises(PlanError, match="no unit of time"):
        seconds("3 nm")
