import numpy as np
import pytest

from crewe.chemistry import composition as module
from crewe.chemistry.composition import Problem, fit_composition


def two_regions(rng, mean=20.0, side=96):
    """Textured thickness, two elements, composition changing at the middle column."""
    guide = 1 + 0.3 * rng.standard_normal((side, side)).astype(np.float32)
    guide = np.maximum(guide, 0.2)
    left = np.arange(side) < side // 2
    first = np.where(left, 0.8, 0.3).astype(np.float32)
    composition = mean * np.stack([np.broadcast_to(first, guide.shape)] * 2)
    composition[1] = mean - composition[0]
    truth = (guide * composition).astype(np.float32)
    counts = rng.poisson(truth).astype(np.float32)
    guides = np.stack([guide, guide])
    return truth, composition, Problem(counts, guides, np.zeros_like(truth), None)


def slow_cost(problem, strength, composition):
    """Both terms by plain loops."""
    elements, rows, columns = composition.shape
    level, information = module._scales(problem)
    amounts = problem.guide * composition
    mean = amounts + problem.background
    chemical = (mean - problem.counts * np.log(np.maximum(mean, 1e-6))).sum(dtype=float)
    total = 0.0
    for y in range(rows):
        for x in range(columns):
            length = 0.0
            for e in range(elements):
                here = composition[e, y, x] / level[e, 0, 0]
                down = composition[e, min(y + 1, rows - 1), x] / level[e, 0, 0] - here
                right = composition[e, y, min(x + 1, columns - 1)] / level[e, 0, 0] - here
                length += information[e, 0, 0] * (down**2 + right**2)
            total += np.sqrt(length)
    return chemical, strength * total


def test_the_cost_is_what_the_formula_says():
    rng = np.random.default_rng(0)
    _, _, problem = two_regions(rng, side=12)
    found = fit_composition(problem, 2.0, iterations=30)
    chemical, variation = slow_cost(problem, 2.0, found.composition)
    assert found.chemical[-1] == pytest.approx(chemical, rel=1e-5)
    assert found.variation[-1] == pytest.approx(variation, rel=1e-4)


@pytest.mark.parametrize("poisson", [True, False])
def test_the_cost_never_rises_and_no_neighbour_is_lower(poisson):
    rng = np.random.default_rng(1)
    truth, _, problem = two_regions(rng, side=32)
    if not poisson:
        problem = Problem(problem.counts, problem.guide, problem.background, truth)
    found = fit_composition(problem, 3.0, iterations=2000, tolerance=1e-9)
    total = found.chemical + found.variation
    assert (np.diff(total) <= 0).all()
    best = sum(slow_cost(problem, 3.0, found.composition)) if poisson else total[-1]
    for size in (0.003, 0.03, 0.3):
        step = size * rng.standard_normal(found.composition.shape).astype(np.float32)
        step = step - step.mean() if size < 0.01 else step
        near = np.maximum(found.composition + step, 0)
        level, information = module._scales(problem)
        relative = near / level
        variation = 3.0 * module.joint_variation(relative, information[:, 0, 0].copy())
        assert problem.chemical_cost(problem.guide * near) + variation > best - 1e-3


def test_composition_comes_back_within_its_counting_error():
    rng = np.random.default_rng(2)
    truth, composition, problem = two_regions(rng)
    found = fit_composition(problem, 4.0)
    amounts = problem.guide * found.composition
    error = np.linalg.norm(amounts - truth) / np.linalg.norm(truth)
    raw = np.linalg.norm(problem.counts - truth) / np.linalg.norm(truth)
    assert error < 0.2 * raw
    # Away from the edge the plateau averages about 2000 pixels of 12 counts.
    plateau = found.composition[:, 10:-10, 10:38] / composition[:, 10:-10, 10:38]
    assert plateau.mean() == pytest.approx(1, abs=0.03)


def test_an_edge_in_one_element_helps_the_other():
    rng = np.random.default_rng(3)
    truth, _, problem = two_regions(rng)
    faint = problem.counts.copy()
    faint[1] = rng.poisson(truth[1] / 20)
    both = Problem(faint, problem.guide, problem.background, None)
    alone = Problem(faint[1:], problem.guide[1:], problem.background[1:], None)
    together = fit_composition(both, 3.0).composition[1] * problem.guide[1]
    single = fit_composition(alone, 3.0).composition[0] * problem.guide[1]
    wanted = truth[1] / 20
    assert np.linalg.norm(together - wanted) < 0.9 * np.linalg.norm(single - wanted)


def test_background_is_not_taken_for_signal():
    rng = np.random.default_rng(4)
    truth, _, problem = two_regions(rng)
    dark = np.full_like(truth, 5.0)
    counts = rng.poisson(truth + dark).astype(np.float32)
    found = fit_composition(Problem(counts, problem.guide, dark, None), 3.0)
    amounts = problem.guide * found.composition
    assert amounts.sum() == pytest.approx(truth.sum(), rel=0.02)


def test_vacuum_stays_empty_and_finite():
    rng = np.random.default_rng(5)
    _, _, problem = two_regions(rng)
    guide, counts = problem.guide.copy(), problem.counts.copy()
    guide[:, :30] = 0
    counts[:, :30] = 0
    found = fit_composition(Problem(counts, guide, problem.background, None), 3.0)
    assert np.isfinite(found.composition).all()
    assert (guide * found.composition)[:, :30].max() == 0


def test_the_answer_does_not_depend_on_threads_and_a_start_saves_iterations():
    rng = np.random.default_rng(6)
    _, _, problem = two_regions(rng, side=200)
    one = fit_composition(problem, 3.0)
    two = fit_composition(problem, 3.0, threads=2)
    np.testing.assert_array_equal(one.composition, two.composition)
    again = fit_composition(problem, 3.0, start=one.composition)
    assert again.iterations[-1] < one.iterations[-1]


def test_what_is_watched_are_the_amounts():
    rng = np.random.default_rng(7)
    _, _, problem = two_regions(rng, side=32)
    found = fit_composition(problem, 3.0, watch=lambda amounts: float(amounts.sum()))
    last = float((problem.guide * found.composition).sum())
    assert found.watched[-1] == pytest.approx(last)
    assert len(found.watched) == len(found.iterations)
