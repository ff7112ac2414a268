import numpy as np
import pytest
import scipy.ndimage

from crewe.errors import CalibrationError
from crewe.simulation.emulator.forward_selection import (
    CANDIDATES,
    select_kinds,
    validate_selection,
)
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.smoothed import Smoothed

POOL = ("smooth 2", "smooth 4", "gradient 2", "laplacian 2", "spread 3")
LINEAR = EmulatorPlan(features="smoothed", degree=1, register=False)


def images(count, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(count):
        points = (rng.random((70, 72)) < 0.01) * rng.integers(1, 4, (70, 72))
        yield scipy.ndimage.gaussian_filter(points.astype(np.float64), 2.5).astype(np.float32)


def pairs(change, count=6, noise=0.0):
    """Targets made of features of the images, these in units of their deviation."""
    linear = list(images(count))
    scale = np.float32(np.std(linear))
    rng = np.random.default_rng(1)
    result = []
    for n, image in enumerate(linear):
        planes = Smoothed(("intensity", *POOL)).planes(image / scale).astype(np.float64)
        target = change(planes) + noise * rng.normal(size=image.shape)
        result.append(Pair(f"{n}", image, target.astype(np.float32)))
    return result


def test_the_features_that_made_the_target_are_taken_and_no_more():
    made = pairs(lambda x: x[0] + 0.5 * x[2] - 0.8 * x[3])
    found = select_kinds(made, LINEAR, rng=np.random.default_rng(2), candidates=POOL)
    assert found.plan.kinds[0] == "intensity"
    assert set(found.plan.kinds[1:3]) == {"smooth 4", "gradient 2"}
    assert list(found.steps["terms"][:3]) == [2, 3, 4]
    errors = found.steps["one_minus_r2"].to_numpy()
    assert (np.diff(errors) < 0).all()
    assert errors[2] < 1e-6 * errors[0]


def test_nothing_is_taken_that_does_not_help():
    made = pairs(lambda x: 2 * x[0], noise=0.3)
    found = select_kinds(made, LINEAR, rng=np.random.default_rng(2), candidates=POOL)
    assert found.plan.kinds == ("intensity",)
    assert len(found.steps) == 1


def test_degree_and_interactions_of_the_plan_count():
    made = pairs(lambda x: x[0] * x[3] + 0.2 * x[0] ** 2)
    plan = EmulatorPlan(features="smoothed", degree=2, register=False)
    heard = []
    found = select_kinds(
        made,
        plan,
        rng=np.random.default_rng(2),
        candidates=POOL,
        most=2,
        progress=heard.append,
    )
    assert found.plan.kinds == ("intensity", "gradient 2")
    assert found.plan.degree == 2
    assert found.steps["terms"].iloc[-1] == 6
    assert found.steps["one_minus_r2"].iloc[-1] < 1e-6
    assert heard == [1]


def test_each_fold_chooses_on_its_own_and_is_judged_by_the_others():
    made = pairs(lambda x: x[0] + 0.5 * x[2], noise=0.05)
    figures, chosen = validate_selection(
        made, LINEAR, rng=np.random.default_rng(3), candidates=POOL, most=2
    )
    assert [one.plan.kinds for one in chosen] == [("intensity", "smooth 4")] * 2
    inner = np.concatenate([pair.multislice[2:-2, 2:-2].ravel() for pair in made])
    assert figures.one_minus_r2 == pytest.approx(0.05**2 / inner.var(dtype=np.float64), rel=0.05)
    assert sorted(part.name for part in figures.held_out) == [str(n) for n in range(6)]


def test_all_candidates_exist_once():
    assert len(Smoothed(CANDIDATES).names) == len(set(CANDIDATES)) == len(CANDIDATES)


def test_what_cannot_be_chosen_is_refused():
    made = pairs(lambda x: x[0], count=2)
    rng = np.random.default_rng(4)
    with pytest.raises(CalibrationError, match="one feature or more"):
        select_kinds(made, LINEAR, rng=rng, start=())
    with pytest.raises(CalibrationError):
        select_kinds(made, LINEAR, rng=rng, candidates=("brightness 2",))
    with pytest.raises(CalibrationError, match="folds of images"):
        select_kinds(made[:1], LINEAR, rng=rng, candidates=POOL)
