"""Every method under test behind one call: counts in, Estimate out.

crewe and the peers are imported inside the functions, so that one can be measured
where another is not installed.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.accuracy.estimate import Estimate
from benchmarks.accuracy.synthetic import SAMPLING, electrons_per_pixel

ATOMAP_SCRIPT = Path(__file__).parents[1] / "peers" / "atomap_columns.py"


def crewe_default(counts: np.ndarray, dose: float, peers: Path) -> Estimate:
    """Fit with no option at all; the image is a fraction of the beam, its dose unknown."""
    return _crewe(counts / electrons_per_pixel(dose), scale=1.0)


def crewe_uniform(counts: np.ndarray, dose: float, peers: Path) -> Estimate:
    """Fit by least squares with equal weights, the dose unknown."""
    return _crewe(counts / electrons_per_pixel(dose), scale=1.0, noise="uniform")


def crewe_counts(counts: np.ndarray, dose: float, peers: Path) -> Estimate:
    """Fit by Poisson maximum likelihood, the image being electrons."""
    scale = electrons_per_pixel(dose)
    return _crewe(counts, scale, noise="counts", electrons_per_unit=1.0)


def per_column(counts: np.ndarray, dose: float, peers: Path) -> Estimate:
    """Fit each column alone in its own window, from the positions that crewe finds."""
    from benchmarks.accuracy.per_column import fit_each
    from crewe.atoms import find_columns

    image = counts / electrons_per_pixel(dose)
    start = _clocks()
    found = find_columns(_calibrated(image))
    between = _clocks()
    columns = fit_each(image, found["x"].to_numpy(), found["y"].to_numpy())
    return Estimate(*columns, *(between - start), *(_clocks() - between))


def atomap(counts: np.ndarray, dose: float, peers: Path) -> Estimate:
    """Run Atomap with its default region of 0.4 nearest-neighbour distances per column."""
    return _atomap(counts / electrons_per_pixel(dose), peers, region=0.4)


def atomap_wide(counts: np.ndarray, dose: float, peers: Path) -> Estimate:
    """Run Atomap with the region of 0.6 distances, with which it measures best here."""
    return _atomap(counts / electrons_per_pixel(dose), peers, region=0.6)


METHODS: dict[str, Callable[[np.ndarray, float, Path], Estimate]] = {
    "crewe-default": crewe_default,
    "crewe-counts": crewe_counts,
    "crewe-uniform": crewe_uniform,
    "per-column": per_column,
    "atomap": atomap,
    "atomap-wide": atomap_wide,
}


def _calibrated(image: np.ndarray):
    from crewe.axes import calibrated_image

    return calibrated_image(image, SAMPLING)


def _crewe(image: np.ndarray, scale: float, **options) -> Estimate:
    from crewe.atoms import find_columns, fit_columns

    calibrated = _calibrated(image)
    start = _clocks()
    found = find_columns(calibrated)
    between = _clocks()
    table = fit_columns(calibrated, found, **options).columns
    end = _clocks()
    table = table[np.isfinite(table["x"]) & np.isfinite(table["y"])]
    position = (table[name].to_numpy() for name in ("x", "y"))
    scs, x_std, y_std, scs_std = (
        table[name].to_numpy() for name in ("scs", "x_std", "y_std", "scs_std")
    )
    values = (*position, scs / scale, x_std, y_std, scs_std / scale)
    return Estimate(*values, *(between - start), *(end - between))


def _atomap(image: np.ndarray, peers: Path, region: float) -> Estimate:
    """Find with PCA and 6 pixels of separation, which lose and invent the fewest columns here."""
    options = {"sampling": SAMPLING, "separation": 6, "pca": True, "region": region}
    with tempfile.TemporaryDirectory() as folder:
        given, result = Path(folder) / "image.npz", Path(folder) / "result.npz"
        np.savez(given, image=image, **options)
        command = [peers, ATOMAP_SCRIPT, given, result]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return Estimate.load(result)


def _clocks() -> np.ndarray:
    """Return CPU seconds of all threads of this process, and seconds on the clock."""
    return np.array([time.process_time(), time.perf_counter()])
