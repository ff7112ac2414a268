r"""How near fused element maps come to the truth: paper 002's Fig. 6 and Fig. 5, rebuilt.

    python -m benchmarks.accuracy.fusion --peer .venv-fusion/bin/python \
        --pictures docs/images/fusion --markdown docs/benchmarks/fusion.md

What was made before is kept and not made again as long as the code is the same (`--keep`: whatever
the code).
"""

import argparse
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

# One thread: seconds stay comparable.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from benchmarks.accuracy import fusion_cases as cases  # noqa: E402
from benchmarks.accuracy.fusion_filters import filtered, smoothed  # noqa: E402
from benchmarks.accuracy.fusion_original import original  # noqa: E402
from benchmarks.accuracy.fusion_own import fused, gallium  # noqa: E402
from benchmarks.accuracy.fusion_page import page  # noqa: E402
from benchmarks.accuracy.fusion_store import Store, checksum, load  # noqa: E402

HERE = "benchmarks.accuracy."
PEER = "benchmarks.peers.multimodal_fusion_images"
MODULES = {
    "filters": ("fusion_filters",),
    "smoothed": ("fusion_filters",),
    "own": ("fusion_own",),
    "original": ("fusion_original",),
    "films": ("fusion_own",),
}
OF_PEER = ("original",)
Task = tuple[str, cases.Case]


def main() -> None:
    given = _arguments()
    stores = {name: _store(given.cache, name, given.keep) for name in MODULES}
    tasks = [
        (group, case)
        for group, case in _tasks(given)
        if (given.peer or group not in OF_PEER) and not stores[group].path(case).exists()
    ]
    _carry_out(tasks, stores, given)

    def scores(group: str, case: cases.Case) -> Any:
        path = stores[group].path(case)
        return load(path) if path.exists() else None

    text = page(scores, stores, given.seeds, given.grid_seeds, given.pictures)
    print(text)
    if given.markdown:
        given.markdown.write_text(text, encoding="utf-8")


def _tasks(given: argparse.Namespace) -> list[Task]:
    """What is to be made, the longest first."""
    of_main = cases.main_cases(given.seeds)
    both = list(dict.fromkeys([*of_main, *cases.grid(given.grid_seeds)]))
    wanted = [
        ("own", both),
        ("original", of_main),
        ("smoothed", of_main),
        ("filters", both),
        ("films", cases.film_cases(given.seeds)),
    ]
    return [(group, case) for group, each in wanted for case in each]


def _carry_out(tasks: list[Task], stores: dict[str, Store], given: argparse.Namespace) -> None:
    with ProcessPoolExecutor(given.processes, mp_context=get_context("spawn")) as pool:
        waiting = {
            pool.submit(_make, stores[group], case, given.peer): (group, case)
            for group, case in tasks
        }
        for done, finished in enumerate(as_completed(waiting), 1):
            finished.result()
            group, case = waiting[finished]
            print(f"{done}/{len(waiting)} {group} {case.name}", flush=True)


def _make(store: Store, case: cases.Case, peer: str | None) -> None:
    make: dict[str, Callable[[cases.Case], dict[str, Any]]] = {
        "filters": filtered,
        "smoothed": smoothed,
        "own": fused,
        "original": partial(original, python=peer),
        "films": gallium,
    }
    store.scores(case, make[store.group])


def _store(folder: Path, group: str, keep: bool) -> Store:
    modules = tuple(HERE + name for name in MODULES[group])
    code = checksum(modules + ((PEER,) if group in OF_PEER else ()))
    known = sorted(folder.glob(f"{group}-*"), key=lambda path: path.stat().st_mtime)
    return Store(folder, group, known[-1].name.split("-")[-1] if keep and known else code)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", help="Python of an environment that holds multimodal_fusion")
    parser.add_argument("--seeds", type=int, default=3, help="realisations at the main SNRs")
    parser.add_argument("--grid-seeds", type=int, default=1, help="realisations at all SNRs")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path("build/fusion"))
    parser.add_argument("--keep", action="store_true", help="the latest results of other code too")
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
