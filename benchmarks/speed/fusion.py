"""How fast element maps are fused, beside the original program on the same cost.

    python -m benchmarks.speed.fusion --peer .venv-fusion/bin/python \
        --markdown docs/benchmarks/fusion_speed.md

The peer is an environment that holds multimodal_fusion 0.6.0; without one, only the speed of
`crewe.fuse` is measured. Nothing else should run beside it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.accuracy.tables import environment

PEER_SCRIPT = Path(__file__).parents[1] / "peers" / "multimodal_fusion_maps.py"
GAMMA = 1.6
HAADF_SNR, CHEMICAL_SNR = 20, 5
WANTED_RATIO, WANTED_SECONDS = 3, 5
# Weights of the chemical term and of variation, background, iterations: of the original's README,
# and of its tutorial for two data sets.
SETTINGS = {
    "README": (0.005, 0.1, 0.1, 50),
    "tutorial, Co and Mn": (0.006, 0.022, 0.01, 30),
    "tutorial, DyScO3": (0.08, 0.15, 0.24, 30),
}
KINDS = ("smooth", "textured", "atomic")


def measurement(kind: str, pixels: int):
    """Return noisy maps and HAADF of the core of CoS in its shell of CoO."""
    from crewe.testing.core_shell import core_shell, measure

    noise = np.random.default_rng(1)
    return measure(core_shell(kind, pixels=pixels), HAADF_SNR, CHEMICAL_SNR, noise)


def normalised(image: np.ndarray) -> np.ndarray:
    """Return an image from 0 to 1, as the original brings every map and HAADF to one scale."""
    lowered = image - image.min()
    return (lowered / lowered.max()).astype(np.float32)


def same_cost(given: dict[str, np.ndarray], theirs: np.ndarray) -> dict[str, float]:
    """Time crewe down to the cost of `theirs`, and to where it stops by itself."""
    from crewe.chemistry.amounts import fuse_amounts
    from crewe.chemistry.cost import fusion_cost
    from crewe.chemistry.operators import ElasticModel

    model = ElasticModel(tuple(map(str, given["elements"])), float(given["gamma"]), "number")
    problem = (given["maps"], given["haadf"], model)
    weights = {
        "haadf_weight": 1 / len(given["maps"]),
        "chemical_weight": float(given["chemical_weight"]),
        "variation_weight": float(given["variation_weight"]),
        "background": float(given["background"]),
    }
    _, history = fuse_amounts(*problem, **weights)
    found = {"converged_cost": history.total.iloc[-1], "converged_iterations": len(history) - 1}
    found["converged_s"] = _seconds(lambda: fuse_amounts(*problem, **weights))
    goal = fusion_cost(*problem, **weights).terms(theirs.astype(np.float32)).total
    reached = history.iteration[history.total <= goal]
    if reached.empty:
        return {**found, "cost": goal, "iterations": -1, "seconds": float("inf")}
    needed = int(reached.iloc[0])
    seconds = _seconds(lambda: fuse_amounts(*problem, **weights, iterations=needed, tolerance=0))
    return {**found, "cost": goal, "iterations": needed, "seconds": seconds}


def by_itself(kind: str, pixels: int) -> dict[str, object]:
    """Time `crewe.chemistry.fuse` with no option set."""
    from crewe.chemistry import fuse

    given = measurement(kind, pixels)
    fuse(given.haadf, given.maps)
    cpu, start = time.process_time(), time.perf_counter()
    found = fuse(given.haadf, given.maps)
    seconds = time.perf_counter() - start
    away = found.maps.values - given.truth.values
    size = np.linalg.norm(given.truth.values, axis=(1, 2))
    return {
        "seconds": seconds,
        "cpu_seconds": time.process_time() - cpu,
        "prior": found.prior,
        "error": float(np.mean(np.linalg.norm(away, axis=(1, 2)) / size)),
    }


def _seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(peer: Path, pixels: int, name: str, threads: int, repeats: int) -> dict[str, float]:
    """Run the original and crewe in turn, a process each; return the quickest of each."""
    chemical, variation, background, iterations = SETTINGS[name]
    noisy = measurement("textured", pixels)
    given = {
        "maps": np.stack([normalised(image) for image in noisy.maps.values]),
        "haadf": normalised(noisy.haadf.values),
        "elements": noisy.maps.element.values.astype(str),
        "gamma": GAMMA,
        "chemical_weight": chemical,
        "variation_weight": variation,
        "background": background,
        "iterations": iterations,
    }
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder) / "given.npz", Path(folder) / "found.npz"
        np.savez(paths[0], **given)
        for _ in range(repeats):
            _process([peer, PEER_SCRIPT, *paths], threads)
            with np.load(paths[1]) as theirs:
                own = {"their_s": float(theirs["run"]), "prepare_s": float(theirs["prepare"])}
            runs.append({**own, **_part("cost", threads, *paths)})
    quickest = {key: min(run[key] for run in runs) for key in runs[0] if key.endswith("_s")}
    return {**runs[0], **quickest, "seconds": min(run["seconds"] for run in runs)}


def _quickest(kind: str, pixels: int, threads: int, repeats: int) -> dict[str, object]:
    runs = [_part("alone", threads, kind, pixels) for _ in range(repeats)]
    return min(runs, key=lambda run: run["seconds"])


def _part(part: str, threads: int, *arguments) -> dict:
    command = [sys.executable, "-m", "benchmarks.speed.fusion", "--part", part, "--given"]
    return json.loads(_process([*command, *map(str, arguments)], threads).splitlines()[-1])


def _process(command: list, threads: int) -> str:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    limited = {**os.environ, **dict.fromkeys(names, str(threads))}
    return subprocess.check_output(command, env=limited, text=True)


def page(rows: list[tuple], alone: list[tuple]) -> str:
    """Return the page that goes into the documentation."""
    lines = [
        "# Speed of fused maps\n",
        "<!-- Written by `python -m benchmarks.speed.fusion`; do not edit by hand. -->\n",
        *(_cost_words(rows) if rows else ["The original program was not at hand.", ""]),
        *_alone_words(alone),
    ]
    return "\n".join([*lines, environment("numpy", "scipy", "numba")]) + "\n"


def _cost_words(rows: list[tuple]) -> list[str]:
    ratios = [row["their_s"] / row["seconds"] for *_, row in rows]
    lines = [
        "## To the same cost as the original program\n",
        "Textured core and shell, three elements (HAADF SNR 20, chemical SNR 5), every map and",
        f"HAADF brought to 0…1 as multimodal_fusion 0.6.0 does; γ {GAMMA}, weights Z/mean(Z),",
        "λ of HAADF 1/3. The original runs as many iterations as its README or tutorial has, 15 of",
        "them inside, without plots. Its last cost, by crewe's function, is the goal of crewe's",
        "`fuse_amounts`. Both start from the data and have the same number of threads, of which",
        "the original as it is published uses one; its seconds are those of the iterations, the",
        "matrix that it prepares first is told apart. crewe's hold everything. Quickest of the",
        "repeats, compiled code warm. One iteration can do: variation is worked in it with",
        "momentum, up to 50 times. *Stops by itself* is where crewe's own stopping rule ends.",
        "",
        "| settings | pixels | threads | iterations | original s | (prepare s) | its cost "
        "| crewe s | iterations | **times as fast** | stops by itself s | iterations | cost |",
        "| --- " * 13 + "|",
    ]
    for name, pixels, threads, row in rows:
        lines.append(
            f"| {name} | {pixels}² | {threads} | {SETTINGS[name][3]} | {row['their_s']:.2f} "
            f"| {row['prepare_s']:.2f} | {row['cost']:.1f} | {row['seconds']:.3f} "
            f"| {row['iterations']} | **{row['their_s'] / row['seconds']:.0f}** "
            f"| {row['converged_s']:.2f} | {row['converged_iterations']} "
            f"| {row['converged_cost']:.1f} |"
        )
    said = f"{min(ratios):.0f} to {max(ratios):.0f} times as fast; wanted was {WANTED_RATIO}."
    return [*lines, "", said, ""]


def _alone_words(alone: list[tuple]) -> list[str]:
    if not alone:
        return []
    lines = [
        "## With no option set\n",
        "`crewe.fuse(haadf, maps)`, three elements, the same noise; every weight, γ and the prior",
        "are chosen from the data within that time. Error is the mean over elements of ‖x −",
        "truth‖/‖truth‖ (raw maps: 0.22).",
        "",
        "| phantom | pixels | threads | seconds | CPU seconds | prior | error |",
        "| --- " * 7 + "|",
    ]
    for kind, pixels, threads, row in alone:
        lines.append(
            f"| {kind} | {pixels}² | {threads} | {row['seconds']:.2f} | {row['cpu_seconds']:.2f} "
            f"| {row['prior']} | {row['error']:.3f} |"
        )
    return [*lines, "", f"Wanted were {WANTED_SECONDS} s for 512² on four cores.", ""]


def main() -> None:
    """Measure, print the page and keep it."""
    options = _arguments()
    if options.part == "cost":
        with np.load(options.given[0]) as given, np.load(options.given[1]) as theirs:
            print(json.dumps(same_cost(dict(given), theirs["maps"])))
        return
    if options.part == "alone":
        print(json.dumps(by_itself(options.given[0], int(options.given[1]))))
        return
    rows = [
        (name, pixels, threads, compare(options.peer, pixels, name, threads, options.repeats))
        for threads in (options.threads if options.peer else ())
        for pixels in options.pixels
        for name in SETTINGS
    ]
    most = max(options.threads)
    alone = [
        (kind, pixels, most, _quickest(kind, pixels, most, options.repeats))
        for kind in (() if options.without_fuse else KINDS)
        for pixels in options.pixels
    ]
    text = page(rows, alone)
    print(text)
    if options.markdown:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", type=Path, help="Python that has multimodal_fusion 0.6.0")
    parser.add_argument("--pixels", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--without-fuse", action="store_true", help="leave out crewe.fuse")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--part", choices=("cost", "alone"), help=argparse.SUPPRESS)
    parser.add_argument("--given", nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
