"""Which emulators the benchmark compares."""

from dataclasses import replace

from crewe.simulation.emulator.linear_model import SMALL_PLAN
from crewe.simulation.emulator.plan import EmulatorPlan

PAPER = EmulatorPlan(size=5, degree=2, log=True, interactions=True)
SMOOTHED = EmulatorPlan(features="smoothed", degree=3)
# Taken one after the other on platinum pairs of our own: no image of the paper had a say.
CHOSEN_ON_PLATINUM = EmulatorPlan(
    features="smoothed",
    degree=3,
    ridge=1e-8,
    kinds=(
        "intensity",
        "log",
        "square 6",
        "laplacian 1",
        "square 4",
        "spread 6",
        "shear 1",
        "smooth 2",
        "shear 2",
        "shear 3",
        "cube 4",
    ),
)
TABLE = {
    "5 × 5, not registered": replace(PAPER, register=False),
    "5 × 5": PAPER,
    "smoothed, degree 2": replace(SMOOTHED, degree=2),
    "smoothed": SMOOTHED,
    "smoothed, chosen on Pt": CHOSEN_ON_PLATINUM,
}
NESTED = "smoothed, chosen within"
LARGEST = EmulatorPlan(size=5, degree=3)


def plans_of_fig_4() -> list[EmulatorPlan]:
    """Grids of 2 to 1378 terms, then smoothed features."""
    grids = (
        # size, degree, log, interactions
        (1, 1, False, False),
        (1, 1, True, False),
        (1, 2, True, True),
        (1, 3, True, True),
        (3, 1, True, False),
        (3, 2, False, False),
        (3, 2, True, True),
        (3, 3, True, True),
        (5, 1, False, False),
        (5, 1, True, False),
        (5, 2, True, False),
        (5, 3, True, False),
        (5, 2, False, True),
        (5, 2, True, True),
        (7, 1, True, False),
        (7, 2, True, False),
    )
    large = ((3, 4, True, True), (7, 2, True, True))
    smoothed = [
        SMALL_PLAN,
        *(replace(SMOOTHED, degree=degree) for degree in (1, 2, 3)),
        replace(SMOOTHED, interactions=False),
        CHOSEN_ON_PLATINUM,
    ]
    return [*map(_grid, grids), *smoothed, *map(_grid, large)]


def _grid(values: tuple[int, int, bool, bool]) -> EmulatorPlan:
    size, degree, log, interactions = values
    return EmulatorPlan(size=size, degree=degree, log=log, interactions=interactions)
