"""How long counting takes, by the number of columns.

python -m benchmarks.speed.counting --markdown docs/benchmarks/counting_speed.md
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy.counting_sets import curved_library, step
from benchmarks.accuracy.tables import environment
from crewe.atoms import count_atoms

SIZES = (300, 1000, 10_000)
THICKEST = 40
NOISE_STEPS = 0.2
WAYS: dict[str, dict[str, Any]] = {
    "curve": {"by": "curve", "most_count": 60},
    "hybrid": {"by": "hybrid", "most_count": 60},
    "mixture, ICL, k ≤ 60": {"by": "mixture", "most_components": 60},
    "mixture, width by dose, k ≤ 60": {
        "by": "mixture",
        "most_components": 60,
        "width": "dose",
        "electrons_per_unit": 400.0,
    },
    "library, Bayes": {"by": "library", "rule": "bayes"},
}
PAGE = """# Speed of counting

<!-- Written by `python -m benchmarks.speed.counting`; do not edit by hand. -->

Columns of 1 to {thickest} atoms on a curve, noise of {noise} steps, up to 60 atoms or components
allowed; one thread, compiled code warm, quicker of two runs. Wanted were 10 s for 10,000 columns.

| way | {sizes} | right of 10,000 |
| --- | {rules} | --- |
{rows}

{environment}
"""


def main() -> None:
    """Measure and print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    rows = []
    for name, settings in WAYS.items():
        cells, right = [], 0.0
        for size in SIZES:
            seconds, right = timed(size, settings)
            cells.append(f"{seconds:.2f} s")
        rows.append(f"| {name} | {' | '.join(cells)} | {right:.3f} |")
        print(rows[-1], flush=True)
    page = PAGE.format(
        thickest=THICKEST,
        noise=NOISE_STEPS,
        sizes=" | ".join(f"{size:,} columns" for size in SIZES),
        rules=" | ".join("---" for _ in SIZES),
        rows="\n".join(rows),
        environment=environment(),
    )
    print(page)
    if options.markdown:
        options.markdown.write_text(page, encoding="utf-8")


def timed(size: int, settings: dict[str, Any]) -> tuple[float, float]:
    """Seconds of the quicker of two runs, and the fraction of columns that is right."""
    rng = np.random.default_rng([20261123, size])
    library = curved_library(lambda g: g - 0.004 * g**2, THICKEST + 2)
    counts = rng.integers(1, THICKEST + 1, size)
    noise = NOISE_STEPS * step(library) * rng.standard_normal(size)
    columns = pd.DataFrame({"scs": library.to_numpy()[counts - 1] + noise, "flag": ""})
    columns.attrs["units"] = {"scs": "Å²"}
    given = {"library": library} if settings["by"] in ("hybrid", "library") else {}
    seconds, right = [], 0.0
    for _ in range(2):
        start = time.perf_counter()
        found = count_atoms(columns, **settings, **given)
        seconds.append(time.perf_counter() - start)
        posterior = np.nan_to_num(found.posterior)
        right = float(np.mean(posterior.argmax(axis=1) == counts))
    return min(seconds), right


if __name__ == "__main__":
    main()
