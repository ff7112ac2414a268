"""How many columns are counted rightly, and whether the probabilities given with it are true.

python -m benchmarks.accuracy.counting --folder counting --markdown docs/benchmarks/counting.md
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path

from benchmarks.accuracy.counting_methods import METHODS, Answer
from benchmarks.accuracy.counting_page import counting_page
from benchmarks.accuracy.counting_sets import KINDS, counted_set
from benchmarks.accuracy.counting_store import code_checksum, kept
from benchmarks.accuracy.counting_widths import WidthRow, width_rows

NOISES = (0.15, 0.2, 0.25, 0.3, 0.4)
SEEDS = 20

Case = tuple[str, str, float]
"""Method, kind of set, noise in steps."""


def main() -> None:
    """Count every set by every method and print the page."""
    options = _arguments()
    folder = options.folder / code_checksum()
    cases = list(product(METHODS, KINDS, NOISES))
    with ProcessPoolExecutor(options.workers) as pool:
        widths = pool.submit(width_rows)
        tasks = {case: pool.submit(_answers, case, options.sets, folder) for case in cases}
        answers = {}
        for case, task in tasks.items():
            answers[case] = task.result()
            print(
                *case, f"{sum(one.right for one in answers[case]) / options.sets:.3f}", flush=True
            )
        found: list[WidthRow] = widths.result()
    page = counting_page(answers, found, NOISES, options.sets)
    print(page)
    if options.markdown:
        options.markdown.write_text(page, encoding="utf-8")


def _answers(case: Case, sets: int, folder: Path) -> list[Answer]:
    method, kind, noise = case

    def make(seed: int) -> Answer:
        return METHODS[method](counted_set(kind, noise, seed))

    name = f"{method.replace(', ', '-').replace(' ', '-')}/{kind}-{noise:.2f}"
    return [kept(folder, f"{name}-{seed:02d}", partial(make, seed)) for seed in range(sets)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where answers are kept")
    parser.add_argument("--sets", type=int, default=SEEDS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
