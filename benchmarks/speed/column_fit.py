"""How long finding and fitting takes, how it grows, and how long Atomap takes beside it.

    python -m benchmarks.speed.column_fit --markdown docs/benchmarks/speed.md

Peers run in an environment of their own (benchmarks/peers/requirements.txt).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.accuracy.estimate import Estimate
from benchmarks.accuracy.methods import ATOMAP_SCRIPT
from benchmarks.accuracy.tables import environment
from benchmarks.speed.measure import SAMPLING, SPACING, lattice_counts

ATOMAP_COLUMNS = 300
PER_SIDE = (10, 32, 50, 100, 316)


def main() -> None:
    """Measure, print and, when asked, write the page of the documentation."""
    options = _arguments()
    rows = [_best(per_side, options.repeats) for per_side in options.per_side]
    starts = {name: _start_seconds(code) for name, code in STARTS.items()}
    peer = _atomap(options.peers) if options.peers.exists() else None
    page = speed_page(rows, starts, peer)
    print(page)
    if options.markdown:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(page)


STARTS = {
    "`import crewe`": [sys.executable, "-c", "import crewe"],
    "`crewe --help`": [str(Path(sys.executable).with_name("crewe")), "--help"],
    "`python -c pass`, for comparison": [sys.executable, "-c", "pass"],
}


def _best(per_side: int, repeats: int) -> dict[str, float]:
    """Return the run with the shortest fit of several, each in a new process."""
    command = [sys.executable, "-m", "benchmarks.speed.measure", str(per_side)]
    runs = [json.loads(subprocess.check_output(command)) for _ in range(repeats)]
    return min(runs, key=lambda run: run["find_wall"] + run["fit_wall"])


def _start_seconds(command: list[str], repeats: int = 7) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def _atomap(peers: Path) -> Estimate:
    """Refine some columns of the 1024 × 1024 image with Atomap's default 2D Gaussian."""
    options = {
        "sampling": SAMPLING,
        "separation": SPACING / SAMPLING / 2,
        "pca": False,
        "region": 0.4,
        "limit": ATOMAP_COLUMNS,
    }
    with tempfile.TemporaryDirectory() as folder:
        given, result = Path(folder) / "image.npz", Path(folder) / "result.npz"
        np.savez(given, image=lattice_counts(50), **options)
        command = [peers, ATOMAP_SCRIPT, given, result]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return Estimate.load(result)


def speed_page(
    rows: list[dict[str, float]], starts: dict[str, float], peer: Estimate | None
) -> str:
    """Return the page that goes into the documentation."""
    head = [
        "# Speed",
        "<!-- Written by `python -m benchmarks.speed.column_fit`; do not edit by hand. -->",
        "Find and fit with no option set, of a square lattice whose image grows with the number\n"
        "of columns; compiled code warm, a process for each size, the best of the repeats.\n"
        "Memory is the largest resident size of the process less that before finding.",
        _table(rows),
        _comparison(rows, peer),
        "\n".join(f"- {name}: {seconds:.2f} s" for name, seconds in starts.items()),
    ]
    return "\n\n".join([*head, environment("numpy", "scipy", "numba")]) + "\n"


def _table(rows: list[dict[str, float]]) -> str:
    lines = [
        "| columns | found | image | find s | fit s | find + fit CPU s "
        "| fit CPU s per 1,000 | memory MB |",
        "| --- " * 8 + "|",
    ]
    for row in rows:
        cpu = row["find_cpu"] + row["fit_cpu"]
        memory = row["peak_megabytes"] - row["peak_megabytes_before"]
        lines.append(
            f"| {row['true_columns']:,} | {row['columns']:,} | {row['pixels']}² "
            f"| {row['find_wall']:.2f} | {row['fit_wall']:.2f} | {cpu:.2f} "
            f"| {1000 * row['fit_cpu'] / row['columns']:.2f} | {memory:.0f} |"
        )
    return "\n".join(lines)


def _comparison(rows: list[dict[str, float]], peer: Estimate | None) -> str:
    ours = next((row for row in rows if row["true_columns"] == 2500), None)
    if ours is None or peer is None:
        return "Atomap was not measured in this run."
    theirs_cpu, theirs_wall = peer.fit_cpu / peer.x.size, peer.fit_wall / peer.x.size
    cpu, wall = ours["fit_cpu"] / ours["columns"], ours["fit_wall"] / ours["columns"]
    return (
        f"Per column of the 2,500, Atomap's refinement (centre of mass, then 2D Gaussian, "
        f"{peer.x.size} columns)\ntakes {1000 * theirs_wall:.2f} ms ({1000 * theirs_cpu:.2f} ms "
        f"CPU), crewe's fit {1000 * wall:.3f} ms ({1000 * cpu:.3f} ms CPU):\na factor of "
        f"{theirs_wall / wall:.0f} on the clock and {theirs_cpu / cpu:.0f} in CPU time."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--per-side", type=int, nargs="+", default=list(PER_SIDE))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", type=Path, default=Path(".venv-peers/bin/python"))
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
