import numpy as np
import pytest
from ase.build import bulk

from crewe.atoms.lattice.primitive import primitive_crystal
from crewe.atoms.lattice.view import chosen_change, filled, seen_along

PLATINUM = bulk("Pt", "fcc", a=4.0, cubic=True)


@pytest.mark.parametrize(
    ("axis", "repeat"),
    [((0, 0, 1), 4.0), ((1, 1, 0), 8**0.5), ((1, 1, 1), 48**0.5), ((1, 1, 2), 24**0.5)],
)
def test_the_period_along_the_beam_counts_the_centring(axis, repeat):
    cell = PLATINUM.cell.array
    view = seen_along(primitive_crystal(PLATINUM), cell, axis)
    assert view.repeat == pytest.approx(repeat)
    area = abs(np.linalg.det(view.plane))
    assert area * repeat == pytest.approx(4.0**3 / 4)


@pytest.mark.parametrize("axis", [(0, 0, 1), (1, 1, 0), (1, 1, 1), (1, 2, 3)])
def test_the_cell_is_filled_once(axis):
    cell = PLATINUM.cell.array
    view = seen_along(primitive_crystal(PLATINUM), cell, axis)
    change = chosen_change(view, cell, axis)
    parts, heights, numbers = filled(view, change)
    assert len(parts) == len(heights) == len(numbers) == abs(round(np.linalg.det(change)))
    assert ((parts > -1e-8) & (parts < 1)).all()
    assert len({tuple(np.round(part % 1, 6) % 1) for part in parts}) == len(parts)
    assert np.linalg.det(change @ view.plane) > 0
