"""How fast 4D-STEM data become images, beside what the machine and LiberTEM do in the same run.

    python -m benchmarks.speed.stem4d measure
    python -m benchmarks.speed.live_soak soak > build/stem4d_speed/soak.json
    python -m benchmarks.speed.stem4d page --markdown docs/benchmarks/stem4d_speed.md

`measure` runs each measurement in a process of its own and keeps the numbers in `--results`;
`page` turns them into a page. LiberTEM is measured when CREWE_LIBERTEM_PYTHON names the Python of
an environment that has it.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.accuracy.tables import environment

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
MEASURES = {
    "bandwidth_1": ("bandwidth", "1"),
    "bandwidth_4": ("bandwidth", "4"),
    "memory_1": ("memory", "1"),
    "memory_live_1": ("memory", "1", "live"),
    "memory_4": ("memory", "4"),
    "merlin_file_1": ("merlin_file", "1"),
    "merlin_file_4": ("merlin_file", "4"),
    "t3p_10": ("event_file", "10", "t3p"),
    "t3p_100": ("event_file", "100", "t3p"),
    "tpx3_10": ("event_file", "10", "tpx3"),
    "tpx3_100": ("event_file", "100", "tpx3"),
    "ssb": ("ssb",),
    "libertem": ("libertem",),
}
INTRODUCTION = """\
# Speed of 4D-STEM

<!-- Written by `python -m benchmarks.speed.stem4d page`; do not edit by hand. -->

