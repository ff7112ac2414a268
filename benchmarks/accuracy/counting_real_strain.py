"""The lattice and the strain of CsPbBr3 beside what StatSTEM stored of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import loadmat

from benchmarks.accuracy.counting_real_sets import NEAR, PEROVSKITE, image_of, read
from benchmarks.accuracy.matching import match
from benchmarks.accuracy.strain_statstem import COMPONENTS, SITES, read_example
from crewe.atoms import ProjectedCell, find_columns, fit_columns
from crewe.atoms.lattice.indexing import index_columns
from crewe.atoms.lattice.results import IndexedColumns
from crewe.atoms.lattice.strain import strain_map

Compared = dict[str, tuple[int, float, float, float]]
"""For each component: columns, correlation, slope of ours over theirs, r.m.s. difference."""


@dataclass(frozen=True)
class StrainFound:
    """What is compared."""

    indexed: IndexedColumns
    """Our own fit of the image, indexed with the cell of the file."""
    strain: pd.DataFrame
    stored_lattice: str
    """StatSTEM's lattice in words."""
    same: Compared
    """With StatSTEM's positions, indices and lattice: whole neighbourhoods."""
    ends: Compared
    """The same where neighbours are missing."""
    own: Compared
    """With our own columns, indices and lattice."""


def strain_found(folder: Path) -> StrainFound:
    """Measure the strain of the stored columns and of our own."""
    path = folder / "atomic" / PEROVSKITE
    theirs_indexed, theirs = read_example(path)
    by_theirs = strain_map(theirs_indexed)
    whole = (by_theirs["n_neighbours"] == by_theirs["n_neighbours"].max()).to_numpy()
    image = image_of(read(folder, PEROVSKITE))
    cell = ProjectedCell(5.85, 5.85, 90.0, SITES, ("Pb", "Cs"))
    indexed = index_columns(fit_columns(image, find_columns(image)).columns, cell)
    strain = strain_map(indexed)
    stored = read(folder, PEROVSKITE)
    partner = match(stored.positions, indexed.columns[["x", "y"]].to_numpy(), NEAR)
    inside = whole & (partner >= 0)
    ours = strain.iloc[partner[inside]].reset_index(drop=True)
    return StrainFound(
        indexed,
        strain,
        _lattice_words(path),
        compared(by_theirs[whole], theirs[whole]),
        compared(by_theirs[~whole], theirs[~whole]),
        compared(ours, theirs[inside].reset_index(drop=True)),
    )


def compared(ours: pd.DataFrame, theirs: pd.DataFrame) -> Compared:
    """Compare row by row where both have a number."""
    found = {}
    for name in COMPONENTS:
        both = ours[name].notna() & theirs[name].notna()
        one, two = ours.loc[both, name].to_numpy(), theirs.loc[both, name].to_numpy()
        slope = float(np.polyfit(two, one, 1)[0])
        apart = float(np.sqrt(np.mean((one - two) ** 2)))
        found[name] = int(both.sum()), float(np.corrcoef(one, two)[0, 1]), slope, apart
    return found


def _lattice_words(path: Path) -> str:
    stored = loadmat(path, squeeze_me=True, struct_as_record=False)["strainmapping"]
    return (
        f"a = {stored.a[0]:.3f} ± {stored.a[1]:.3f} Å, b = {stored.b[0]:.3f} ± {stored.b[1]:.3f} Å "
        "at 90°, which was not fitted"
    )


def strain_page(found: StrainFound) -> str:
    """The section on strain as Markdown."""
    lattice = found.indexed.lattices[0]
    said = found.indexed.summary["lattices"][0]
    errors, spread = found.strain["eps_xx_std"].median(), found.strain["eps_xx"].std()
    parts = [
        "\n## Strain of CsPbBr3\n\n",
        f"Our own columns, indexed with the cell of the file: {lattice.n_columns} of "
        f"{len(found.indexed.columns)} columns, a = {said['a']:.3f} ± {said['a_std']:.3f} Å, b = "
        f"{said['b']:.3f} ± {said['b_std']:.3f} Å, γ = {said['gamma_deg']:.2f} ± "
        f"{said['gamma_std_deg']:.2f}°. StatSTEM stored {found.stored_lattice}. The cell of the "
        "file has 5.85 Å: either is a tenth shorter, which no strain is; the pixel size in the "
        "file is wrong, or the cell.\n\n",
        f"The spread of ε_xx over our columns is {100 * spread:.1f} %, its median standard error "
        f"{100 * errors:.1f} %: much of what the map shows is noise and the scan.\n\n",
        f"| {' | '.join(NAMES)} |\n",
        "| --- " * len(NAMES) + "|\n",
        *_lines("StatSTEM's", "all there", found.same),
        *_lines("StatSTEM's", "some missing", found.ends),
        *_lines("ours", "all there", found.own),
        STRAIN_WORDS,
    ]
    return "".join(parts)


NAMES = (
    *("positions, lattice", "neighbours", "component"),
    *("columns", "correlation", "slope", "r.m.s. difference"),
)
STRAIN_WORDS = """
With the same positions and the same lattice the strain is the same to rounding. Where neighbours
are missing, at the border, the two differ in what they make of those that are left; crewe wants
three that do not lie on one line. Between StatSTEM's lattice and ours lies the angle, which
StatSTEM keeps at 90°: its strain holds the mean shear of the image, ours does not. Rotation is in
degrees, clockwise; the strains are plain numbers.

![Strain of CsPbBr3](../images/counting_real/perovskite_strain.png)

![Displacements of CsPbBr3](../images/counting_real/perovskite_displacements.png)
"""


def _lines(whose: str, neighbours: str, found: Compared) -> list[str]:
    first = f"| {whose} | {neighbours} |"
    return [
        f"{first} {name} | {number} | {alike:.4f} | {slope:.3f} | {apart:.2g} |\n"
        for name, (number, alike, slope, apart) in found.items()
    ]
