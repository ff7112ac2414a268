import numpy as np
import pytest
from laid_out_cells import PEROVSKITE, laid_out, rotation

from crewe.atoms import ProjectedCell
from crewe.atoms.lattice.pose import Crystal, find_pose, refined
from crewe.atoms.lattice.sites import visible

FULL = ProjectedCell(
    3.905,
    3.905,
    90.0,
    np.array([[0, 0], [0.5, 0.5], [0.5, 0], [0, 0.5]]),
    ("Sr", "Ti", "O", "O"),
)
OBLIQUE = ProjectedCell(4.1, 5.3, 104.0, np.array([[0, 0], [0.4, 0.3]]), ("Pt", "Ti"))


def patch_of(columns):
    points = columns[["x", "y"]].to_numpy()
    order = np.argsort(np.linalg.norm(points - points.mean(axis=0), axis=1))
    return points[order], columns["scs"].to_numpy()[order]


@pytest.mark.parametrize(("angle", "hand"), [(25.0, 1), (-120.0, -1)])
def test_the_turn_and_the_hand_are_found(angle, hand):
    columns, _ = laid_out(OBLIQUE, angle, hand, noise=0.02)
    pose = find_pose(*patch_of(columns), Crystal.of(OBLIQUE))
    assert pose.fits()
    assert pose.share == 1
    assert np.allclose(pose.vectors, OBLIQUE.vectors() @ rotation(angle, hand), atol=0.03)


def test_heavy_sites_go_on_bright_columns():
    columns, truth = laid_out(PEROVSKITE, 10.0, noise=0.02)
    points, brightness = patch_of(columns)
    crystal = Crystal.of(PEROVSKITE)
    pose = find_pose(points, brightness, crystal)
    strontium = columns[["x", "y"]].to_numpy()[truth["name"] == "Sr"]
    parts = (strontium - pose.origin) @ np.linalg.inv(pose.vectors)
    assert np.abs(parts - np.round(parts)).max() < 0.1
    dark = find_pose(points, -brightness, crystal)
    parts = (strontium - dark.origin) @ np.linalg.inv(dark.vectors)
    assert np.abs(parts - np.round(parts)).min() > 0.4


def test_columns_do_not_go_where_heavy_sites_stay_empty():
    columns, _ = laid_out(visible(FULL, least_z=20), 10.0, noise=0.02)
    points, _ = patch_of(columns)
    # without help from the brightness: the columns would lie on the oxygen sites just as well
    pose = find_pose(points, np.zeros(len(points)), Crystal.of(FULL))
    assert pose.empty < 0.1
    assert pose.fits()


def test_a_cell_that_must_shrink_and_stay_empty_does_not_fit():
    columns, _ = laid_out(PEROVSKITE, 10.0, noise=0.02)
    points, brightness = patch_of(columns)
    pose = find_pose(1.3 * points, brightness, Crystal.of(PEROVSKITE))
    assert pose.share > 0.9
    assert pose.stretched == pytest.approx(1 - 1.3 / 2**0.5, abs=0.01)
    assert pose.empty > 0.2
    assert not pose.fits()


def test_refining_follows_strain_but_not_too_far():
    crystal = Crystal.of(PEROVSKITE)
    shear = np.array([[0.02, 0.03], [0.0, -0.02]])
    columns, _ = laid_out(PEROVSKITE, 0.0, strain=shear, noise=0.0, size=3, middle=(0, 0))
    points = columns[["x", "y"]].to_numpy()
    _, vectors = refined(points, crystal, np.zeros(2), crystal.vectors)
    assert np.allclose(vectors, crystal.vectors @ (np.eye(2) + shear), atol=0.01)
    far = points @ np.diag([1.2, 1.2])
    start = 1.1 * crystal.vectors
    _, kept = refined(far, crystal, np.zeros(2), start)
    assert np.array_equal(kept, start)
