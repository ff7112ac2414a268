"""Finds and fits columns with Atomap as its tutorial does; runs in the peers' environment.

    python atomap_columns.py IMAGE.npz RESULT.npz

IMAGE.npz holds `image`, `sampling` (Å per pixel), `separation` (pixels), `pca`, `region`
(of the fit, in nearest-neighbour distances) and optionally `limit`, the number of columns
to refine. RESULT.npz gets the columns in Å and the seconds spent.
"""

import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")

import atomap.api as am  # noqa: E402
import hyperspy.api as hs  # noqa: E402


def main(image_path, result_path):
    with np.load(image_path) as stored:
        image, sampling = stored["image"], float(stored["sampling"])
        separation, pca = float(stored["separation"]), bool(stored["pca"])
        region = float(stored["region"])
        limit = int(stored["limit"]) if "limit" in stored else None
    start = clocks()
    positions = am.get_atom_positions(hs.signals.Signal2D(image), separation, pca=pca)
    found = clocks()
    sublattice = am.Sublattice(positions, image=image)
    sublattice.find_nearest_neighbors()
    if limit:
        sublattice.atom_list = sublattice.atom_list[:limit]
    sublattice.refine_atom_positions_using_center_of_mass(show_progressbar=False)
    refine(sublattice, image.astype(float), region)
    fitted = clocks()
    save(result_path, sublattice, sampling, found - start, fitted - found)


def refine(sublattice, image, region):
    """Do what refine_atom_positions_using_2d_gaussian does, but survive a column that fails.

    At low dose a fit can end at NaN, on which Atomap stops with a ValueError.
    """
    for atom in sublattice.atom_list:
        try:
            atom.refine_position_using_2d_gaussian(image, percent_to_nn=region)
        except ValueError:
            atom.pixel_x = atom.pixel_y = np.nan


def clocks():
    return np.array([time.process_time(), time.perf_counter()])


def save(path, sublattice, sampling, find_seconds, fit_seconds):
    # Atomap calls the integral of HyperSpy's Gaussian, in pixels, its amplitude.
    integral = np.array([atom.amplitude_gaussian for atom in sublattice.atom_list])
    x, y = np.array(sublattice.x_position), np.array(sublattice.y_position)
    known = np.isfinite(x) & np.isfinite(y)
    x, y, integral = x[known], y[known], integral[known]
    unknown = np.full(integral.size, np.nan)
    np.savez(
        path,
        x=x * sampling,
        y=y * sampling,
        scs=integral * sampling**2,
        x_std=unknown,
        y_std=unknown,
        scs_std=unknown,
        find_cpu=find_seconds[0],
        find_wall=find_seconds[1],
        fit_cpu=fit_seconds[0],
        fit_wall=fit_seconds[1],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
