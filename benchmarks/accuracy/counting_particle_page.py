"""The page of the counted platinum sphere."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

Array = NDArray[np.float64]
Scores = Mapping[tuple[str, float, str], Sequence[Array]]
HEAD = """# A platinum sphere, counted

<!-- Written by `python -m benchmarks.accuracy.counting_particle`; do not edit by hand. -->

The case of Fig. 4 of Lobato, Friedrich and Van Aert, npj Comput. Mater. 10, 10 (2024): a sphere of
11 unit cells along [100], here {columns} columns of {thinnest} to {thickest} atoms, 1.96 Å apart.
Our own
multislice at 300 kV, 20 mrad, 60–200 mrad, source 0.7 Å, pixel 0.14 Å, {configurations} frozen
configurations, each of which counts as eight by the sphere's symmetry; the library from slabs of
1 to 13 atoms under the same beam, {library_configurations} configurations. Columns are fitted from
their true places, as in the paper,
with every other option left alone; {realisations} realisations.

*counting noise*: electrons only. *distorted*: scan jitter and the detector's tail as well, as in
`docs/benchmarks/quantification_networks.md`. *restored*: these images after `hrstem`.
**nearest**: the nearest entry of the library. **hybrid**: the library's curve with a free scale
(prior 1 ± 0.1). **curve**: no library, told that the thinnest columns have {thinnest} atoms.

Fraction of all columns whose likeliest count is right; in brackets the share that gets a count at
all (probability at least 0.5) and how many of these are right.

"""
REMARKS = """The noise-free image is no measurement: by symmetry its columns come in eights that are
equal to the last digit, which a curve without a library may take for the steps of a much finer one.
At the highest doses this leaves the count open (brackets).

"""
KINDS = ("counting noise", "distorted", "restored")


def particle_page(
    scores: Scores,
    noise_free: Mapping[str, Array],
    library: xr.DataArray,
    counts: NDArray[np.int64],
    options: argparse.Namespace,
) -> str:
    """The page as Markdown."""
    ways = list(noise_free)
    parts = [
        HEAD.format(
            columns=len(counts),
            thinnest=counts.min(),
            thickest=counts.max(),
            configurations=options.configurations,
            library_configurations=options.library_configurations,
            realisations=options.realisations,
        )
    ]
    parts.append("| image | dose e/Å² | " + " | ".join(ways) + " |\n")
    parts.append("| --- " * (len(ways) + 2) + "|\n")
    for kind in KINDS:
        for dose in dict.fromkeys(dose for _, dose, _ in scores):
            cells = [_cell(scores[kind, dose, way]) for way in ways]
            parts.append(f"| {kind} | {dose:.0e} | " + " | ".join(cells) + " |\n")
    cells = [_cell([noise_free[way]]) for way in ways]
    parts.append("| noise-free | – | " + " | ".join(cells) + " |\n\n")
    parts.append(REMARKS)
    values = ", ".join(f"{value:.4f}" for value in library.to_numpy())
    parts.append(f"The library in Å²: {values}.\n")
    return "".join(parts)


def _cell(found: Sequence[Array]) -> str:
    table = np.stack(found)
    right, kept, _, _ = table.mean(axis=0)
    among = np.nanmean(table[:, 2]) if np.isfinite(table[:, 2]).any() else np.nan
    return f"{right:.3f} ({kept:.2f} → {among:.3f})"
