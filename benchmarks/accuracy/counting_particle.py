"""A platinum sphere counted at seven doses, as in Fig. 4 of the restoration paper.

Lobato, Friedrich and Van Aert, npj Computational Materials 10, 10 (2024),
doi:10.1038/s41524-023-01188-0.

    python -m benchmarks.accuracy.counting_particle --folder particle \
--markdown docs/benchmarks/counting_particle.md
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from benchmarks.accuracy.counting_particle_images import (
    LATTICE_ANGSTROM,
    LIBRARY_ATOMS,
    PIXEL_ANGSTROM,
    mean_image,
    sphere,
    symmetrised,
)
from benchmarks.accuracy.counting_particle_page import particle_page
from benchmarks.accuracy.quantification_networks_images import ALPHA_PX, JITTER_PX
from crewe.atoms import fit_columns
from crewe.atoms.counting.count import count_atoms
from crewe.axes import calibrated_image
from crewe.degradation import read_chain
from crewe.networks.zoo import open_network

Array = NDArray[np.float64]
DOSES = (5e2, 1e3, 5e3, 1e4, 5e4, 1e5, 5e5)
"""Table 2.2 of Friedrich's thesis, e/Å²."""
WAYS = ("nearest", "hybrid", "curve")
SEED = 8


@dataclass(frozen=True)
class Truth:
    """Where the columns of the sphere are and how many atoms they hold."""

    places: pd.DataFrame
    counts: NDArray[np.int64]


def main() -> None:
    """Count the sphere at every dose and print the page."""
    options = _arguments()
    clean = symmetrised(mean_image("sphere", options.folder, options.configurations))
    known = truth(clean.shape[0] // 2 * PIXEL_ANGSTROM)
    library = library_of(mean_image("library", options.folder, options.library_configurations))
    network = open_network("hrstem")
    noise_free = _counted(fitted(clean, known), library, known)
    scores: dict[tuple[str, float, str], Array] = {}
    for dose in DOSES:
        for number in range(options.realisations):
            for kind, image in recorded(clean, dose, number, network).items():
                for way, score in _counted(fitted(image, known), library, known).items():
                    scores.setdefault((kind, dose, way), []).append(score)
        print(
            f"{dose:g}", {k[::2]: np.mean(v, 0).round(3) for k, v in scores.items() if k[1] == dose}
        )
    page = particle_page(scores, noise_free, library, known.counts, options)
    print(page)
    if options.markdown:
        options.markdown.write_text(page, encoding="utf-8")


def truth(middle: float) -> Truth:
    """Columns of the sphere around (middle, middle) in Å, with their numbers of atoms."""
    atoms = sphere()
    positions = atoms.positions[:, :2] - atoms.cell[0, 0] / 2 + middle
    places, which = np.unique(np.round(positions, 3), axis=0, return_inverse=True)
    counts = np.bincount(which.ravel())
    return Truth(pd.DataFrame(places, columns=["x", "y"]), counts)


def library_of(images: Array) -> xr.DataArray:
    """Cross-section of a column in slabs of 1, 2, … atoms: mean intensity times its area, in Å²."""
    area = LATTICE_ANGSTROM**2 / 4
    atoms = np.arange(1, LIBRARY_ATOMS + 1)
    values = images.mean(axis=(1, 2)) * area
    return xr.DataArray(
        values, dims="atoms", coords={"atoms": atoms}, name="scs", attrs={"units": "Å²"}
    )


def recorded(clean: Array, dose: float, number: int, network) -> dict[str, Array]:
    """Images by what happened to them, in fractions of the beam."""
    electrons = dose * PIXEL_ANGSTROM**2
    counting = [
        {"effect": "dose", "parameters": {"mean_electrons_per_pixel": electrons * clean.mean()}},
        {"effect": "shot_noise"},
    ]
    jitter = {
        "sigma_x_angstrom": JITTER_PX["sigma_x"] * PIXEL_ANGSTROM,
        "sigma_y_angstrom": JITTER_PX["sigma_y"] * PIXEL_ANGSTROM,
        "phi_x": JITTER_PX["phi"],
        "phi_y": JITTER_PX["phi"],
    }
    scan = {"effect": "scan_jitter", "parameters": jitter}
    tail = {"effect": "detector_response", "parameters": {"alpha_px": ALPHA_PX}}
    chains = {"counting noise": counting, "distorted": [scan, *counting, tail]}
    images = {}
    for kind, effects in chains.items():
        chain = read_chain({"instrument": effects})
        image = chain.record(
            np.maximum(clean, 0), SEED, (number,), pixel_size_angstrom=PIXEL_ANGSTROM
        ).image
        images[kind] = image.astype(float) / electrons
    images["restored"] = network.run(images["distorted"].astype(np.float32)).astype(float)
    return images


def fitted(image: Array, known: Truth) -> pd.DataFrame:
    """The columns as fitted, started at their true places as in the paper."""
    calibrated = calibrated_image(image, PIXEL_ANGSTROM, attrs={"units": "fraction of beam"})
    return fit_columns(calibrated, known.places).columns


def _counted(columns: pd.DataFrame, library: xr.DataArray, known: Truth) -> dict[str, Array]:
    """Fraction right, fraction answered, right among these, mean probability; by the way."""
    scores = {}
    for way in WAYS:
        by = "library" if way == "nearest" else way
        told = {"least_count": int(known.counts.min())} if way == "curve" else {}
        given = {} if way == "curve" else {"library": library}
        found = count_atoms(columns, by=by, **told, **given)
        best = np.where(np.isfinite(found.posterior), found.posterior, -1.0)
        right = best.argmax(axis=1) == known.counts
        probability = best.max(axis=1)
        kept = probability >= 0.5
        among = right[kept].mean() if kept.any() else np.nan
        scores[way] = np.array([right.mean(), kept.mean(), among, probability.mean()])
    return scores


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the simulated images")
    parser.add_argument("--configurations", type=int, default=3)
    parser.add_argument("--library-configurations", type=int, default=64)
    parser.add_argument("--realisations", type=int, default=10)
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
