"""The translations that a projected cell hides: centring, and so equal sites.

Seen along [001] an fcc metal has the sites (0, 0) and (½, ½) in the usual square, yet all its
columns form one lattice of half the area.
"""

import numpy as np

from crewe.atoms.stamps import Array, Index
from crewe.atoms.unit_cell import ProjectedCell

# Å. Coarser than coordinates are rounded in files, finer than any displacement worth a map.
SAME_PLACE = 0.01


def lattice_translations(cell: ProjectedCell) -> Array:
    """Translations (T, 2), in multiples of a and b from 0 to 1, that carry the cell onto itself.

    Zero comes first; a primitive cell has no other. Names must agree, heights along the beam
    need not.
    """
    sites = np.asarray(cell.sites, float)
    names = np.array(cell.names)
    rarest = min(set(cell.names), key=cell.names.count)
    moves = _within_cell(sites[names == rarest] - sites[names == rarest][0], cell)
    keep = [move for move in moves if _maps_onto_itself(cell, sites, names, move)]
    return np.array(sorted(keep, key=lambda move: (round(move @ move, 6), *move)))


def site_classes(cell: ProjectedCell) -> Index:
    """Number (S,) of the class of each site; sites of one class differ by a translation."""
    sites = np.asarray(cell.sites, float)
    classes = np.full(len(sites), -1, dtype=np.int64)
    for site in range(len(sites)):
        if classes[site] < 0:
            images = sites[site] + lattice_translations(cell)
            apart = _distance(images[:, None, :] - sites[None, :, :], cell)
            same_name = np.array(cell.names) == cell.names[site]
            classes[(apart < SAME_PLACE).any(axis=0) & same_name] = classes.max() + 1
    return classes


def shortest_vectors(vectors: Array, translations: Array) -> Array:
    """Basis (2, 2) in Å, as rows, of the two shortest vectors of the lattice with its centring.

    `vectors` (2, 2) are the edges of the cell in Å, `translations` those of
    `lattice_translations`.
    """
    steps = np.array([[i, j] for i in range(-3, 4) for j in range(-3, 4)], float)
    points = (steps[:, None, :] + translations[None, :, :]).reshape(-1, 2) @ vectors
    length = np.linalg.norm(points, axis=1)
    order = np.argsort(length, kind="stable")
    order = order[length[order] > SAME_PLACE]
    first = points[order[0]]
    area = np.abs(first[0] * points[order, 1] - first[1] * points[order, 0])
    return np.array([first, points[order[np.argmax(area > 0.1 * length[order[0]] ** 2)]]])


def nearest_translation(places: Array, vectors: Array, translations: Array) -> Array:
    """Lattice translation (N, 2) nearest to each of the places (N, 2), all in multiples of a, b.

    Found by rounding, which is the nearest in Å wherever the answer is beyond dispute: within 0.3
    of the shortest translation, for angles between a and b from 40° to 140°.
    """
    candidates = np.stack([np.round(places - move) + move for move in translations])
    distance = np.linalg.norm((places - candidates) @ vectors, axis=2)
    return candidates[np.argmin(distance, axis=0), np.arange(len(places))]


def _within_cell(places: Array, cell: ProjectedCell) -> Array:
    """Places taken back into the cell; what lies within rounding of an edge becomes 0."""
    inside = places - np.floor(places)
    near = (1 - inside) * np.array([cell.a, cell.b]) < SAME_PLACE
    return np.where(near, 0.0, inside)


def _distance(offsets: Array, cell: ProjectedCell) -> Array:
    return np.linalg.norm((offsets - np.round(offsets)) @ cell.vectors(), axis=-1)


def _maps_onto_itself(cell: ProjectedCell, sites: Array, names: Array, move: Array) -> bool:
    apart = _distance(sites[:, None, :] + move - sites[None, :, :], cell)
    return bool(((apart < SAME_PLACE) & (names[:, None] == names[None, :])).any(axis=1).all())
