"""Compares strain, column by column, with what StatSTEM stored for CsPbBr3 (its Example3).

python -m benchmarks.accuracy.strain_statstem --data ../shared/data

Positions, indices and lattice are StatSTEM's own; what differs is the strain alone. Prints the
rows of a table.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import loadmat

from crewe.atoms.lattice.results import FittedLattice, IndexedColumns
from crewe.atoms.lattice.strain import strain_map
from crewe.atoms.unit_cell import ProjectedCell

EXAMPLE = "statstem_Example3.mat"
SITES = np.array([[0.0, 0.0], [0.5, 0.5]])
# StatSTEM's ω is positive against the sense of crewe's, which is clockwise as displayed.
COMPONENTS = {"eps_xx": 1.0, "eps_yy": 1.0, "eps_xy": 1.0, "omega_xy_deg": -1.0}


def main() -> None:
    """Print correlation, slope and difference for whole and for cut neighbourhoods."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    indexed, theirs = read_example(parser.parse_args().data / "atomic" / EXAMPLE)
    print("| sites | neighbours | component | columns | correlation | slope | rms difference |")
    print("|---|---|---|---|---|---|---|")
    for sites in ("same", "all"):
        ours = strain_map(indexed, sites=sites)
        most = ours["n_neighbours"].max()
        for words, chosen in (
            ("all there", ours["n_neighbours"] == most),
            ("some missing", ours["n_neighbours"] < most),
        ):
            for name in COMPONENTS:
                print(f"| {sites} | {words} | {name} | {_row(ours[name], theirs[name], chosen)} |")
    print(_errors(strain_map(indexed), theirs))


def read_example(path: Path) -> tuple[IndexedColumns, pd.DataFrame]:
    """StatSTEM's indexed columns, and its strain with crewe's names, units and signs."""
    stored = loadmat(path, squeeze_me=True, struct_as_record=False)["strainmapping"]
    angle = float(stored.teta[0])
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    vectors = np.array([stored.a[0] * along, stored.b[0] * across])
    cell = ProjectedCell(5.85, 5.85, 90.0, SITES, ("Pb", "Cs"))
    covariance = np.zeros((6, 6))
    covariance[2:, 2:] = _covariance(stored, along, across)
    columns = pd.DataFrame(stored.coor_sel, columns=["x", "y"])
    whole = np.asarray(stored.indices, int)
    columns = columns.assign(
        lattice=0, site=stored.types.astype(int) - 1, cell_a=whole[:, 0], cell_b=whole[:, 1]
    )
    lattice = FittedLattice("CsPbBr3", cell, stored.refCoor, vectors, covariance, len(whole), 0.0)
    theirs = pd.DataFrame(
        {
            "eps_xx": stored.eps_xx,
            "eps_yy": stored.eps_yy,
            "eps_xy": stored.eps_xy,
            "omega_xy_deg": -np.rad2deg(stored.omg_xy),
            "eps_xx_std": stored.errEps_xx,
            "omega_xy_deg_std": np.rad2deg(stored.errOmg_xy),
        }
    )
    return IndexedColumns(columns, (lattice,), {}), theirs


def _covariance(stored: object, along: np.ndarray, across: np.ndarray) -> np.ndarray:
    """That of a and b from StatSTEM's errors of the lengths and of their common angle."""
    a, a_std = stored.a
    b, b_std = stored.b
    slopes = np.concatenate(
        [
            np.concatenate([along * a_std, np.zeros(2)])[None],
            np.concatenate([np.zeros(2), across * b_std])[None],
            np.concatenate([across * a, -along * b])[None] * stored.teta[1],
        ]
    )
    return slopes.T @ slopes


def _row(ours: pd.Series, theirs: pd.Series, chosen: pd.Series) -> str:
    both = chosen & ours.notna() & theirs.notna()
    one, two = ours[both], theirs[both]
    slope = np.polyfit(two, one, 1)[0]
    difference = np.sqrt(np.mean((one - two) ** 2))
    return f"{both.sum()} | {np.corrcoef(one, two)[0, 1]:.4f} | {slope:.4f} | {difference:.2g}"


def _errors(ours: pd.DataFrame, theirs: pd.DataFrame) -> str:
    common = ours.attrs["reference_std"][0]
    return (
        f"\nMedian standard error of eps_xx: crewe {ours['eps_xx_std'].median():.4f} from the "
        f"scatter of positions and {common['eps_xx']:.4f} common to all from the reference; "
        f"StatSTEM {theirs['eps_xx_std'].median():.4f}. Spread of eps_xx over the columns: "
        f"{ours['eps_xx'].std():.4f}."
    )


if __name__ == "__main__":
    main()
