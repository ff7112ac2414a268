"""How long training samples take, one by one and by the ten thousand, and what memory they need.

    python -m benchmarks.speed.training_sets pairs
    python -m benchmarks.speed.training_sets store --samples 10000
    python -m benchmarks.speed.training_sets memory --samples 100000
    python -m benchmarks.speed.training_sets page --markdown docs/benchmarks/training_set_speed.md

The first three print JSON and keep it in `--results`; `page` turns what is there into a page.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# One core: that is what the times are for, and what a worker of a pool has.
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")

import numpy as np  # noqa: E402

from benchmarks.accuracy.tables import environment  # noqa: E402

RECIPES = ("hrstem", "hrtem", "hrsem", "lrstem", "lrtem", "lrsem", "atom-maps")
LIMITS_MS = {"hrstem": 15}
WARM, CHECKPOINTS = 40, 50
PAPER_MS = 1500
"""What Lobato et al. (2024) need for an hrstem pair, as their text says."""


def pairs(samples: int) -> dict[str, dict[str, float]]:
    """Time samples of every recipe, each in a process of its own, and the floor beside them."""
    command = [sys.executable, "-m", "benchmarks.speed.training_sets", "one"]
    return {
        name: json.loads(
            subprocess.check_output(
                [*command, name, "--samples", str(samples)], env={**os.environ, **ONE_CORE}
            )
        )
        for name in ("floor", *RECIPES)
    }


def one(name: str, samples: int) -> dict[str, float]:
    """Return median, mean and ninth decile in ms of the samples of one recipe."""
    make = _floor if name == "floor" else _sampler(name)
    for index in range(WARM):
        make(10**6 + index)
    times = []
    for index in range(samples):
        start = time.perf_counter()
        make(index)
        times.append(1000 * (time.perf_counter() - start))
    return {
        "median_ms": float(np.median(times)),
        "mean_ms": float(np.mean(times)),
        "ninth_decile_ms": float(np.percentile(times, 90)),
    }


def _sampler(name: str):
    from crewe.training_sets import load_recipe

    maker = load_recipe(name)
    return lambda index: maker.sample(0, index)


def _floor(index: int) -> None:
    """The least that any pair needs: a Fourier transform there and back, and counted electrons."""
    from scipy import fft

    rng = np.random.default_rng(index)
    image = rng.random((256, 256), dtype=np.float32)
    fft.irfft2(fft.rfft2(image))
    rng.poisson(20 * image)


def store(samples: int, recipe: str, workers: int) -> dict[str, float]:
    """Time the making of a whole set with `crewe training-set make`."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("CREWE_BENCHMARK_FOLDER")) as folder:
        path = Path(folder) / "set.zarr"
        crewe = Path(sys.executable).with_name("crewe")
        command = [crewe, "training-set", "make", recipe, "-n", str(samples), "-o", path]
        start = time.perf_counter()
        subprocess.run([*command, "--workers", str(workers)], check=True)
        seconds = time.perf_counter() - start
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        free = shutil.disk_usage(folder).free
    return {
        "recipe": recipe,
        "samples": samples,
        "workers": workers,
        "seconds": seconds,
        "gigabytes": size / 1e9,
        "free_gigabytes": free / 1e9,
    }


def memory(samples: int, recipe: str, results: Path) -> dict[str, object]:
    """Watch the resident memory of a process that streams samples and keeps none."""
    from crewe.training_sets import load_recipe, stream

    rows = []
    for count, _ in enumerate(stream(load_recipe(recipe), seed=0), start=1):
        if count % max(samples // CHECKPOINTS, 1) == 0:
            rows.append({"samples": count, "resident_mb": _resident_mb(), "peak_mb": _peak_mb()})
            (results / "memory.json").write_text(json.dumps({"recipe": recipe, "rows": rows}))
        if count == samples:
            break
    return {"recipe": recipe, "rows": rows}


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def page(results: Path) -> str:
    """Return the page that goes into the documentation."""
    parts = [
        "# Speed of training sets",
        "<!-- Written by `python -m benchmarks.speed.training_sets`; do not edit by hand. -->",
        _pairs_table(json.loads((results / "pairs.json").read_text())),
    ]
    for name, said in (("store", _store_text), ("memory", _memory_text)):
        file = results / f"{name}.json"
        if file.exists():
            parts.append(said(json.loads(file.read_text())))
    parts.append(environment("numpy", "scipy", "numba", "zarr"))
    return "\n\n".join(parts) + "\n"


def _pairs_table(times: dict[str, dict[str, float]]) -> str:
    lines = [
        "Samples of 256 × 256 pixels, one after another on one core, compiled code warm. The\n"
        "floor is a Fourier transform there and back and numpy's Poisson numbers for one\n"
        f"image; the paper names {PAPER_MS / 1000:.1f} s for an hrstem pair.\n",
        "| recipe | median ms | mean ms | 90 % below ms | in floors | wanted ms |",
        "| --- " * 6 + "|",
    ]
    floor = times["floor"]["median_ms"]
    for name, row in times.items():
        wanted = "–" if name in ("floor", "atom-maps") else str(LIMITS_MS.get(name, 30))
        lines.append(
            f"| {name} | {row['median_ms']:.1f} | {row['mean_ms']:.1f} "
            f"| {row['ninth_decile_ms']:.1f} | {row['median_ms'] / floor:.1f} | {wanted} |"
        )
    return "\n".join(lines)


def _store_text(row: dict[str, float]) -> str:
    per_sample = 1000 * row["seconds"] * row["workers"] / row["samples"]
    return (
        f"`crewe training-set make {row['recipe']} -n {row['samples']} --workers "
        f"{row['workers']}` took {row['seconds']:.0f} s ({row['seconds'] / 60:.1f} min) and wrote "
        f"{row['gigabytes']:.1f} GB:\n{per_sample:.0f} ms of a core and "
        f"{1000 * row['gigabytes'] / row['samples']:.2f} MB for each labelled sample, start of the "
        "processes included."
    )


def _memory_text(found: dict) -> str:
    rows = found["rows"]
    head = f"Streaming {rows[-1]['samples']:,} samples of {found['recipe']} and keeping none:\n\n"
    lines = ["| samples | resident MB | largest so far MB |", "| --- | --- | --- |"]
    step = max(len(rows) // 8, 1)
    chosen = [rows[0], *rows[step - 1 :: step], rows[-1]]
    seen = {row["samples"]: row for row in chosen}
    lines += [
        f"| {row['samples']:,} | {row['resident_mb']:.0f} | {row['peak_mb']:.0f} |"
        for row in seen.values()
    ]
    return head + "\n".join(lines)


def main() -> None:
    """Measure what is asked for, keep it and print it."""
    options = _arguments()
    options.results.mkdir(parents=True, exist_ok=True)
    if options.what == "one":
        print(json.dumps(one(options.recipe, options.samples or 200)))
        return
    if options.what == "page":
        text = page(options.results)
        print(text)
        if options.markdown:
            options.markdown.write_text(text)
        return
    if options.what == "pairs":
        found: object = pairs(options.samples or 300)
    elif options.what == "store":
        found = store(options.samples or 10_000, options.recipe or "atom-maps", options.workers)
    else:
        found = memory(options.samples or 100_000, options.recipe or "hrstem", options.results)
    (options.results / f"{options.what}.json").write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["pairs", "store", "memory", "page", "one"])
    parser.add_argument("recipe", nargs="?")
    parser.add_argument("--samples", type=int)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--results", type=Path, default=Path("build/training_set_speed"))
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
