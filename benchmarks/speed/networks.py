"""How long networks take to run and to train, and what memory they need.

    python -m benchmarks.speed.networks --markdown docs/benchmarks/restoration.md

Every measurement is a process of its own, so that the peak of its memory is that of itself.
ONNX and torch run the same untrained weights, of the size that the plan of the default network
names; the shipped network is measured beside them when there is one.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.accuracy.restoration_tables import put_between_marks
from benchmarks.accuracy.tables import environment
from benchmarks.speed.measure import peak_megabytes

PLAN, SIDE, TILE_PX = "hrstem-small", 2048, 1024
WANTED_SECONDS, WANTED_MEGABYTES = 10, 2500
WARM_STEPS = 3
EXPORTED = "onnx:"
"""Stands before the path of the ONNX file that is compared with torch."""


def image(side: int = SIDE) -> np.ndarray:
    """Return counts of a lattice at a low dose, (side, side)."""
    wave = 1 + np.cos(np.arange(side, dtype=np.float32) / 2)
    return np.random.default_rng(1).poisson(3 * np.outer(wave, wave)).astype(np.float32)


def run(source: str, threads: int) -> dict[str, object]:
    """Time one image of 2048 × 2048 pixels; `source` as in --help."""
    before = peak_megabytes()
    start = time.perf_counter()
    restore = _restorer(source, threads)
    restore(image(256))
    opened = time.perf_counter()
    restore(image())
    return {
        "source": EXPORTED.rstrip(":") if source.startswith(EXPORTED) else source,
        "threads": threads,
        "open_seconds": opened - start,
        "seconds": time.perf_counter() - opened,
        "megabytes": peak_megabytes(),
        "megabytes_before": before,
    }


def _restorer(source: str, threads: int):
    from crewe.networks.inference import OnnxNetwork, run
    from crewe.networks.zoo import open_network

    if source == "torch":
        network = _TorchNetwork(threads)
    elif source.startswith(EXPORTED):
        network = OnnxNetwork(source.removeprefix(EXPORTED), threads)
    else:
        opened = open_network(source, threads)
        return lambda given: opened.run(given, tile_px=TILE_PX)
    return lambda given: run(network, given, tile_px=TILE_PX)


class _TorchNetwork:
    """The network of the plan, run by torch."""

    def __init__(self, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self.module = _module().eval()

    def __call__(self, tiles: np.ndarray) -> np.ndarray:
        import torch

        with torch.inference_mode():
            return self.module(torch.from_numpy(np.ascontiguousarray(tiles))[:, None])[:, 0].numpy()


def _module():
    from crewe.networks.training_parts import build_networks
    from crewe.networks.training_plan import load_plan

    return build_networks(load_plan(PLAN)).generator


def export(path: Path) -> None:
    """Write the network of the plan as ONNX."""
    from crewe.networks.export import export_onnx

    export_onnx(_module(), path, half=True, overwrite=True)


def train(precision: str, threads: int, steps: int) -> dict[str, object]:
    """Time steps of the plan on random images, the making of samples left out."""
    import torch

    from crewe.networks.training_parts import build_networks
    from crewe.networks.training_plan import load_plan
    from crewe.networks.training_state import TrainingState

    torch.set_num_threads(threads)
    plan = load_plan(PLAN).model_copy(update={"mixed_precision": precision == "bfloat16"})
    side = int(plan.recipe.changes.get("size_px", 256))
    state = TrainingState(plan, build_networks(plan), torch.device("cpu"))
    rng = np.random.default_rng(0)
    pair = rng.standard_normal((2, plan.batch_size, 1, side, side), dtype=np.float32)
    for _ in range(WARM_STEPS):
        state.advance(*pair)
    start = time.perf_counter()
    for _ in range(steps):
        state.advance(*pair)
    return {
        "source": f"training, {precision}",
        "threads": threads,
        "batch": plan.batch_size,
        "side": side,
        "samples_per_second": steps * plan.batch_size / (time.perf_counter() - start),
        "megabytes": peak_megabytes(),
    }


def page(runs: list[dict], trainings: list[dict]) -> str:
    """Return both tables as Markdown."""
    lines = [
        f"An image of {SIDE} × {SIDE} pixels in tiles of {TILE_PX}; wanted at most "
        f"{WANTED_SECONDS} s on 4 threads\nand {WANTED_MEGABYTES / 1000:.1f} GB. *onnx* and "
        f"*torch* run the same weights of the size that the plan\n{PLAN} has; opening the network "
        "is not in the seconds.\n",
        "| network | threads | seconds | opening s | peak memory MB |",
        "| --- " * 5 + "|",
    ]
    lines += [
        f"| {row['source']} | {row['threads']} | {row['seconds']:.1f} | {row['open_seconds']:.1f} "
        f"| {row['megabytes']:.0f} |"
        for row in runs
    ]
    lines += [
        f"\nSteps of the plan {PLAN}, samples ready made: batches of {trainings[0]['batch']} "
        f"images of {trainings[0]['side']} × {trainings[0]['side']} pixels.\n",
        "| precision | threads | samples per second | peak memory MB |",
        "| --- " * 4 + "|",
    ]
    lines += [
        f"| {row['source'].removeprefix('training, ')} | {row['threads']} "
        f"| {row['samples_per_second']:.1f} | {row['megabytes']:.0f} |"
        for row in trainings
    ]
    return "\n".join(lines) + "\n\n" + environment("numpy", "onnxruntime", "torch")


def all_of(sources: list[str], steps: int) -> str:
    """Measure everything, one process after the other."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        # In another process: what the export needs is not what the runs need.
        command = [sys.executable, "-m", "benchmarks.speed.networks", "export"]
        subprocess.run([*command, "--source", str(path)], check=True)
        sources = [*sources, f"{EXPORTED}{path}", "torch"]
        runs = [_measured("run", source, threads) for source in sources for threads in (1, 4)]
    trainings = [
        _measured("train", precision, threads, steps)
        for precision in ("float32", "bfloat16")
        for threads in (1, 4)
    ]
    return page(runs, trainings)


def _measured(what: str, source: str, threads: int, steps: int = 0) -> dict:
    command = [sys.executable, "-m", "benchmarks.speed.networks", what, "--source", source]
    more = ["--threads", str(threads), "--steps", str(steps)]
    found = json.loads(subprocess.check_output([*command, *more]).splitlines()[-1])
    print(found, flush=True)
    return found


def main() -> None:
    """Measure one thing, or all of them in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    whats = ["all", "run", "train", "export"]
    parser.add_argument("what", nargs="?", choices=whats, default="all")
    parser.add_argument("--source", help="torch, onnx:PATH, a network, or for train a precision")
    parser.add_argument("--network", default="hrstem", help="name or path, measured by 'all'")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--markdown", type=Path)
    given = parser.parse_args()
    if given.what == "export":
        export(Path(given.source))
    elif given.what == "run":
        print(json.dumps(run(given.source, given.threads)))
    elif given.what == "train":
        print(json.dumps(train(given.source, given.threads, given.steps)))
    else:
        text = all_of([given.network], given.steps)
        print(text)
        if given.markdown:
            put_between_marks(given.markdown, "networks", text)


if __name__ == "__main__":
    main()
