"""How near emulated images come to multislice ones, on the paper's pairs and on our own.

    python -m benchmarks.accuracy.emulator --pairs ../shared/data/emulator/pt_mo5.npz \
        --own examples/emulator/pt561.npz --pictures docs/images/emulator \
        --markdown docs/benchmarks/emulator.md

It takes an hour or two on one core. What was measured before is kept and not measured again as long
as pairs and code are the same (`--keep`: whatever the code). `--part` measures some sections and
leaves the others of the page as they are.
"""

import argparse
import os
from pathlib import Path

# One thread: CPU seconds stay comparable.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from benchmarks.accuracy import emulator_page as sections  # noqa: E402
from benchmarks.accuracy.emulator_store import Measured  # noqa: E402
from benchmarks.accuracy.emulator_summary import summary  # noqa: E402
from benchmarks.accuracy.emulator_words import HEAD  # noqa: E402
from benchmarks.accuracy.restoration_tables import put_between_marks  # noqa: E402
from benchmarks.accuracy.tables import environment  # noqa: E402

OF_PAPER = ("table", "registration", "terms", "folds", "training", "images")
OF_OWN = ("own", "floor")
ORDER = ("summary", "table", "own", "floor", "terms", "training", "folds", "registration", "images")
END = "environment"


def main() -> None:
    given = _arguments()
    paper = Measured(given.pairs, given.cache, given.keep)
    own = Measured(given.own, given.cache, given.keep)
    if given.markdown:
        _prepare(given.markdown)
    for name in (part for part in ORDER if part in given.part):
        text = _section(name, given, paper, own)
        print(f"\n{text}\n", flush=True)
        if given.markdown:
            put_between_marks(given.markdown, name, text)
    for name, text in (("summary", summary(paper, own)), (END, environment("numpy", "scipy"))):
        if given.markdown:
            put_between_marks(given.markdown, name, text)
        print(text)


def _section(name: str, given: argparse.Namespace, paper: Measured, own: Measured) -> str:
    needed = own if name in OF_OWN else paper
    if not needed.found:
        return f"*{name}* was not measured: {needed.path.name} is not there."
    make = {
        "table": lambda: sections.table(paper),
        "registration": lambda: sections.registration(paper),
        "terms": lambda: sections.terms(paper, given.pictures, given.most_terms, given.largest),
        "folds": lambda: sections.folds(paper),
        "training": lambda: sections.training(paper, given.pictures),
        "images": lambda: sections.images(paper, given.pictures),
        "own": lambda: sections.own(own, paper),
        "floor": lambda: sections.floor(own),
    }
    return sections.joined(make[name]())


def _prepare(page: Path) -> None:
    """Write a page without results where there is none."""
    if page.exists():
        return
    marks = [
        f"<!-- {name} -->\n\nNot measured yet.\n\n<!-- end of {name} -->" for name in (*ORDER, END)
    ]
    page.write_text("\n\n".join([HEAD.strip(), *marks]) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = Path("../shared/data/emulator/pt_mo5.npz")
    parser.add_argument("--pairs", type=Path, default=data, help="the paper's pairs")
    parser.add_argument("--own", type=Path, default=Path("examples/emulator/pt561.npz"))
    parser.add_argument("--pictures", type=Path, help="folder for pictures")
    parser.add_argument("--markdown", type=Path, help="page to write")
    parser.add_argument(
        "--part", nargs="+", choices=(*OF_PAPER, *OF_OWN), default=(*OF_PAPER, *OF_OWN)
    )
    parser.add_argument("--most-terms", type=int, default=1400, help="of the plans of Fig. 4")
    parser.add_argument("--largest", action="store_true", help="also the model of 3654 terms")
    parser.add_argument("--cache", type=Path, default=Path("build/benchmarks/emulator"))
    parser.add_argument("--keep", action="store_true", help="keep results of other code")
    return parser.parse_args()


if __name__ == "__main__":
    main()
