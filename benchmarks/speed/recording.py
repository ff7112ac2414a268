"""How fast patterns are recorded, against plain files of the same bytes in the same run.

    python -m benchmarks.speed.recording FOLDER [--gigabytes 2]

256 × 256 frames in the byte order of a Merlin; FOLDER is on the disk to be measured. Plain files
hold the bytes of one chunk each and need no swapping of bytes. The rounds alternate; MB/s are
printed as JSON, median and all.
"""

import argparse
import json
import shutil
import statistics
import time
from pathlib import Path

import numpy as np

from crewe.sources import Frames, Scan
from crewe.workflows.recording import Recorder

ROUNDS = 3
FRAMES, SIDE = 32, 256


def plain(folder: Path, patterns: np.ndarray, number: int) -> float:
    """Write chunks as files; returns the seconds."""
    folder.mkdir()
    native = patterns.astype("u2")
    begin = time.perf_counter()
    for part in range(number):
        with (folder / str(part)).open("wb", buffering=0) as file:
            file.write(native.data)
    took = time.perf_counter() - begin
    shutil.rmtree(folder)
    return took


def recorded(folder: Path, patterns: np.ndarray, number: int) -> float:
    """Record as many frames; returns the seconds until all are written."""
    scan = Scan((-(-number * FRAMES // 512), 512))
    begin = time.perf_counter()
    recorder = Recorder(folder.with_suffix(".zarr"), scan, (SIDE, SIDE))
    for part in range(number):
        recorder.put(Frames(np.arange(part * FRAMES, (part + 1) * FRAMES), patterns))
    recorder.close()
    took = time.perf_counter() - begin
    shutil.rmtree(folder.with_suffix(".zarr"))
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gigabytes", type=float, default=2.0)
    given = parser.parse_args()
    patterns = np.random.default_rng(0).integers(0, 4000, (FRAMES, SIDE, SIDE)).astype(">u2")
    number = max(1, round(given.gigabytes * 1e9 / patterns.nbytes))
    found: dict[str, list[float]] = {"plain files": [], "recorded": []}
    for _ in range(ROUNDS):
        for name, write in (("plain files", plain), ("recorded", recorded)):
            took = write(given.folder / "crewe_recording_speed", patterns, number)
            found[name].append(round(number * patterns.nbytes / took / 1e6))
    medians = {name: statistics.median(all_rounds) for name, all_rounds in found.items()}
    print(json.dumps({"MB/s": medians, "all": found}, indent=2))


if __name__ == "__main__":
    main()
