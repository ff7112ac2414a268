import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_particles import FCC_110, TITANATE

from crewe.atoms.unit_cell import ProjectedCell
from crewe.atoms.volume.ladders import (
    Ladder,
    centred_runs,
    ladder_of,
    middles,
    runs_from,
    runs_up_to,
)
from crewe.errors import SpecimenError


@st.composite
def ladders(draw):
    steps = draw(st.lists(st.floats(0.5, 3.0), min_size=1, max_size=4))
    rungs = np.cumsum([0.0, *steps[:-1]])
    return Ladder("Pt", rungs, float(sum(steps)), ())


@given(ladders(), st.integers(1, 12), st.floats(-20, 20))
def test_no_run_is_more_central_than_the_chosen(ladder, number, plane):
    chosen = centred_runs(ladder, number, plane)
    every = [abs(ladder.middle(first, number) - plane) for first in range(-90, 91)]
    for first in chosen:
        assert abs(ladder.middle(int(first), number) - plane) <= min(every) + 0.021
    assert 1 <= len(chosen) <= 2
    assert np.all(np.diff(chosen) == 1)


@given(ladders(), st.integers(1, 12), st.floats(-20, 20))
def test_flat_faces_lie_on_the_plane_or_next_to_it(ladder, number, plane):
    (up,), (down,) = runs_from(ladder, number, plane), runs_up_to(ladder, number, plane)
    above, below = ladder.heights(int(up) - 1, 2), ladder.heights(int(down) + number - 1, 2)
    assert above[0] < plane - 0.02 <= above[1] + 1e-9
    assert below[0] <= plane + 0.02 + 1e-9 < below[1] + 2e-9


def test_rungs_repeat_with_the_period():
    ladder = Ladder("Si", np.array([0.0, 1.0]), 4.0, ())
    assert ladder.heights(-1, 4).tolist() == [-3.0, 0.0, 1.0, 4.0]
    assert ladder.middle(0, 3) == 2.0
    assert middles(ladder, 2).tolist() == [0.5, 2.5]


def test_each_titanium_brings_one_oxygen():
    ladder = ladder_of(TITANATE, 1)
    assert ladder.element == "Ti"
    for number in (1, 2, 7):
        ((element, heights),) = ladder.companions(0, number)
        assert element == "O"
        assert np.diff(ladder.heights(0, number), prepend=-1.9525) == pytest.approx(3.905)
        assert heights == pytest.approx(np.arange(number) * 3.905)


def test_heights_just_below_a_period_are_zero_and_lifts_turn_round():
    atoms = ((("Au", 0.9999999),),)
    cell = ProjectedCell(4.0, 4.0, 90.0, np.zeros((1, 2)), ("Au",), 4.0, atoms)
    assert ladder_of(cell, 0).rungs.tolist() == [0.0]
    assert ladder_of(FCC_110, 1, 0.75).rungs == pytest.approx([0.25 * FCC_110.b])


def test_a_site_without_an_element_is_refused():
    cell = ProjectedCell(4.0, 4.0, 90.0, np.zeros((1, 2)), ("A",), 4.0, ((("A", 0.0),),))
    with pytest.raises(SpecimenError, match="site 'A' holds A; name chemical elements"):
        ladder_of(cell, 0)
    empty = ProjectedCell(4.0, 4.0, 90.0, np.zeros((1, 2)), ("A",), 4.0, ((),))
    with pytest.raises(SpecimenError, match="holds no atoms"):
        ladder_of(empty, 0)
