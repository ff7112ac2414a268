import numpy as np
from laid_out_cells import PEROVSKITE, laid_out

from crewe.atoms.lattice.misfit import misfit_message
from crewe.atoms.lattice.pose import Crystal, find_pose

CRYSTAL = Crystal.of(PEROVSKITE)


def message(points, brightness):
    pose = find_pose(points, brightness, CRYSTAL)
    return misfit_message([(points, brightness)], [CRYSTAL], pose, CRYSTAL)


def test_spacings_and_the_factor_are_named():
    columns, _ = laid_out(PEROVSKITE, 15.0, noise=0.01, size=4)
    said = message(columns[["x", "y"]].to_numpy() * 0.5, columns["scs"].to_numpy())
    assert "3.905 × 3.905 Å, 90°" in said
    assert "in the cell 2.76 and, aside of them, 2.76 Å away at 90°" in said
    assert "In the image the nearest neighbours are 1.38 and, aside of them, 1.3" in said
    assert (
        "pixel size were 2 times" in said
        or "pixel size were 1.99 times" in said
        or ("pixel size were 2.01 times" in said)
    )


def test_where_no_calibration_helps_none_is_named():
    points = np.random.default_rng(0).uniform(0, 20, (40, 2))
    assert "check the calibration, the zone axis and which sites" in message(points, np.ones(40))


def test_columns_on_one_line_have_one_spacing():
    points = np.stack([3.0 * np.arange(6.0), np.zeros(6)], axis=1)
    assert "In the image the nearest neighbours are 3.00 Å away;" in message(points, np.ones(6))
