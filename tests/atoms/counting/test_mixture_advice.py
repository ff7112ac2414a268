import numpy as np

from crewe.atoms.counting.mixture_advice import advise, candidates_of, typical_step


def mixture(means, width=0.1):
    means = np.asarray(means, dtype=float)
    return np.concatenate([np.full(len(means), 1 / len(means)), means, [width**2, 0.0]])


def table(icl):
    return {"components": list(range(1, len(icl) + 1)), "icl": list(icl)}


CLEAR = [500.0, 300.0, 100.0, 20.0, 80.0, 120.0]
EVEN = [1.0, 2.0, 3.0, 4.0]


def said(theta, icl, offset=0, chosen_here=True):
    return advise(theta, table(icl), "icl", offset, chosen_here)


def test_a_clear_case_meets_no_objection():
    assert said(mixture(EVEN), CLEAR).sentences == []


def test_a_competing_minimum_is_an_objection_a_distant_one_a_remark():
    near = said(mixture(EVEN), [500.0, 300.0, 100.0, 20.0, 80.0, 25.0, 90.0])
    assert any("competing minima" in one and "6" in one for one in near.objections)
    far = said(mixture(EVEN), [500.0, 300.0, 100.0, 20.0, 80.0, 60.0, 90.0])
    assert far.objections == []
    assert any("further local minima at 6" in one for one in far.sentences)


def test_a_plateau_and_an_open_end_are_objections():
    assert "flat" in said(mixture(EVEN), [500.0, 300.0, 100.0, 20.0, 24.0, 90.0]).objections[0]
    assert "most_components" in said(mixture(EVEN), [500.0, 300.0, 100.0, 20.0]).objections[0]


def test_wide_components_point_to_the_curve():
    assert "by='curve'" in said(mixture(EVEN, 0.3), CLEAR).objections[0]
    assert said(mixture(EVEN, 0.2), CLEAR).objections == []


def test_a_missing_and_a_split_count_are_named():
    missing = said(mixture([1.0, 2.0, 4.0, 5.0]), CLEAR).objections
    assert any("from 2 to 3 atoms" in one and "missing" in one for one in missing)
    split = said(mixture([1.0, 2.0, 2.3, 3.2, 4.2]), CLEAR, chosen_here=False).objections
    assert any("from 2 to 3 atoms" in one and "split" in one for one in split)


def test_an_offset_is_proposed():
    assert "offset=2" in said(mixture([3.0, 4.0, 5.0, 6.0]), CLEAR).objections[0]
    assert said(mixture([3.0, 4.0, 5.0, 6.0]), CLEAR, offset=2).objections == []
    assert said(mixture([0.05, 1.0, 2.0, 3.0]), CLEAR, offset=-1).objections == []


def test_a_given_number_is_not_judged_by_the_criterion():
    assert said(mixture(EVEN), [1.0, 2.0, 3.0, 4.0], chosen_here=False).objections == []


def test_candidates_come_best_first():
    assert candidates_of(table([9.0, 5.0, 7.0, 2.0, 8.0]), "icl") == [4, 2]


def test_the_step_of_a_single_mean_is_its_part_per_atom():
    assert typical_step(mixture([6.0]), 2) == 2.0
