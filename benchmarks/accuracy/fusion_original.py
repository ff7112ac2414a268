"""multimodal_fusion 0.6.0, the program of the paper's authors, on the same counts."""

import subprocess
import tempfile
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.fusion_cases import Case, Found, Maps, errors

SCRIPT = Path(__file__).parents[1] / "peers" / "multimodal_fusion_images.py"
SETTINGS = ("weighting", "iterations", "lambda_chem", "lambda_tv", "tv_iterations", "background")
DEFAULT = (0, 50, 0.005, 0.1, 15, 0.1)
TUTORIALS = ((1, 30, 0.08, 0.15, 3, 0.24), (1, 30, 0.006, 0.022, 6, 0.01))
"""For DyScO3 and for Co3O4 with Mn3O4; the latter also clears what is below 0.2 beforehand."""
LAMBDAS_CHEM = (0.0005, 0.002, 0.01)
LAMBDAS_TV = (0.001, 0.003, 0.01, 0.03, 0.1)
GRID = tuple(
    (weighting, 15, chem, variation, 6, 0.1)
    for weighting, chem, variation in product((0, 1), LAMBDAS_CHEM, LAMBDAS_TV)
)
"""15 iterations: its README says that 10 to 15 suffice, and more of them were worse here."""


def original(case: Case, python: str) -> dict[str, Found]:
    """Its defaults, the better of its tutorials' settings, and the best of these and of a grid.

    `original sums`: the best of all after each map was multiplied until its sum is that of its
    counts, which the program does not do.
    """
    settings = (DEFAULT, *TUTORIALS, *GRID)
    maps, seconds = run(case, python, settings)
    found = errors_of_all(maps, case.truth)
    sums = case.measurement.maps.values.sum(axis=(1, 2), keepdims=True)
    rescaled = maps * (sums / np.maximum(maps.sum(axis=(2, 3), keepdims=True), 1e-9))
    tutorial = 1 + int(np.argmin(found[1:3]))
    best = int(np.argmin(found))
    with_sums = int(np.argmin(errors_of_all(rescaled, case.truth)))
    chosen = {
        "original default": (maps[0], 0),
        "original tutorial": (maps[tutorial], tutorial),
        "original best": (maps[best], best),
        "original sums": (rescaled[with_sums], with_sums),
    }
    return {
        name: Found(values, dict(zip(SETTINGS, settings[k], strict=True)), float(seconds[k]))
        for name, (values, k) in chosen.items()
    }


def errors_of_all(maps: NDArray[np.float64], truth: Maps) -> NDArray[np.float64]:
    """Mean over elements of ‖x − truth‖ / ‖truth‖, for maps (settings, element, y, x)."""
    return np.array([errors(one, truth).mean() for one in maps])


def run(
    case: Case, python: str, settings: tuple[tuple[float, ...], ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return maps (settings, element, y, x) in counts, and the seconds that each took."""
    measurement = case.measurement
    with tempfile.TemporaryDirectory() as folder:
        given, result = Path(folder) / "given.npz", Path(folder) / "result.npz"
        np.savez(
            given,
            elements=measurement.maps["element"].values,
            maps=measurement.maps.values,
            haadf=measurement.haadf.values,
            settings=np.array(settings),
        )
        command = [python, str(SCRIPT), str(given), str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
        with np.load(result) as stored:
            return stored["maps"].astype(float), stored["seconds"]
