"""What to say when a cell does not fit: what the image has, what the cell has, what would help."""

import numpy as np
from scipy.spatial import cKDTree

from crewe.atoms.lattice.pose import Crystal, Pose, find_pose
from crewe.atoms.stamps import Array
from crewe.atoms.unit_cell import ProjectedCell

FACTORS = np.geomspace(0.45, 2.2, 33)
# Part of the columns on sites, and columns at all, that make another calibration worth naming.
CLEARLY, ENOUGH = 0.85, 12


def misfit_message(
    patches: list[tuple[Array, Array]], crystals: list[Crystal], best: Pose, crystal: Crystal
) -> str:
    """Sentences on the spacings of image and cell, and the calibration that would agree.

    `patches` are points and brightness of the parts of the image that were tried, the one on
    which `crystal` has its `best` pose first.
    """
    points = np.concatenate([patch for patch, _ in patches])
    image, cell = _spacing(points), _spacing(_several_cells(crystal.cell))
    text = (
        f"{_shape(crystal.cell)} does not fit: where it fits best {best.share:.0%} of the columns "
        f"lie within {crystal.tolerance:.2f} Å of its sites, when it is stretched by "
        f"{best.stretched:.1%} and {best.empty:.0%} of its sites stay empty. In the image the "
        f"nearest neighbours are {_words(image)}; in the cell {_words(cell)}"
    )
    factor = _factor(patches, crystals, best)
    if factor is None:
        return text + "; check the calibration, the zone axis and which sites the image shows"
    return text + (
        f"; it would fit if the pixel size were {factor:.3g} times as large: check the "
        "calibration and the zone axis"
    )


def _words(spacing: tuple[float, float, float]) -> str:
    if not np.isfinite(spacing).all():
        return f"{spacing[0]:.2f} Å away"
    return f"{spacing[0]:.2f} and, aside of them, {spacing[1]:.2f} Å away at {spacing[2]:.0f}°"


def _shape(cell: ProjectedCell) -> str:
    return f"the unit cell {cell.a:.3f} × {cell.b:.3f} Å, {cell.angle_deg:.0f}°,"


def _several_cells(cell: ProjectedCell) -> Array:
    steps = np.stack(np.meshgrid(range(-3, 4), range(-3, 4)), axis=-1).reshape(-1, 1, 2)
    return np.asarray((steps + cell.sites).reshape(-1, 2) @ cell.vectors())


def _spacing(points: Array) -> tuple[float, float, float]:
    """Median distance to the nearest neighbour, to the next aside of it, and their angle."""
    points = np.unique(points, axis=0)
    count = min(9, len(points))
    distance, near = cKDTree(points).query(points, k=count)
    arms = points[near[:, 1:]] - points[:, None]
    cosine = np.einsum("nk,nik->ni", arms[:, 0], arms[:, :].transpose(0, 1, 2))
    cosine = cosine / (distance[:, 1:2] * distance[:, 1:])
    aside = np.abs(cosine) < np.cos(np.deg2rad(35))
    first = np.argmax(aside, axis=1)
    rows = np.flatnonzero(aside[np.arange(len(points)), first])
    if not len(rows):
        return float(np.median(distance[:, 1])), np.nan, np.nan
    angle = np.rad2deg(np.arccos(np.abs(cosine[rows, first[rows]])))
    second = distance[rows, 1 + first[rows]]
    # corners of the patch lack neighbours and look to the far side
    inner = second <= np.median(second)
    return (
        float(np.median(distance[:, 1])),
        float(np.median(second)),
        float(np.median(angle[inner])),
    )


def _factor(
    patches: list[tuple[Array, Array]], crystals: list[Crystal], best: Pose
) -> float | None:
    """Factor on the image's lengths nearest to 1 with which a cell clearly fits, or None."""
    points, brightness = patches[0]
    found = []
    for crystal in crystals:
        for factor in FACTORS:
            pose = find_pose(points * factor, brightness, crystal)
            if pose.fits() and pose.share >= CLEARLY and pose.score > best.score:
                length = np.sqrt(abs(np.linalg.det(pose.vectors) / np.linalg.det(crystal.vectors)))
                found.append((pose.score, factor / length))
    if len(points) < ENOUGH or not found:
        return None
    highest = max(score for score, _ in found)
    good = [factor for score, factor in found if score > highest - 0.15]
    nearest = min(good, key=lambda factor: abs(np.log(factor)))
    # of those that mean the same the one that stretches the cell least is the most exact
    _, factor = max((score, factor) for score, factor in found if abs(factor / nearest - 1) < 0.1)
    # the same calibration again is no advice
    return None if abs(factor - 1) < 0.02 else float(factor)
