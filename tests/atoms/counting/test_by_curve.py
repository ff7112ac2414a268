import numpy as np
import pandas as pd
import pytest
from small_counts import counted_columns, curved, library, thick

from crewe.atoms.counting.by_curve import count_by_curve
from crewe.errors import PlanError


def answers(found):
    return found.posterior.argmax(axis=1)


@pytest.mark.parametrize("counts", [None, thick])
def test_counts_are_right_where_the_noise_is_low(counts):
    columns, truth = counted_columns(0.1, counts=counts)
    found = count_by_curve(columns, least_count=int(truth.min()))
    assert (answers(found) == truth).mean() > 0.995
    assert found.summary["decided"]
    assert np.allclose(found.curve[4:19], curved(np.arange(4, 19)), atol=0.1)
    assert found.spread[10] == pytest.approx(0.1, rel=0.25)
    assert np.allclose(found.posterior.sum(axis=1), 1)
    assert found.weights.sum() == pytest.approx(1)
    error = found.summary["atoms_total"] - truth.sum()
    assert abs(error) < 4 * found.summary["atoms_total_std"] + 0.1


def test_a_quarter_step_of_noise_is_counted_as_with_the_known_library():
    right, limit = [], []
    for seed in range(3):
        columns, truth = counted_columns(0.23, seed)
        found = count_by_curve(columns, least_count=1, most_count=30)
        nearest = np.abs(columns["scs"].to_numpy()[:, None] - library().to_numpy()).argmin(axis=1)
        right.append((answers(found) == truth).mean())
        limit.append((nearest + 1 == truth).mean())
    assert np.mean(right) > np.mean(limit) - 0.03


def test_probabilities_are_those_of_being_right():
    probability, right = [], []
    for seed in range(12):
        columns, truth = counted_columns(0.27, seed, number=200)
        # A library that is off by as much as is held possible.
        scale, bend, offset = np.random.default_rng([9, seed]).standard_normal(3)
        bent = curved(truth) * 0.03 * bend * (1 - truth / 20)
        columns["scs"] += bent + 0.15 * offset
        off = library(factor=float(np.exp(0.05 * scale)))
        found = count_by_curve(columns, library=off, scale_std=0.05, most_count=30)
        probability.append(found.posterior.max(axis=1))
        right.append(answers(found) == truth)
    chance, correct = np.concatenate(probability), np.concatenate(right)
    # A little too modest: means and frequencies are allowed to be rougher than these are.
    assert -0.03 < correct.mean() - chance.mean() < 0.12
    high = (chance > 0.8) & (chance < 0.9)
    assert 0.78 < correct[high].mean() < 0.95
    sure = chance > 0.95
    assert correct[sure].mean() > 0.95


def test_what_the_data_cannot_decide_is_said():
    columns, _ = counted_columns(0.5, number=150)
    found = count_by_curve(columns, most_count=40)
    assert not found.summary["decided"]
    assert "cannot decide" in found.summary["verdict"]
    assert any("noise" in one for one in found.summary["warnings"])


def test_without_thin_columns_the_first_count_is_not_known():
    columns, truth = counted_columns(0.1, counts=thick)
    found = count_by_curve(columns)
    assert found.posterior.max(axis=1).mean() < 0.8
    assert any("least_count" in one for one in found.summary["warnings"])
    told = count_by_curve(columns, least_count=4)
    assert (answers(told) == truth).mean() > 0.99


def test_the_scale_of_a_library_is_found():
    columns, truth = counted_columns(0.2)
    found = count_by_curve(columns, library=library(factor=1 / 1.05))
    summary = found.summary
    assert summary["library_scale"] == pytest.approx(1.05, abs=4 * summary["library_scale_std"])
    assert summary["library_scale_std"] < 0.02
    assert (answers(found) == truth).mean() > 0.96


def test_a_library_of_fixed_scale_is_taken_as_it_is():
    columns, _ = counted_columns(0.2)
    found = count_by_curve(columns, library=library(), scale_std=0)
    assert found.summary["library_scale"] == pytest.approx(1, abs=1e-12)
    assert found.summary["library_scale_std"] == pytest.approx(0, abs=1e-12)