COM and riCOM with a kernel of 61 × 61, warm, the median of several runs; patterns are 256 × 256
uint16, 128 × 128 of them (2.1 GB), event files scans of 512 × 512 positions. riCOM is made at
the end as `crewe phase` does, or, where it says live, brought up to date with each batch.
Bandwidth is what a plain loop over memory reads in the same run, on as many threads. One thread
unless it is said.
"""


def measure(results: Path) -> None:
    """Run every measurement alone and keep its numbers."""
    for name, words in MEASURES.items():
        command = [sys.executable, "-m", "benchmarks.speed.stem4d_measures", *words]
        said = subprocess.check_output(command, env={**os.environ, **ONE_THREAD})
        (results / f"{name}.json").write_bytes(said)
        print(name, said.decode().strip(), flush=True)
    for name, what in (("live", "compare"), ("live_timepix3", "compare-timepix3")):
        command = [sys.executable, "-m", "benchmarks.speed.live_soak", what]
        (results / f"{name}.json").write_bytes(subprocess.check_output(command))


def page(results: Path) -> str:
    """Return the page of the numbers that are there."""
    found = {path.stem: json.loads(path.read_text()) for path in results.glob("*.json")}
    return "\n".join(
        [
            INTRODUCTION,
            _table(found),
            "",
            _live(found["live"]),
            _live_timepix3(found["live_timepix3"]),
            _soak(found["soak"]) if "soak" in found else "",
            _peer(found),
            "",
            environment(),
            "",
        ]
    )


def _table(found: dict) -> str:
    one, four = (found[f"bandwidth_{n}"]["gigabytes_per_second"] for n in (1, 4))
    alone = found["memory_1"]["positions_per_second"]
    lines = ["| what | measured | wanted | beside |", "| --- | --- | --- | --- |"]
    rows = [
        _memory_row("patterns in memory", found["memory_1"], one, "≥ 100 kHz, ≥ 70 % of bandwidth"),
        _memory_row("the same, live", found["memory_live_1"], one, ""),
        _memory_row("patterns in memory, four threads", found["memory_4"], four, "≥ 2.5 × one"),
    ]
    rows[-1] = f"{rows[-1][:-2]}; {found['memory_4']['positions_per_second'] / alone:.1f} × one |"
    for threads in (1, 4):
        file = found[f"merlin_file_{threads}"]
        rows.append(
            f"| .mib file in the page cache, {threads} thread{'s' * (threads > 1)} "
            f"| {file['positions_per_second'] / 1e3:.0f} kHz "
            f"| {'≥ 60 kHz' * (threads == 1)} "
            f"| bare reading {file['read_gigabytes_per_second']:.0f} GB/s |"
        )
    wanted = {"t3p_10": "≥ 4 million positions/s", "t3p_100": "≥ 200 million electrons/s"}
    for name in ("t3p_10", "t3p_100", "tpx3_10", "tpx3_100"):
        kind, per = name.split("_")
        file = found[name]
        rows.append(
            f"| .{kind} file, {per} electrons a position "
            f"| {file['electrons_per_second'] / 1e6:.0f} million electrons/s, "
            f"{file['positions_per_second'] / 1e6:.1f} million positions/s "
            f"| {wanted.get(name, '')} "
            f"| decoding alone {file['decoded_per_second'] / 1e6:.0f} million/s |"
        )
    rows.append(f"| SSB, 128 × 128 of 64 × 64 | {found['ssb']['seconds']:.2f} s | ≤ 0.4 s | |")
    return "\n".join([*lines, *rows])


def _memory_row(name: str, row: dict, bandwidth: float, wanted: str) -> str:
    return (
        f"| {name} | {row['positions_per_second'] / 1e3:.0f} kHz | {wanted} "
        f"| {row['gigabytes_per_second']:.0f} of {bandwidth:.0f} GB/s, "
        f"{100 * row['gigabytes_per_second'] / bandwidth:.0f} % |"
    )


def _live(row: dict) -> str:
    share = row["of_bare"]
    return (
        f"Live over loopback TCP, {row['frames']:,} frames of 256 × 256: a bare receiver takes "
        f"{row['median_khz']['bare']:.1f} kHz from the\nrehearsal detector, crewe "
        f"{row['median_khz']['live']:.1f} kHz ({100 * share['live']:.0f} %), with the moments of "
        f"every pattern\n{row['median_khz']['live_with_moments']:.1f} kHz "
        f"({100 * share['live_with_moments']:.0f} %; wanted 95 %). Counters: "
        f"{'; '.join(row['counters'])}.\n"
    )


def _live_timepix3(row: dict) -> str:
    rates = row["median_gigabytes_per_s"]
    return (
        f"Live electrons over loopback TCP (8 bytes each): a bare receiver takes "
        f"{rates['bare']:.1f} GB/s, one that waits for large\npieces "
        f"{rates['bare_in_gulps']:.1f}, crewe {rates['live']:.1f} decoded and placed "
        f"({100 * row['of_bare']['live']:.0f} % and "
        f"{100 * row['of_bare_in_gulps']['live']:.0f} %), "
        f"with the moments {rates['live_with_moments']:.1f} GB/s,\n"
        f"{rates['live_with_moments'] / 8 * 1e3:.0f} million electrons/s. Nothing was lost.\n"
    )


def _soak(row: dict) -> str:
    memory = [point["resident_mb"] for point in row["resident_mb"]]
    return (
        f"Soak: {row['frames']:,} frames of 64 × 64 over TCP at {row['khz']:.0f} kHz. "
        f"{row['counters'].capitalize()};\nfaults: {row['faults'] or 'none'}; resident memory "
        f"{min(memory):.0f} to {max(memory):.0f} MB, {row['growth_mb']:+.1f} MB from the first "
        f"tenth to the end;\nthe sums of all moments {'are' if row['sums_exact'] else 'are NOT'} "
        "exactly those of what was sent.\n"
    )


def _peer(found: dict) -> str:
    peer = found.get("libertem") or {}
    if not peer:
        return ""
    ours = found["memory_1"]["positions_per_second"]
    return (
        f"LiberTEM {peer['version']} makes the centres of mass alone of the same patterns at "
        f"{peer['inline'] / 1e3:.0f} kHz on one thread\nand "
        f"{peer['threads'] / 1e3:.0f} kHz with its executor of threads: crewe's COM and riCOM are "
        f"{ours / peer['inline']:.1f} times faster on one thread\n(wanted 3). "
        "riCOM's C++ program does 14 kHz in Fig. 3.3 of its authors."
    )


def main() -> None:
    """Measure, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["measure", "page"])
    parser.add_argument("--results", type=Path, default=Path("build/stem4d_speed"))
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    if options.what == "measure":
        measure(options.results)
        return
    text = page(options.results)
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


if __name__ == "__main__":
    main()
