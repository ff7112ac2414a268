"""One measurement per process: time and peak memory of find and fit, or of Atomap.

    python -m benchmarks.speed.measure COLUMNS_PER_SIDE

Prints JSON. A process of its own makes the peak memory that of this measurement.
"""

import json
import resource
import sys
import time

import numpy as np

SAMPLING, SPACING, WIDTH = 0.15, 3.0, 0.45
DOSE_PER_PIXEL = 112.5
MARGIN = 6


def lattice_counts(per_side: int) -> np.ndarray:
    """Return counts of a square lattice whose image grows with the number of columns.

    50 columns per side give 1024 × 1024 pixels. Columns are equal and separable, so
    that the image is an outer product and quick to draw.
    """
    pixels = round(per_side * SPACING / SAMPLING) + 4 * MARGIN
    at = np.arange(pixels) * SAMPLING
    first = (at[-1] - (per_side - 1) * SPACING) / 2
    generator = np.random.default_rng(per_side)
    along = np.zeros((2, pixels))
    for centres in along:
        for index in range(per_side):
            centre = first + index * SPACING + generator.normal(0, 0.05)
            centres += np.exp(-((at - centre) ** 2) / (2 * WIDTH**2))
    return generator.poisson(DOSE_PER_PIXEL * (0.01 + 0.04 * np.outer(*along))).astype(float)


def measure(per_side: int) -> dict[str, float]:
    """Return seconds of a warm find and fit, and the peak memory of the process."""
    from crewe.atoms import find_columns, fit_columns
    from crewe.axes import calibrated_image

    small = calibrated_image(lattice_counts(8), SAMPLING)
    fit_columns(small, find_columns(small))
    image = calibrated_image(lattice_counts(per_side), SAMPLING)
    before = peak_megabytes()
    clocks = [_clocks()]
    found = find_columns(image)
    clocks.append(_clocks())
    fitted = fit_columns(image, found).columns
    clocks.append(_clocks())
    (find_cpu, find_wall), (fit_cpu, fit_wall) = np.diff(clocks, axis=0)
    return {
        "pixels": int(image.shape[0]),
        "columns": len(fitted),
        "true_columns": per_side**2,
        "find_cpu": find_cpu,
        "find_wall": find_wall,
        "fit_cpu": fit_cpu,
        "fit_wall": fit_wall,
        "peak_megabytes": peak_megabytes(),
        "peak_megabytes_before": before,
    }


def peak_megabytes() -> float:
    """Return the largest resident size that this process ever had."""
    per_megabyte = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / per_megabyte


def _clocks() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
