"""A live stream of electrons over loopback TCP against bare receivers of the same bytes.

`bare` is a plain loop, `bare_in_gulps` one that wakes up only for many packets at once, which is
the faster of the two.
"""

import multiprocessing
import socket
import time
from multiprocessing.connection import Connection

import numpy as np

HOST = "127.0.0.1"
SCAN, DETECTOR, ELECTRONS = (256, 256), (512, 512), 50.0
KINDS = ("bare", "bare_in_gulps", "live", "live_with_moments")
ROOM_BYTES, GULP_BYTES = 2**21, 2**19


def send_rounds(pipe: Connection, megabytes: float) -> None:
    """Make a stream of whole scans, tell its scans and bytes, and send it to each port told."""
    from crewe.testing.fake_timepix3 import FakeTimepix3
    from crewe.testing.timepix3_phantom import Timepix3Phantom

    phantom = Timepix3Phantom(scan_shape=SCAN, electrons=ELECTRONS)
    stream, scans = bytearray(), 0
    while len(stream) < 1e6 * megabytes:
        # One scan after the other, as the sender itself makes them.
        stream += FakeTimepix3(phantom)._phantom_bytes(phantom, scans)
        scans += 1
    fake = FakeTimepix3(bytes(stream))
    pipe.send((scans, len(stream)))
    while port := pipe.recv():
        fake.run(port)


def bare(pipe: Connection, gulp_bytes: int = 1) -> float:
    """Return the seconds from asking for the bytes to having received all in a bare loop."""
    room = memoryview(bytearray(ROOM_BYTES))
    with socket.create_server((HOST, 0)) as server:
        begin = time.perf_counter()
        pipe.send(server.getsockname()[1])
        connection, _ = server.accept()
        with connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, gulp_bytes)
            while connection.recv_into(room):
                pass
    return time.perf_counter() - begin


def live(pipe: Connection, scans: int, with_moments: bool) -> tuple[float, str]:
    """Return the seconds of Timepix3Listener for the same, and its counters in words."""
    from crewe.sources import Scan
    from crewe.sources.timepix3 import Timepix3Listener
    from crewe.stem4d.moments import Moments

    moments = Moments(SCAN, DETECTOR)
    with Timepix3Listener(Scan(SCAN), HOST, port=0, scans=scans) as source:
        begin = time.perf_counter()
        pipe.send(source.port)
        for batch in source.batches():
            if with_moments:
                moments.add(moments.measure(batch))
        return time.perf_counter() - begin, source.counters.in_words()


def compare_timepix3(megabytes: float, rounds: int) -> dict[str, object]:
    """Alternate bare and live receivers on the same sender; the first round only warms up."""
    pipe, far = multiprocessing.Pipe()
    start = multiprocessing.get_context("spawn").Process
    process = start(target=send_rounds, args=(far, megabytes), daemon=True)
    process.start()
    scans, size = pipe.recv()
    seconds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    words = []
    for _ in range(rounds + 1):
        for kind in KINDS:
            if kind.startswith("bare"):
                seconds[kind].append(bare(pipe, 1 if kind == "bare" else GULP_BYTES))
            else:
                taken, said = live(pipe, scans, kind == "live_with_moments")
                seconds[kind].append(taken)
                words.append(said)
    pipe.send(0)
    process.join()
    rates = {kind: [size / taken / 1e9 for taken in seconds[kind][1:]] for kind in KINDS}
    middle = {kind: float(np.median(rates[kind])) for kind in KINDS}
    return {
        "megabytes": size / 1e6,
        "scans": scans,
        "gigabytes_per_s": rates,
        "median_gigabytes_per_s": middle,
        "of_bare": {kind: middle[kind] / middle["bare"] for kind in KINDS[2:]},
        "of_bare_in_gulps": {kind: middle[kind] / middle["bare_in_gulps"] for kind in KINDS[2:]},
        "counters": sorted(set(words)),
    }
