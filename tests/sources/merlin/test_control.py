import socket
import threading

import numpy as np
import pytest

from crewe.errors import PlanError, SourceError
from crewe.sources import Scan
from crewe.sources.merlin.control import AcquisitionSettings, MerlinControl
from crewe.testing import fake_merlin_commands
from crewe.testing.fake_merlin import FakeMerlin

PATTERN = np.zeros((1, 4, 4), np.uint16)


@pytest.fixture
def merlin():
    with FakeMerlin(PATTERN) as server:
        yield server


@pytest.fixture
def control(merlin):
    with MerlinControl("127.0.0.1", merlin.command_port, timeout_s=1.0) as connection:
        yield connection


def test_what_was_set_is_got(control):
    control.set("HVBIAS", 120)
    control.set("ACQUISITIONTIME", 0.05)
    assert (control.get("HVBIAS"), control.get("ACQUISITIONTIME")) == ("120", "0.05")
    assert control.get("SOFTWAREVERSION") == "crewe"


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda control: control.set("COUNTERDEPTH", 13), "SET,COUNTERDEPTH,13.*out of range"),
        (lambda control: control.get("NOSUCH"), "GET,NOSUCH.*does not know this name"),
        (lambda control: control.command("JUMP"), "CMD,JUMP.*does not know"),
        (lambda control: control.set("GAIN", "a\nb"), "plain ASCII"),
        (lambda control: control.set("GAIN", "é"), "plain ASCII"),
    ],
)
def test_refusals_teach_and_the_connection_lasts(control, ask, said):
    with pytest.raises(SourceError, match=said):
        ask(control)
    assert control.get("HVBIAS") == "120"


def test_a_busy_detector_says_so(merlin, control):
    merlin.commands.acquiring.set()
    with pytest.raises(SourceError, match="busy: stop the acquisition"):
        control.set("HVBIAS", 100)


def test_start_waits_for_a_busy_detector(merlin, control):
    merlin.commands.acquiring.set()
    threading.Timer(0.15, merlin.commands.acquiring.clear).start()
    control.start()
    assert merlin.commands.log.count("CMD,STARTACQUISITION") > 1


def test_a_scan_sets_its_numbers():
    scan = Scan((4, 6), 2, 5, sync_offset=3, dwell_time_us=50)
    settings = AcquisitionSettings(
        counter_depth=6,
        raw=True,
        trigger="lvds rising",
        trigger_per="line",
        thresholds_kev=(40.0, 511.0),
        save_files=False,
        others={"GAIN": "2"},
    )
    assert dict(settings.commands(scan, 2)) == {
        "COUNTERDEPTH": "6",
        "CONTINUOUSRW": "1",
        "FILEFORMAT": "2",
        "FILEENABLE": "0",
        "THRESHOLD0": "40",
        "THRESHOLD1": "511",
        "TRIGGERSTART": "3",
        "NUMFRAMESPERTRIGGER": "8",
        "ACQUISITIONTIME": "0.05",
        "ACQUISITIONPERIOD": "0.05",
        "NUMFRAMESTOACQUIRE": str(3 + 2 * (4 * 8 + 5)),
        "GAIN": "2",
    }


@pytest.mark.parametrize("scan", [Scan((512, 512)), Scan((3, 7), 1, 2, sync_offset=50)])
def test_more_scans_than_can_be_counted_are_as_many_as_can(scan):
    frames = int(dict(AcquisitionSettings().commands(scan, 2**40))["NUMFRAMESTOACQUIRE"])
    assert 2**31 - 1 - scan.frames_per_scan < frames <= 2**31 - 1
    assert (frames - scan.sync_offset) % scan.frames_per_scan == 0


def test_a_detector_that_takes_no_such_number_gets_fewer_whole_scans(merlin, control, monkeypatch):
    monkeypatch.setitem(fake_merlin_commands._SETTINGS, "NUMFRAMESTOACQUIRE", ("0", (1, 10**6)))
    scan = Scan((4, 6), 2, 5, sync_offset=3)
    control.prepare(AcquisitionSettings(), scan, 2**40)
    frames = merlin.commands.number("NUMFRAMESTOACQUIRE") - 3
    assert 10**5 < frames < 10**6
    assert frames % scan.frames_per_scan == 0
    with pytest.raises(SourceError, match=r"NUMFRAMESTOACQUIRE,4000003.*out of range"):
        control.prepare(AcquisitionSettings(), Scan((2000, 2000), sync_offset=3), 5)


def test_another_acquisition_waits_for_one_that_runs_only_a_while(merlin, control):
    merlin.commands.acquiring.set()
    assert not control.start_if_free()
    merlin.commands.acquiring.clear()
    assert control.start_if_free()


def test_what_is_not_given_stays_as_it_is():
    nothing = AcquisitionSettings(raw=None, continuous=None)
    assert nothing.commands(Scan((4, 6)), None) == []


@pytest.mark.parametrize(
    "wrong", [{"counter_depth": 8}, {"trigger": "never"}, {"counter_depth": 24}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(PlanError):
        AcquisitionSettings(**wrong)


def answering(content):
    """A peer that answers the first question with what no Merlin says, or not at all."""
    listener = socket.create_server(("127.0.0.1", 0))
    left = threading.Event()

    def serve():
        with listener, listener.accept()[0] as connection:
            connection.recv(100)
            if content is not None:
                connection.sendall(content)
            else:
                left.wait(5)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return listener.getsockname()[1], left, thread


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not the command socket of a Merlin"),
        (b"MPX,0000000012,GET,GAIN,0", "left when asked"),
        (b"MPX,0000000013,GET,HVBIAS,0,", "not the command socket"),
        (b"MPX,0000000011,GET,GAIN,x", "not the command socket"),
        (b"MPX,9999999999,", "not the command socket"),
        (b"", "left when asked"),
        (None, "did not answer GET,GAIN within 0.2 s"),
    ],
)
def test_other_answers_are_told(content, said):
    port, left, thread = answering(content)
    with MerlinControl("127.0.0.1", port, timeout_s=0.2) as control:
        with pytest.raises(SourceError, match=said):
            control.get("GAIN")
        left.set()
        # Nothing that comes later can be taken for an answer.
        with pytest.raises(SourceError):
            control.get("GAIN")
    thread.join()


def test_nobody_and_impossible_ports_are_told():
    with pytest.raises(SourceError, match="no Merlin command socket"):
        MerlinControl("127.0.0.1", 1, timeout_s=0.5)
    with pytest.raises(SourceError, match="port 70000"):
        MerlinControl("127.0.0.1", 70000)
