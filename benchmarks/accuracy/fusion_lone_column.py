r"""One column of another element in a lattice of cobalt: what fused maps keep of it.

    python -m benchmarks.accuracy.fusion_lone_column --measurements 3

A lattice of 12 × 12 columns, 12 px apart, of which one holds nickel in place of cobalt, or
platinum in place of 30 % of it. Prints a table; the numbers are written into
docs/how-to/fusing-element-maps.md.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import crewe
from crewe.axes import calibrated_image
from crewe.chemistry.operators import atomic_number

Plane = NDArray[np.float64]
SIDE, SPACING, WIDTH, PLACE = 144, 12, 2.2, (6, 6)
BRIGHTEST, DARK, BACKGROUND, RADIUS_PX = 400, 20, 0.02, 5
GAMMA = 1.7
CASES = (("Ni", 1.0), ("Pt", 0.3))


@dataclass(frozen=True)
class Kept:
    """What a fused map holds, in shares of what is there."""

    prior: str
    in_column: float
    """Of the lone element, in its own column."""
    in_neighbour: float
    """Of the lone element, in each of the four next columns, where there is none."""
    cobalt: float
    """In the lone column, of what a whole column holds."""


def columns(here: Callable[[int, int], bool]) -> Plane:
    y, x = np.mgrid[:SIDE, :SIDE]
    image = np.zeros((SIDE, SIDE))
    middles = SPACING * np.arange(SIDE // SPACING) + SPACING // 2
    for i, row in enumerate(middles):
        for j, column in enumerate(middles):
            if here(i, j):
                image += np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * WIDTH**2))
    return image


def kept(element: str, share: float, counts: float, prior: str, seed: int) -> Kept:
    """Measure at `counts` X-rays at the summit of a whole column, fuse, and sum over columns."""
    rng = np.random.default_rng(seed)
    whole = columns(lambda i, j: (i, j) == PLACE)
    lone, cobalt = share * whole, columns(lambda i, j: True) - share * whole
    numbers = atomic_number("Co"), atomic_number(element)
    elastic = (numbers[0] * cobalt) ** GAMMA + (numbers[1] * lone) ** GAMMA
    haadf = rng.poisson(elastic / np.percentile(elastic, 99) * BRIGHTEST + DARK)
    maps = {
        "Co": calibrated_image(rng.poisson(cobalt * counts), 1.0),
        element: calibrated_image(rng.poisson(lone * counts + BACKGROUND), 1.0),
    }
    below = {element: BACKGROUND}
    image = calibrated_image(haadf.astype(np.float32), 1.0)
    fused = crewe.fuse(image, maps, background=below, prior=prior, seed=seed)
    left, found = fused.maps.sel(element=["Co", element]).values / counts
    own, total = _disk(*PLACE), whole[_disk(*PLACE)].sum()
    beside = [_disk(PLACE[0] + i, PLACE[1] + j) for i, j in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    return Kept(
        fused.prior,
        float(found[own].sum() / total / share),
        float(np.mean([found[disk].sum() for disk in beside]) / total / share),
        float(left[own].sum() / total),
    )


def _disk(row: int, column: int) -> NDArray[np.bool_]:
    y, x = np.mgrid[:SIDE, :SIDE]
    middle = SPACING * np.array([row, column]) + SPACING // 2
    return np.hypot(y - middle[0], x - middle[1]) < RADIUS_PX


def row_of(every: list[Kept]) -> str:
    """Mean, and range, over measurements."""
    cells = []
    for name in ("in_column", "in_neighbour", "cobalt"):
        values = [100 * getattr(one, name) for one in every]
        cells.append(f"{np.mean(values):.0f} % ({min(values):.0f} to {max(values):.0f})")
    return " | ".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measurements", type=int, default=3)
    parser.add_argument("--elements", nargs="*", default=[element for element, _ in CASES])
    given = parser.parse_args()
    print("| column | counts | prior | kept | in each neighbour | Co in the column |")
    print("| --- | --- | --- | --- | --- | --- |")
    for element, share in (case for case in CASES if case[0] in given.elements):
        for counts in (2, 10, 50):
            number = counts * share * 2 * np.pi * WIDTH**2
            for prior in ("auto", "columns"):
                seeds = range(given.measurements)
                every = [kept(element, share, counts, prior, seed) for seed in seeds]
                taken = ", ".join(dict.fromkeys(one.prior for one in every))
                said = f"{prior}: {taken}" if prior == "auto" else prior
                who = f"{100 * share:.0f} % {element}"
                print(f"| {who} | {number:.0f} | {said} | {row_of(every)} |", flush=True)


if __name__ == "__main__":
    main()
