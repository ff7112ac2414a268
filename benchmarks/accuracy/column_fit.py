"""The synthetic column-fitting test: one table for crewe, per-column fits and Atomap.

    python -m benchmarks.accuracy.column_fit --workers 2 --markdown docs/benchmarks/column_fit.md

What was estimated before is kept and not estimated again, as long as the code is the same.
Peers run in an environment of their own (benchmarks/peers/requirements.txt).
"""

import argparse
import dataclasses
import json
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

# One thread per worker: realisations run side by side, and CPU seconds stay comparable.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from benchmarks.accuracy import cache  # noqa: E402
from benchmarks.accuracy.bound import cramer_rao  # noqa: E402
from benchmarks.accuracy.methods import METHODS  # noqa: E402
from benchmarks.accuracy.score import Score, score  # noqa: E402
from benchmarks.accuracy.synthetic import counts, expectation, square_lattice  # noqa: E402
from benchmarks.accuracy.tables import column_fit_page, column_fit_table  # noqa: E402


def main() -> None:
    """Run what is missing in the cache, then score and print."""
    options = _arguments()
    jobs = [
        (method, dose, index)
        for method in options.methods
        for dose in options.doses
        for index in range(options.realisations)
        if not cache.path_of(options.cache, method, dose, index).exists()
    ]
    if not options.stored:
        _run(jobs, options)
    scores = _scores(options)
    print(column_fit_table(scores))
    if options.json:
        options.json.write_text(json.dumps(_as_dictionaries(scores), indent=1) + "\n")
    if options.markdown:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(column_fit_page(scores))


def _run(jobs: list[tuple[str, float, int]], options: argparse.Namespace) -> None:
    context = get_context("spawn")
    with ProcessPoolExecutor(options.workers, mp_context=context) as pool:
        running = [pool.submit(_estimate, *job, options.cache, options.peers) for job in jobs]
        for done, future in enumerate(as_completed(running), 1):
            future.result()
            print(f"\r{done} of {len(jobs)} realisations", end="", flush=True)
    if jobs:
        print()


_warm: set[str] = set()


def _estimate(method: str, dose: float, index: int, folder: Path, peers: Path) -> None:
    path = cache.path_of(folder, method, dose, index)
    path.parent.mkdir(parents=True, exist_ok=True)
    if method not in _warm and not method.startswith("atomap"):
        small = counts(expectation(square_lattice(pixels=128)), 5e3, 0)
        METHODS[method](small, 5e3, peers)
        _warm.add(method)
    noisy = counts(expectation(square_lattice()), dose, index)
    METHODS[method](noisy, dose, peers).save(path)


def _scores(options: argparse.Namespace) -> dict[float, dict[str, Score]]:
    lattice = square_lattice()
    scores: dict[float, dict[str, Score]] = {}
    for dose in options.doses:
        bound = cramer_rao(lattice, dose)
        scores[dose] = {}
        for method in options.methods:
            estimates = cache.load(options.cache, method, dose, options.realisations)
            if estimates:
                scores[dose][method] = score(lattice, bound, estimates)
    return scores


def _as_dictionaries(scores: dict[float, dict[str, Score]]) -> dict:
    return {
        f"{dose:.0f}": {method: dataclasses.asdict(row) for method, row in rows.items()}
        for dose, rows in scores.items()
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--realisations", type=int, default=30)
    parser.add_argument("--doses", type=float, nargs="+", default=[5e2, 5e3, 5e4])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--peers", type=Path, default=Path(".venv-peers/bin/python"))
    parser.add_argument("--cache", type=Path, default=Path("build/benchmarks/column_fit"))
    parser.add_argument("--stored", action="store_true", help="score what is stored, run nothing")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
