"""One measurement of 4D-STEM speed per process; see `python -m benchmarks.speed.stem4d --help`."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numba import njit

SCAN, DETECTOR, KERNEL = (128, 128), (256, 256), 61
EVENT_SCAN, DWELL_TIME_US = (512, 512), 4.0
RUNS = 7
REPOSITORY = Path(__file__).parents[2]


def patterns() -> np.ndarray:
    """Return counts (128, 128, 256, 256) uint16 of a disk that wanders, up to twelve bits."""
    rng = np.random.default_rng(1)
    ky, kx = np.indices(DETECTOR)
    disk = np.hypot(ky - 127, kx - 130) < 60
    some = rng.poisson(1000 * disk + 0.05, (64, *DETECTOR)).astype(np.uint16)
    whole = np.empty((*SCAN, *DETECTOR), np.uint16)
    for row in range(SCAN[0]):
        whole[row] = some[rng.integers(0, 64, SCAN[1])]
    return whole


def median_seconds(task, runs: int = RUNS) -> float:
    """Return the median of some warm runs."""
    task()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


@njit(cache=True, nogil=True)
def _read_all(words: np.ndarray) -> int:
    found = np.uint64(0)
    for index in range(words.size):
        found ^= words[index]
    return found


def bandwidth(threads: int) -> dict[str, float]:
    """Measure what plain reading of memory reaches, in GB/s."""
    words = np.ones(2**28, np.uint64)
    parts = np.array_split(words, 16 * threads)
    with ThreadPoolExecutor(threads) as pool:
        seconds = median_seconds(lambda: list(pool.map(_read_all, parts)))
    return {"gigabytes_per_second": words.nbytes / seconds / 1e9}


def methods(scan, detector_shape):
    """Return a reduction with COM and riCOM, and a function that brings riCOM up to date."""
    from crewe.stem4d.com import CentreOfMass
    from crewe.stem4d.moments import Moments
    from crewe.stem4d.reduction import Reduction
    from crewe.stem4d.ricom import Ricom

    moments = Moments(scan.shape, detector_shape)
    ricom = Ricom(CentreOfMass(moments, scan=scan), KERNEL)
    return Reduction([moments], [ricom]), lambda batch: ricom.update()


def reduced(source, threads: int, at_the_end: bool = False) -> None:
    """Take a source into COM and riCOM, to the finished image.

    riCOM is brought up to date with each batch, as live, or at the end, as `crewe phase` does.
    """
    from crewe.stem4d.reduction import reduce

    reduction, update = methods(source.scan, source.detector_shape)
    reduce(source, reduction, threads, None if at_the_end else update)
    image = reduction.images()["ricom"].values
    assert np.isfinite(image).all()


def memory(threads: int, when: str = "end") -> dict[str, float]:
    """Measure probe positions per second of patterns in memory, and the memory that needs."""
    from crewe.sources import Scan
    from crewe.sources.memory import ArraySource

    data = patterns()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end = when == "end"
    seconds = median_seconds(lambda: reduced(ArraySource(data, Scan(SCAN)), threads, end))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = SCAN[0] * SCAN[1]
    return {
        "positions_per_second": size / seconds,
        "gigabytes_per_second": data.nbytes / seconds / 1e9,
        "megabytes": (after - before) / 1024,
    }


def merlin_file(threads: int) -> dict[str, float]:
    """Measure probe positions per second of a .mib file in the page cache."""
    from crewe.sources import Scan
    from crewe.sources.merlin.file import MerlinFile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scan.mib"
        write_mib(path, patterns())
        buffer = bytearray(2**20)

        def plainly() -> None:
            with path.open("rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass

        def ours() -> None:
            with MerlinFile(path, Scan(SCAN)) as source:
                reduced(source, threads, at_the_end=True)

        size = SCAN[0] * SCAN[1]
        return {
            "positions_per_second": size / median_seconds(ours),
            "read_gigabytes_per_second": path.stat().st_size / median_seconds(plainly) / 1e9,
        }


def write_mib(path: Path, data: np.ndarray) -> None:
    """Write 12-bit patterns as a detector of one chip does."""
    header = (
        "MQ1,{number:06d},00384,01,0256,0256,U16,   1x1,01,2026-01-01 00:00:00.000000,"
        "0.000050,0,0,0,"
        + ",".join(["5.0E+0"] + ["5.11E+2"] * 7)
        + ",3RX,"
        + ",".join(["100"] * 27)
        + ",MQ1A,2026-01-01T00:00:00.000000000Z,50000ns,12,"
    )
    with path.open("wb") as file:
        for number, pattern in enumerate(data.reshape(-1, *DETECTOR)):
            file.write(header.format(number=number + 1).encode().ljust(384, b"\0"))
            file.write(pattern.astype(">u2").tobytes())


def libertem() -> dict[str, float]:
    """Measure the centre of mass alone with LiberTEM, when its environment is named."""
    python = os.environ.get("CREWE_LIBERTEM_PYTHON")
    if not python:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "patterns.npy"
        np.save(path, patterns())
        program = REPOSITORY / "benchmarks" / "peers" / "libertem_com.py"
        return json.loads(subprocess.check_output([python, str(program), str(path)]))


def event_file(per_position: int, kind: str) -> dict[str, float]:
    """Measure electrons and probe positions per second of an event file in the page cache.

    A scan of 512 × 512 positions; lines of .tpx3 are framed by edges of the line signal.
    """
    from crewe.sources import Scan
    from crewe.sources.timepix3 import AdvaPixFile, Timepix3File

    scan = Scan(EVENT_SCAN, dwell_time_us=DWELL_TIME_US)
    opened = {"t3p": AdvaPixFile, "tpx3": Timepix3File}[kind]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"scan.{kind}"
        electrons = write_events(path, per_position)

        def decode() -> None:
            with opened(path, scan) as source:
                assert sum(len(batch.pixels) for batch in source.batches()) > 0.999 * electrons

        def whole() -> None:
            with opened(path, scan) as source:
                reduced(source, 1, at_the_end=True)

        seconds = median_seconds(whole, 5)
        return {
            "electrons_per_second": electrons / seconds,
            "positions_per_second": scan.size / seconds,
            "decoded_per_second": electrons / median_seconds(decode, 5),
        }


def write_events(path: Path, per_position: int) -> int:
    """Write electrons at random times and pixels; return their number."""
    from crewe.sources.timepix3.words import FALLING, RISING, TICKS_PER_US
    from crewe.testing.timepix3_encoding import encode_tpx3, write_t3p, write_tpx3

    rng = np.random.default_rng(1)
    size = EVENT_SCAN[0] * EVENT_SCAN[1]
    number = size * per_position
    dwell = round(DWELL_TIME_US * TICKS_PER_US)
    if path.suffix == ".t3p":
        times = np.sort(rng.integers(0, size * dwell, number))
        write_t3p(path, times, rng.integers(0, 2**16, number).astype(np.uint32))
        return number
    columns = EVENT_SCAN[1]
    line = columns * dwell
    starts = np.arange(EVENT_SCAN[0]) * (line + line // 10) + line // 10
    times = starts[:, None] + rng.integers(0, line, (EVENT_SCAN[0], columns * per_position))
    times = np.sort(times, axis=1).ravel()
    edges = np.stack([starts, starts + line], axis=1).ravel()
    kinds = np.tile([RISING[0], FALLING[0]], EVENT_SCAN[0])
    counts = np.repeat(np.arange(1, EVENT_SCAN[0] + 1), 2)
    pixels = rng.integers(0, 2**18, number).astype(np.uint32)
    write_tpx3(path, encode_tpx3(times, pixels, (edges, kinds, counts), chips=4))
    return number


def ssb() -> dict[str, float]:
    """Measure SSB of a 128 × 128 scan of 64 × 64 patterns, filling included."""
    from crewe.physics.optics import Optics
    from crewe.sources import Scan
    from crewe.sources.memory import ArraySource
    from crewe.stem4d.reduction import Reduction, reduce
    from crewe.stem4d.ssb import SingleSideband

    scan = Scan(SCAN, step_angstrom=(0.2, 0.2))
    ky, kx = np.indices((64, 64))
    disk = np.hypot(ky - 31.5, kx - 31.5) < 16
    data = np.random.default_rng(1).poisson(20 * disk, (*SCAN, 64, 64)).astype(np.uint16)

    def task() -> None:
        method = SingleSideband(scan, (64, 64), Optics(200, 20), (31.5, 31.5), 16.0)
        reduction = Reduction([method], [method])
        reduce(ArraySource(data, scan), reduction)
        assert np.isfinite(reduction.images()["ssb_phase"].values).all()

    return {"seconds": median_seconds(task), "disk_pixels": int(disk.sum())}


MEASURES = {
    "bandwidth": bandwidth,
    "memory": memory,
    "merlin_file": merlin_file,
    "libertem": libertem,
    "event_file": event_file,
    "ssb": ssb,
}

if __name__ == "__main__":
    name, *words = sys.argv[1:]
    print(json.dumps(MEASURES[name](*(int(word) if word.isdigit() else word for word in words))))
