"""Live frames over loopback TCP: against a bare receiver, and ten million without loss or growth.

    python -m benchmarks.speed.live_soak compare
    python -m benchmarks.speed.live_soak compare-timepix3
    python -m benchmarks.speed.live_soak soak --frames 10000000

`compare` receives 256 × 256 uint16 frames from the same sender with a bare loop, with MerlinLive
alone and with MerlinLive and the moments that centres of mass are made of; the rounds alternate.
`compare-timepix3` does the same with electrons, in GB/s, with Timepix3Listener.
`soak` sends 64 × 64 frames from a process of its own and compares the sums of all moments with
what was sent, exactly. All print JSON.
"""

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402

HOST = "127.0.0.1"
COUNTS, SEED = 1000.0, 5
SOAK_SCAN, SOAK_DETECTOR = (64, 64), (64, 64)
ROUND_SCAN, ROUND_DETECTOR = (32, 32), (256, 256)
CHECKPOINTS = 20


def sender(scan, detector, frames, runs) -> tuple[subprocess.Popen, int]:
    """Start the rehearsal detector in a process of its own; returns it and its data port."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "crewe.testing.fake_merlin_program", "--no-wait"]
    options = {
        "scan": "x".join(map(str, scan)),
        "detector": "x".join(map(str, detector)),
        "counts": COUNTS,
        "seed": SEED,
        "frames": frames,
        "runs": runs,
        "data-port": port,
        "command-port": 0,
    }
    command += [f"--{name}={value}" for name, value in options.items()]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.readline()
    if "Merlin" not in said:
        raise RuntimeError(said)
    return process, port


def patterns(scan, detector) -> np.ndarray:
    """Return the frames that the sender repeats (frame, ky, kx)."""
    from crewe.testing.diffraction import lattice_patterns

    rng = np.random.default_rng(SEED)
    return lattice_patterns(scan, detector, COUNTS, rng).reshape(-1, *detector)


def bare(port: int) -> float:
    """Return the seconds that a bare loop needs to receive all, from the first bytes on."""
    room = memoryview(bytearray(4 * 2**20))
    with socket.create_connection((HOST, port)) as connection:
        count = connection.recv_into(room)
        begin = time.perf_counter()
        length = int(bytes(room[4:14])) + 14
        total = expected(bytes(room[15:length]))
        while count < total and (more := connection.recv_into(room)):
            count += more
        return time.perf_counter() - begin


def expected(announcement: bytes) -> int:
    """Return the bytes of an acquisition."""
    from crewe.sources.merlin.header import parse_hdr
    from crewe.testing.merlin_messages import HEADER_BYTES

    frames = parse_hdr(announcement).frames or 0
    pixels = 2 * ROUND_DETECTOR[0] * ROUND_DETECTOR[1]
    return 15 + len(announcement) + frames * (15 + HEADER_BYTES + pixels)


def live(port: int, with_moments: bool) -> tuple[float, str]:
    """Return the seconds of MerlinLive for the same, and its counters in words."""
    from crewe.sources import Scan
    from crewe.sources.merlin.live import MerlinLive
    from crewe.stem4d.moments import Moments

    scan = Scan(ROUND_SCAN)
    moments = Moments(scan.shape, ROUND_DETECTOR)
    with MerlinLive(HOST, scan, data_port=port, command_port=None) as source:
        begin = time.perf_counter()
        for batch in source.batches():
            if with_moments:
                moments.add(moments.measure(batch))
        return time.perf_counter() - begin, source.counters.in_words()


def compare(frames: int, rounds: int) -> dict[str, object]:
    """Alternate bare and live receivers on the same sender; the first round only warms up."""
    kinds = ("bare", "live", "live_with_moments")
    process, port = sender(ROUND_SCAN, ROUND_DETECTOR, frames, 3 * (rounds + 1))
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    words = []
    for _ in range(rounds + 1):
        for kind in kinds:
            if kind == "bare":
                seconds[kind].append(bare(port))
            else:
                taken, said = live(port, kind == "live_with_moments")
                seconds[kind].append(taken)
                words.append(said)
    process.wait()
    khz = {kind: [frames / taken / 1e3 for taken in seconds[kind][1:]] for kind in kinds}
    middle = {kind: float(np.median(khz[kind])) for kind in kinds}
    return {
        "frames": frames,
        "khz": khz,
        "median_khz": middle,
        "of_bare": {kind: middle[kind] / middle["bare"] for kind in kinds[1:]},
        "counters": sorted(set(words)),
    }


def soak(frames: int) -> dict[str, object]:
    """Receive all frames; watch memory, count losses and compare the sums with what was sent."""
    from crewe.sources import Scan
    from crewe.sources.merlin.live import MerlinLive
    from crewe.stem4d.moments import Moments

    scan = Scan(SOAK_SCAN)
    moments = Moments(scan.shape, SOAK_DETECTOR, "sum")
    process, port = sender(SOAK_SCAN, SOAK_DETECTOR, frames, 1)
    rows, received, mark = [], 0, frames // CHECKPOINTS
    with MerlinLive(HOST, scan, data_port=port, command_port=None) as source:
        begin = time.perf_counter()
        for batch in source.batches():
            moments.add(moments.measure(batch))
            received += len(batch.positions)
            if received >= mark:
                mark += frames // CHECKPOINTS
                rows.append({"frames": received, "resident_mb": _resident_mb()})
        seconds = time.perf_counter() - begin
        counters = source.counters
    process.wait()
    return {
        "frames": frames,
        "khz": frames / seconds / 1e3,
        "counters": counters.in_words(),
        "faults": dict(counters.faults),
        "sums_exact": _same_sums(moments, frames),
        "resident_mb": rows,
        "growth_mb": rows[-1]["resident_mb"] - rows[len(rows) // 10]["resident_mb"],
    }


def _same_sums(moments, frames: int) -> bool:
    """Compare Σ I, Σ ky·I and Σ kx·I of every position with those of the frames sent there."""
    sent = patterns(SOAK_SCAN, SOAK_DETECTOR).astype(np.float64)
    ky, kx = (np.arange(n) for n in SOAK_DETECTOR)
    single = [sent.sum((1, 2)), (sent.sum(2) * ky).sum(1), (sent.sum(1) * kx).sum(1)]
    whole, rest = divmod(frames, len(sent))
    times = whole + (np.arange(len(sent)) < rest)
    found = [moments.counts, *moments.first]
    return all(
        np.array_equal(image.ravel(), one * times) for image, one in zip(found, single, strict=True)
    )


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["compare", "compare-timepix3", "soak"])
    parser.add_argument("--frames", type=int)
    parser.add_argument("--megabytes", type=float, default=1000.0, help="of electrons, per round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.what == "compare":
        found = compare(options.frames or 20_000, options.rounds)
    elif options.what == "compare-timepix3":
        from benchmarks.speed.live_timepix3 import compare_timepix3

        found = compare_timepix3(options.megabytes, options.rounds)
    else:
        found = soak(options.frames or 10_000_000)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
