import numpy as np
import pytest
from ase import Atoms

from crewe.errors import CalibrationError, SpecimenError
from crewe.simulation.field import Field
from crewe.simulation.multislice_slab import make_slab

OPEN = Field((2.0, 1.0), (10, 20), False)
SPANS = ((-1.0, 3.0), (-1.0, 5.0))


def slab(atoms, field=OPEN, window=None, slice_angstrom=2.0):
    return make_slab(atoms, field, SPANS, 0.1, slice_angstrom, window)


def atoms_at(places, cell=(8, 6, 8), pbc=False):
    return Atoms(["Au"] * len(places), places, cell=cell, pbc=pbc)


def test_an_open_box_reaches_half_a_window_beyond_the_places():
    found = slab(atoms_at([(3, 2, 1), (40, 2, 1)]), window=8.0)
    assert found.corner == pytest.approx((-5.5, -5.5))
    assert np.diag(found.atoms.cell.array) == pytest.approx([15.0, 13.0, 8.0])
    # Pixel (0, 0) lies at (2, 1); the far atom is outside of the box.
    assert len(found.atoms) == 1
    assert found.atoms.positions[0] == pytest.approx([3 - 2 + 5.5, 2 - 1 + 5.5, 1.0])
    assert (found.steps <= 0.1).all()


@pytest.mark.parametrize("window", [None, 5.0, 6.1, 9.0])
def test_an_exact_open_box_has_the_step_asked_for_and_room_for_its_windows(window):
    found = make_slab(atoms_at([(3, 2, 1)]), OPEN, SPANS, 0.0531, 2.0, window, exact=True)
    assert found.steps == pytest.approx([0.0531, 0.0531], rel=1e-12)
    least = np.array([6.0, 4.0]) + (2 * 5.0 if window is None else window)
    lengths = found.steps * found.points
    assert (lengths >= least).all()
    # Both borders are as far from the places.
    middle = found.corner + 0.5 * lengths
    assert middle == pytest.approx([2.0, 1.0])
    assert found.atoms.positions[0, :2] + found.corner == pytest.approx([1.0, 1.0])
    if window is not None:
        half = 0.5 * found.window_points[0] * 0.0531
        assert -1.0 - half > found.corner[0] - 0.0531
        assert 5.0 + half < found.corner[0] + lengths[0] + 0.0531


def test_atoms_lie_in_the_middle_of_their_slice_and_none_is_lost():
    heights = [0.0, 1.999, 2.0, 4.0 - 1e-12, 7.9, 8.0]
    found = slab(atoms_at([(3, 2, z) for z in heights]))
    assert found.slices == 4
    assert found.atoms.positions[:, 2] == pytest.approx([1, 1, 3, 5, 7, 7])


def test_a_periodic_cell_is_its_own_box():
    field = Field((0.5, 0.25), (10, 10), True)
    found = slab(atoms_at([(0.1, 0.2, 1)], pbc=True), field)
    assert found.corner == (-0.5, -0.25)
    assert found.atoms.positions[0, :2] == pytest.approx([0.1, 0.2])
    assert np.diag(found.atoms.cell.array) == pytest.approx([8, 6, 8])


def test_a_window_holds_the_part_of_the_potential_around_its_places():
    field = Field((0.0, 0.0), (10, 10), True)
    found = slab(atoms_at([(1, 1, 1)], cell=(8, 12, 8), pbc=True), field, window=4.0)
    along_x = np.arange(found.points[0]) * found.steps[0]
    along_y = np.arange(found.points[1]) * found.steps[1]
    potential = (along_x[:, None] + 100 * along_y[None, :])[None]
    part, origin, extent = found.window(potential, (np.array([5.0, 5.4]), np.array([7.5, 7.7])))
    assert extent == pytest.approx(np.array(found.window_points) * found.steps)
    assert origin == pytest.approx((7.6 - extent[0] / 2, 5.2 - extent[1] / 2), abs=0.06)
    # Along x the window wraps round the period.
    x = (origin[0] + np.arange(part.shape[1]) * found.steps[0]) % 8
    y = origin[1] + np.arange(part.shape[2]) * found.steps[1]
    assert part[0] == pytest.approx(x[:, None] + 100 * y[None, :])


def test_a_window_as_wide_as_the_box_is_the_box():
    field = Field((0.0, 0.0), (10, 10), True)
    assert slab(atoms_at([(1, 1, 1)], pbc=True), field, window=9.0).window_points is None


def test_thicknesses_go_to_the_nearest_slice():
    found = slab(atoms_at([(3, 2, 1)]))
    assert found.planes(None) == [3]
    assert found.planes([1.9, 6.2]) == [0, 2]
    for wrong in ([], [4.0, 2.0], [0.5], [20.0]):
        with pytest.raises(CalibrationError, match="rising"):
            found.planes(wrong)


def test_specimens_that_fit_no_box_are_refused():
    with pytest.raises(SpecimenError, match="outside the cell"):
        slab(atoms_at([(1, 1, -0.5)]))
    with pytest.raises(SpecimenError, match="outside the cell"):
        slab(atoms_at([(1, 1, 11)]))
    tilted = Atoms("Au", [(1, 1, 1)], cell=[[8, 0, 0], [3, 8, 0], [0, 0, 8]], pbc=True)
    with pytest.raises(SpecimenError, match="right angles"):
        slab(tilted, Field((0.0, 0.0), (9, 9), True))
    with pytest.raises(CalibrationError, match="too small"):
        slab(atoms_at([(1, 1, 1)]), window=1.0)
    with pytest.raises(SpecimenError, match="at z > 0"):
        slab(atoms_at([(1, 1, 0)], cell=None))


def test_atoms_without_a_cell_have_the_height_that_they_need():
    found = slab(atoms_at([(3, 2, 0.5), (4, 3, 5.5)], cell=None))
    assert float(found.atoms.cell[2, 2]) == pytest.approx(6.0)