def test_a_library_that_is_off_or_too_short_is_told():
    columns, _ = counted_columns(0.1)
    far = count_by_curve(columns, library=library(factor=1.9), scale_std=0.3)
    assert any("another scale" in one for one in far.summary["warnings"])
    short = count_by_curve(columns, library=library(12))
    assert any("12 atoms" in one for one in short.summary["warnings"])


def test_the_most_atoms_that_are_reached_are_told():
    columns, _ = counted_columns(0.1)
    found = count_by_curve(columns, library=library(), most_count=15)
    assert any("most_count" in one for one in found.summary["warnings"])


def test_the_cross_section_of_one_atom_sets_the_scale():
    columns, truth = counted_columns(0.15, counts=thick)
    free = count_by_curve(columns)
    told = count_by_curve(columns, single_atom_scs=float(curved(1)), scale_std=0.03)
    assert (
        told.posterior[np.arange(300), truth].mean() > free.posterior[np.arange(300), truth].mean()
    )
    assert "one atom scatters" in told.summary["prior"]


@pytest.mark.parametrize("factor", [3e-7, 5e5])
def test_the_unit_does_not_matter(factor):
    columns, _ = counted_columns(0.15, number=100)
    scaled = columns.assign(scs=columns["scs"] * factor)
    assert np.array_equal(
        answers(count_by_curve(columns, most_count=30)),
        answers(count_by_curve(scaled, most_count=30)),
    )


@pytest.mark.parametrize("dose", [150.0, None])
def test_electrons_widen_thick_columns(dose):
    rng = np.random.default_rng(3)
    truth = rng.integers(1, 21, 400)
    std = np.sqrt(0.08**2 + curved(truth) / 150.0)
    columns = pd.DataFrame({"scs": curved(truth) + std * rng.standard_normal(400)})
    found = count_by_curve(columns, library=library(), width="dose", electrons_per_unit=dose)
    wanted = np.sqrt(0.08**2 + curved(np.array([1, 20])) / 150.0)
    assert np.allclose(found.spread[[1, 20]], wanted, rtol=0.25)
    assert found.summary["electrons_per_unit"] == pytest.approx(150.0, rel=0.4)


def test_columns_of_larger_error_are_less_sure():
    columns, truth = counted_columns(0.0)
    rng = np.random.default_rng(4)
    columns["scs_std"] = np.where(np.arange(300) % 2, 0.4, 0.1)
    columns["scs"] += columns["scs_std"] * rng.standard_normal(300)
    columns.loc[7, "scs_std"] = np.nan
    found = count_by_curve(columns, width="measured", least_count=1)
    sure = found.posterior.max(axis=1)
    assert sure[::2].mean() > 0.97
    assert sure[1::2].mean() < 0.9
    assert (answers(found) == truth)[::2].mean() > 0.97


def test_many_columns_are_gathered_and_counted_alike():
    columns, truth = counted_columns(0.2, number=2500)
    found = count_by_curve(columns, least_count=1, most_count=30)
    assert (answers(found) == truth).mean() > 0.975


def test_progress_is_told_to_the_end():
    told = []
    columns, _ = counted_columns(0.15, number=60)
    count_by_curve(columns, most_count=25, progress=lambda stage, part: told.append((stage, part)))
    assert told[0] == ("searching curves", 0.0)
    assert told[-1][1] == 1.0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"width": "wide"}, "width is one of"),
        ({"electrons_per_unit": 5.0}, "width='dose'"),
        ({"electrons_per_unit": -5.0, "width": "dose"}, "positive"),
        ({"width": "measured"}, "scs_std"),
        ({"least_count": 0}, "least_count"),
        ({"least_count": 9, "most_count": 9}, "least_count"),
        ({"scale_std": 0.1}, "give one of them"),
        ({"single_atom_scs": 1.0, "scale_std": 0.0}, "library only"),
        ({"single_atom_scs": 1.0, "scale_std": 1.5}, "from 0 to 1"),
        ({"single_atom_scs": np.nan}, "positive"),
        ({"single_atom_scs": 1.0, "library": library()}, "not both"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, said):
    columns, _ = counted_columns(0.1)
    with pytest.raises(PlanError, match=said):
        count_by_curve(columns, **settings)
