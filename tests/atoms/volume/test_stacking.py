import numpy as np
from small_particles import CROSS, FCC_110

from crewe.atoms.volume.interlock import column_neighbours
from crewe.atoms.volume.ladders import Ladder, ladder_of
from crewe.atoms.volume.stacking import stack_columns

LOW, HIGH = ladder_of(FCC_110, 0), ladder_of(FCC_110, 1)
# A column between its four neighbours, seen along [110].
PLACES = np.array([[0.5, 0.5], [0, 0], [1, 0], [0, 1], [1, 1]]) @ FCC_110.vectors()


def heights(stack, ladders, counts):
    return [
        ladder.heights(first, number) - plane
        for ladder, first, plane, number in zip(ladders, *stack, counts, strict=True)
    ]


def stacked(counts, crystal=(0, 0, 0, 0, 0), ladders=(HIGH, LOW, LOW, LOW, LOW), flat="centre"):
    near = column_neighbours(PLACES, np.full(5, 3.35))
    counts = np.array(counts)
    stack = stack_columns(ladders, counts, np.array(crystal), near, flat)
    return heights(stack, ladders, counts)


def test_columns_of_a_particle_with_a_middle_plane_have_one_middle():
    for column in stacked([6, 5, 5, 5, 5]):
        assert np.isclose(column.mean(), 0.0)


def test_a_column_of_the_wrong_parity_is_half_an_atom_off_and_still_interlocks():
    column, *others = stacked([5, 5, 5, 5, 5])
    assert np.isclose(abs(column.mean() - others[0].mean()), CROSS / 2)
    assert np.allclose([each.mean() for each in others], 0.0)


def test_faces_are_flat_where_they_are_asked_to_be():
    tops = [column[0] for column in stacked([6, 3, 4, 5, 7], flat="top")]
    bottoms = [column[-1] for column in stacked([6, 3, 4, 5, 7], flat="bottom")]
    assert np.ptp(tops) < CROSS / 2 + 1e-9
    assert min(tops) > -0.02
    assert np.ptp(bottoms) < CROSS / 2 + 1e-9
    assert max(bottoms) < 0.02


def test_a_second_crystal_fits_itself_to_the_first():
    middle, *others = stacked([6, 5, 5, 5, 5], crystal=(1, 0, 0, 0, 0))
    # Though its own atoms leave it free, it stands half-way between the heights of the others.
    step = (middle[0] - others[0][0]) / CROSS
    assert np.isclose(step % 1, 0.5)


def test_a_crystal_with_many_heights_is_stacked_in_reasonable_time():
    many = Ladder("Pt", np.arange(0, 40, 0.37), 40.0, ())
    columns = stacked([9, 8, 7, 6, 5], ladders=(many,) * 5)
    assert all(abs(column.mean()) < 0.37 for column in columns)
