"""Strain measured in images of lattices whose strain is known, and a dislocation's Burgers vector.

python -m benchmarks.accuracy.strain --markdown docs/benchmarks/strain.md
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr

from crewe.atoms import (
    FittedLattice,
    ProjectedCell,
    burgers_vector,
    dislocations,
    find_columns,
    fit_columns,
    index_columns,
    project_cell,
    strain_map,
)
from crewe.axes import calibrated_image
from crewe.errors import PlanError
from crewe.specimens.dislocation import edge_dislocation
from crewe.specimens.minerals import mineral_crystal
from crewe.specimens.projection import columns_of

Array = NDArray[np.float64]
PIXEL, WIDTH, HEIGHT, BACKGROUND = 0.2, 0.5, 0.06, 0.01
NARROW = 0.35
"""Å; columns along [112] are 1.39 Å apart."""
SPACING, SIZE = 2.775, 90.0
SQUARE = ProjectedCell(SPACING, SPACING, 90.0, np.zeros((1, 2)), ("Pt",))
DOSES = (1e3, 5e3, 5e4)
REALISATIONS = 6
COMPONENTS = ("eps_xx", "eps_yy", "eps_xy", "omega_xy_deg")
LINE, BOX = (45.0, 40.0), (90.0, 80.0, 12.0)
RADII = (10.0, 15.0, 20.0, 25.0)


@dataclass(frozen=True)
class Strained:
    """A displacement field and the strain that it means."""

    name: str
    displacement: Callable[[Array, Array], tuple[Array, Array]]
    """From places to (u_x, u_y) in Å."""
    strain: Callable[[Array, Array], tuple[Array, Array, Array, Array]]
    """From places to ε_xx, ε_yy, ε_xy and ω in degrees."""


def uniform() -> Strained:
    """One per cent here, less there, and half a degree."""
    a, b, c, turn = 0.012, -0.008, 0.005, np.deg2rad(0.5)
    return Strained(
        "uniform",
        lambda x, y: (a * x + (c - turn) * y, (c + turn) * x + b * y),
        lambda x, y: tuple(np.full_like(x, v) for v in (a, b, c, np.rad2deg(turn))),
    )


def bent() -> Strained:
    """A bent crystal: strain grows across it, and the lattice turns along it."""
    k = 0.02 / SIZE
    return Strained(
        "bent",
        lambda x, y: (k * (x - SIZE / 2) * (y - SIZE / 2), -k / 2 * (x - SIZE / 2) ** 2),
        lambda x, y: (
            k * (y - SIZE / 2),
            np.zeros_like(x),
            np.zeros_like(x),
            np.rad2deg(-k * (x - SIZE / 2)),
        ),
    )


def wave() -> Strained:
    """A wave of ε_xx of two per cent over 45 Å."""
    q, amplitude = 2 * np.pi / 45.0, 0.02
    return Strained(
        "wave",
        lambda x, y: (amplitude / q * np.sin(q * x), np.zeros_like(x)),
        lambda x, y: (
            amplitude * np.cos(q * x),
            np.zeros_like(x),
            np.zeros_like(x),
            np.zeros_like(x),
        ),
    )


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    rows = [row for field in (uniform(), bent(), wave()) for row in strain_rows(field)]
    page = PAGE.format(
        realisations=REALISATIONS,
        strain="\n".join(rows),
        burgers="\n".join(burgers_rows()),
        inside=f"{100 * (2 * ndtr(1) - 1):.1f}",
        twice=f"{100 * (2 * ndtr(2) - 1):.1f}",
    )
    print(page)
    if options.markdown:
        options.markdown.write_text(page, encoding="utf-8")


def strain_rows(field: Strained) -> list[str]:
    """One row per dose and component: error, its standard error, how often it holds."""
    rows = []
    for dose in DOSES:
        found = [_measured(field, dose, seed) for seed in range(REALISATIONS)]
        table = pd.concat([one for one, _ in found], ignore_index=True)
        common = [one for _, one in found]
        for name in COMPONENTS:
            error = table[name] - table[f"true_{name}"]
            spread = table[f"{name}_std"]
            pull = (error / spread).to_numpy()
            unit, scale = ("°", 1.0) if name.endswith("deg") else ("%", 100.0)
            rows.append(
                f"| {field.name} | {dose:.0e} | {LABELS[name]} ({unit}) | "
                f"{scale * error.std():.3f} | {scale * spread.median():.3f} | "
                f"{scale * np.mean([c[name] for c in common]):.3f} | "
                f"{np.std(pull):.2f} | {100 * np.mean(abs(pull) < 1):.1f} | "
                f"{100 * np.mean(abs(pull) < 2):.1f} |"
            )
    return rows


LABELS = {"eps_xx": "ε_xx", "eps_yy": "ε_yy", "eps_xy": "ε_xy", "omega_xy_deg": "ω"}


def _measured(field: Strained, dose: float, seed: int) -> tuple[pd.DataFrame, dict[str, float]]:
    """Strain of the columns of one image beside the truth, and what all columns share.

    The nominal cell is the reference, so that strain common to the image counts; ω is taken from
    the image's own mean, as the cell's orientation in the laboratory is not known.
    """
    line = np.arange(4.0, SIZE - 4.0, SPACING)
    x, y = (axis.ravel() for axis in np.meshgrid(line, line))
    u, v = field.displacement(x, y)
    image = noisy_image(x + u, y + v, (SIZE, SIZE), dose, seed)
    columns = fit_columns(image, find_columns(image)).columns
    strain = strain_map(index_columns(columns, SQUARE), reference="cell")
    usual = strain["n_neighbours"].mode()[0]
    kept = (strain["n_neighbours"] == usual) & (columns["flag"] == "")
    table = strain[kept].reset_index(drop=True)
    places = columns.loc[kept, ["x", "y"]].to_numpy().T
    truth = field.strain(*_undisplaced(field, *places))
    for name, values in zip(COMPONENTS, truth, strict=True):
        table[f"true_{name}"] = values
    common = {}
    for name in COMPONENTS:
        off = float((table[name] - table[f"true_{name}"]).mean())
        common[name] = off
        if name == "omega_xy_deg":
            table[name] -= off
            common[name] = 0.0
    return table, common


def _undisplaced(field: Strained, x: Array, y: Array) -> tuple[Array, Array]:
    """Places before the displacement; the fields are weak enough for a fixed point."""
    x0, y0 = x, y
    for _ in range(20):
        u, v = field.displacement(x0, y0)
        x0, y0 = x - u, y - v
    return x0, y0


def noisy_image(
    x: Array, y: Array, size: tuple[float, float], dose: float, seed: int, width: float = WIDTH
) -> xr.DataArray:
    """Image of equal Gaussian columns in electrons counted at a dose, in fractions of the beam."""
    columns, rows = (round(edge / PIXEL) for edge in size)
    across = np.exp(-((np.arange(columns) * PIXEL - x[:, None]) ** 2) / (2 * width**2))
    down = np.exp(-((np.arange(rows) * PIXEL - y[:, None]) ** 2) / (2 * width**2))
    clean = BACKGROUND + HEIGHT * down.T @ across
    electrons = dose * PIXEL**2
    counts = np.random.default_rng([seed, int(dose)]).poisson(clean * electrons)
    return calibrated_image(counts / electrons, PIXEL, attrs={"units": "fraction of beam"})


def burgers_rows() -> list[str]:
    """Burgers vectors of an edge dislocation in platinum by circuits, from noisy images."""
    truth = columns_of(edge_dislocation(BOX, core=LINE), 0.3)
    crystal = mineral_crystal("Pt").cell[0, 0]
    cell = platinum_cell(float(crystal))
    rows = []
    for dose in DOSES:
        image = noisy_image(truth.x, truth.y, BOX[:2], dose, 0, NARROW)
        columns = fit_columns(image, find_columns(image)).columns
        lattice = index_columns(columns, cell).lattices[0]
        found = dislocations(columns, lattice)
        away = [f"{one:.1f}" for one in np.hypot(found["x"] - LINE[0], found["y"] - LINE[1])]
        for radius in RADII:
            rows.append(
                f"| {dose:.0e} | {len(columns)} of {len(truth.x)} | {', '.join(away) or '–'} | "
                f"{radius:.0f} | {_circuit(columns, lattice, radius)} | "
                f"{crystal / np.sqrt(2):.3f} |"
            )
    return rows


def _circuit(columns: pd.DataFrame, lattice: FittedLattice, radius: float) -> str:
    try:
        circuit = burgers_vector(columns, lattice, around=LINE, radius=radius)
    except PlanError:
        return "refused | –"
    first, second = circuit.fractions
    return f"{first:g}, {second:g} | {circuit.length:.3f} ± {circuit.length_std:.3f}"


def platinum_cell(lattice: float) -> ProjectedCell:
    """Platinum along [112]."""
    from ase.build import bulk

    return project_cell(bulk("Pt", "fcc", a=lattice, cubic=True), (1, 1, 2))


PAGE = """# Strain

