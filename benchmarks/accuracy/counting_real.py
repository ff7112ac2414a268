"""Atom counts and strain of StatSTEM's example files, beside what the files store.

python -m benchmarks.accuracy.counting_real --data ../shared/data \
    --markdown docs/benchmarks/counting_real.md
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.accuracy.counting_real_page import page
from benchmarks.accuracy.counting_real_pictures import draw, draw_strain
from benchmarks.accuracy.counting_real_rows import WAYS, count
from benchmarks.accuracy.counting_real_sets import (
    PARTICLE,
    PEROVSKITE,
    image_of,
    particle_cases,
    perovskite_cases,
    read,
    stored_counts,
    stored_library,
)
from benchmarks.accuracy.counting_real_strain import strain_found, strain_page

ALONE = ("curve", "mixture, ICL")
"""Ways that need no library."""


def main() -> None:
    """Count, draw, and write the page."""
    options = _arguments()
    path = options.data / "atomic" / PARTICLE
    particle, counted = read(options.data, PARTICLE), stored_counts(path)
    library = stored_library(path)
    perovskite = read(options.data, PEROVSKITE)
    cases = particle_cases(particle, counted)
    first = [count(case, way, library, counted.selected) for case in cases for way in WAYS]
    second = [count(case, way) for case in perovskite_cases(perovskite) for way in ALONE]
    strain = strain_found(options.data)
    text = page(first, second, counted) + strain_page(strain)
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
        pictures = options.markdown.parent.parent / "images" / "counting_real"
        pictures.mkdir(parents=True, exist_ok=True)
        draw(first, second, image_of(particle), image_of(perovskite), library, pictures)
        draw_strain(strain, image_of(perovskite), pictures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
