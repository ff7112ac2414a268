"""How well each column's place is known: from the table, else from what local fits leave over."""

import numpy as np
from scipy.stats import chi2

from crewe.atoms.lattice.deformation import local_gradients
from crewe.atoms.lattice.results import FittedLattice, IndexedColumns
from crewe.atoms.lattice.translations import lattice_translations, shortest_vectors, site_classes
from crewe.atoms.stamps import Array, Index

# Neighbourhoods for the estimate reach this many times the longer edge of the primitive cell.
REACH = 1.6


def position_errors(indexed: IndexedColumns) -> Array:
    """Standard errors (N, 2) in Å of x and y, by `x_std` and `y_std` of the table.

    A column without them gets those that columns of its lattice and site show: the median, over
    such columns, of the mean square that an affine fit of the surroundings leaves over, which
    neither strain nor a few defects raise. NaN where there is no lattice or nothing to fit.
    """
    table = indexed.columns
    errors = np.full((len(table), 2), np.nan)
    if {"x_std", "y_std"} <= set(table):
        errors = table[["x_std", "y_std"]].to_numpy(float).copy()
    lacking = ~np.isfinite(errors).all(axis=1)
    for number, lattice in enumerate(indexed.lattices):
        rows = np.flatnonzero(table["lattice"].to_numpy() == number)
        if lacking[rows].any():
            shown = np.sqrt(_scatter(indexed, lattice, rows))
            few = lacking[rows]
            errors[rows[few]] = shown[few, None]
    return errors


def _scatter(indexed: IndexedColumns, lattice: FittedLattice, rows: Index) -> Array:
    """Variance in Å² of one coordinate of each of the columns of a lattice, by class of sites."""
    table = indexed.columns.iloc[rows]
    sites = table["site"].to_numpy()
    classes = site_classes(lattice.cell)[sites]
    translations = lattice_translations(lattice.cell)
    edges = np.linalg.norm(shortest_vectors(lattice.vectors, translations), axis=1)
    found = local_gradients(
        table[["x", "y"]].to_numpy(float),
        np.ones((len(rows), 2)),
        table[["cell_a", "cell_b"]].to_numpy(float) + lattice.cell.sites[sites],
        classes,
        lattice.vectors,
        translations,
        radius=REACH * float(edges.max()),
    )
    variance = np.full(len(rows), np.nan)
    usable = np.isfinite(found.reduced_chi_square)
    freedom = found.freedom[usable]
    typical = found.reduced_chi_square[usable] * freedom / chi2.median(freedom)
    for number in np.unique(classes):
        own = typical[classes[usable] == number]
        variance[classes == number] = np.median(own) if len(own) else np.nan
    return variance
