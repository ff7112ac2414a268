"""Updates per second that the page of `crewe live` gets, and what they cost the data.

    python -m benchmarks.speed.live_page [--seconds 8] [--viewers 1] [--rate 20000]

A rehearsal Merlin in a process of its own sends 64 × 64 frames of a 512 × 512 scan; riCOM 61 × 61
and ADF are made of them. An HTTP client takes each update as a page does. Printed as JSON: updates
per second, their size, the frames per second used with the page and without, frames lost, and the
same as fast as the sender can.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from crewe.web.live_page import LivePage  # noqa: E402
from crewe.workflows.live import run_live  # noqa: E402
from crewe.workflows.live_plan import live_plan  # noqa: E402

SCAN, DETECTOR = "512x512", "64x64"


def sender(rate: float) -> tuple[subprocess.Popen, int]:
    """Start the rehearsal detector; returns it and its data port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "crewe.testing.fake_merlin_program", "--no-wait"]
    options = {"scan": "64x64", "detector": DETECTOR, "rate": rate, "counts": 1000}
    options |= {"frames": 10**8, "data-port": port, "command-port": 0}
    command += [word for name, value in options.items() for word in (f"--{name}", str(value))]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.readline()
    if "Merlin" not in said:
        raise RuntimeError(said)
    return process, port


def take_updates(port: int, updates: Any, received: Any) -> None:
    """Take updates as a page does, until it goes away."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    number = 0
    try:
        while True:
            connection.request("GET", f"/updates?after={number}")
            content = connection.getresponse().read()
            length = int.from_bytes(content[:4], "little")
            head = json.loads(content[4 : 4 + length]) if content else {"update": number}
            if head["update"] != number:
                updates.value += 1
                received.value += len(content)
            number = head["update"]
    except (OSError, http.client.HTTPException):
        connection.close()


class Client:
    """A page in a process of its own, as browsers are."""

    def __init__(self, port: int) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._updates, self._bytes = spawning.Value("q", 0), spawning.Value("q", 0)
        arguments = (port, self._updates, self._bytes)
        self._process = spawning.Process(target=take_updates, args=arguments, daemon=True)
        self._process.start()

    @property
    def updates(self) -> int:
        """Updates taken so far."""
        return self._updates.value

    @property
    def bytes(self) -> int:
        """Their bytes."""
        return self._bytes.value


def watched(rate: float, seconds: float, viewers: int) -> dict:
    """Follow the sender for some seconds with so many viewers."""
    process, port = sender(rate)
    plan = live_plan(
        {
            "address": f"merlin://127.0.0.1:{port}",
            "scan": tuple(map(int, SCAN.split("x"))),
            "methods": ("ricom", "adf"),
            "kernel": 61,
            "command_port": None,
        }
    )
    clients: list[Client] = []
    marks: dict[str, tuple[float, int, int]] = {}

    def viewer(session):
        page = LivePage(session, 0)

        def count() -> None:
            while session.state != "running":
                time.sleep(0.01)
            for _ in range(viewers):
                clients.append(Client(page.port))
            time.sleep(3.0)
            for mark in ("begin", "end"):
                updates = sum(client.updates for client in clients)
                marks[mark] = (time.perf_counter(), session.counters.used, updates)
                time.sleep(seconds if mark == "begin" else 0)
            session.stop()

        threading.Thread(target=count, daemon=True).start()
        return page

    try:
        result = run_live(plan, viewer=viewer)
    finally:
        process.terminate()
        process.wait()
    took = marks["end"][0] - marks["begin"][0]
    used, updates = (marks["end"][place] - marks["begin"][place] for place in (1, 2))
    told = {"frames_per_second": round(used / took), "dropped": result.counters.dropped}
    if viewers:
        told["updates_per_second_each"] = round(updates / took / viewers, 1)
        total = sum(client.updates for client in clients)
        told["bytes_per_update"] = sum(client.bytes for client in clients) // max(total, 1)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--viewers", type=int, default=1)
    parser.add_argument("--rate", type=float, default=20_000.0)
    given = parser.parse_args()
    found = {
        f"{name}, {viewers} viewers": watched(rate, given.seconds, viewers)
        for name, rate in ((f"{given.rate:g} Hz", given.rate), ("as fast as possible", 0.0))
        for viewers in (0, given.viewers)
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