<!-- Written by `python -m benchmarks.accuracy.strain`; do not edit by hand. -->

Images of a square lattice (2.775 Å, 30 × 30 columns, σ 0.5 Å, height 0.06 and background 0.01
of the beam, 0.2 Å a pixel) with a known displacement field and counted electrons; columns found,
fitted and indexed with no option set; {realisations} images each. *uniform*: ε_xx 1.2 %, ε_yy
−0.8 %,
ε_xy 0.5 %, turned by 0.5°; *bent*: ε_xx from −1 to 1 % across the image; *wave*: ε_xx ± 2 % over
45 Å. Strain is measured against the nominal cell, the rotation against its own mean; columns with
all neighbours and without a flag.

*error*: standard deviation of measured less true; *said*: median of the standard errors; *mean
off*: mean error over all columns; *pull*: standard deviation of error over standard error, 1 if the
errors are what they say; then how many columns lie within one and two standard errors ({inside}
and {twice} % if they are normal). A strain that changes over a few columns is blurred by the
neighbourhood from which it is taken, which no standard error holds.

| field | dose e/Å² | component | error | said | mean off | pull | % within 1 | % within 2 |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
{strain}

## Burgers vector

Platinum along [112] with an edge dislocation b = ½[1-10] (isotropic elasticity), imaged likewise
with σ 0.35 Å; the cell is projected from the crystal. *patches*: how far from the line the places
are that `dislocations` finds by itself; the circuits run around the line.

| dose e/Å² | columns found | patches Å | radius Å | b in a, b | length Å | true |
| --- | --- | --- | --- | --- | --- | --- |
{burgers}
"""


if __name__ == "__main__":
    main()
