import numpy as np

from crewe.atoms.unit_cell import ProjectedCell
from crewe.workflows import plan_from
from crewe.workflows.unit_cells import cell_settings, projected

PLAIN = ProjectedCell(3.9, 4.1, 92.0, np.array([[0, 0], [0.5, 0.25]]), ("Sr", "Ti O"))
DEEP = ProjectedCell(
    *(3.9, 4.1, 92.0, PLAIN.sites, PLAIN.names, 3.905),
    ((("Sr", 0.0),), (("Ti", 0.5), ("O", 0.0))),
    (0.0, 0.25),
)


def through_a_plan(cell):
    plan = plan_from({"image": "a.tif", "unit_cell": cell_settings(cell)})
    return projected(plan.unit_cell)


def test_cells_come_back_from_a_plan_as_they_were():
    for cell in (PLAIN, DEEP):
        back = through_a_plan(cell)
        assert np.array_equal(back.sites, cell.sites)
        for name in ("a", "b", "angle_deg", "names", "repeat_angstrom", "atoms", "climb"):
            assert getattr(back, name) == getattr(cell, name)


def test_a_flat_cell_says_nothing_of_heights():
    assert set(cell_settings(PLAIN)) == {"a", "b", "angle_deg", "sites"}
