import json

import numpy as np
import pytest
import scipy.ndimage

from crewe.errors import CalibrationError, ReadError, WriteError
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.selection import (
    grid_plans,
    plans_table,
    scan_plans,
    smallest_sufficient,
)

PLANS = [
    EmulatorPlan(size=1, log=False, degree=degree, interactions=False, register=False)
    for degree in (1, 2, 3, 4)
]


def pairs(count=6, seed=0):
    """The multislice image is a parabola of the convolution image, and noise."""
    rng = np.random.default_rng(seed)
    result = []
    for n in range(count):
        points = rng.random((40, 44)) < 0.02
        linear = scipy.ndimage.gaussian_filter(points.astype(np.float64), 2.5).astype(np.float32)
        target = linear - 6 * linear**2 + 0.001 * rng.normal(size=linear.shape)
        result.append(Pair(f"{n}", linear, target.astype(np.float32)))
    return result


def scan(plans=PLANS, every=None, **options):
    return scan_plans(every or pairs(), plans, rng=np.random.default_rng(2), **options)


def test_the_smallest_plan_that_holds_the_truth_is_taken():
    table = scan()
    assert list(table["terms"]) == [2, 3, 4, 5]
    assert list(table["sufficient"][:2]) == [False, True]
    assert smallest_sufficient(table) == PLANS[1]
    errors = table["one_minus_r2"].to_numpy()
    assert errors[0] > 1.5 * errors[1]
    np.testing.assert_allclose(errors[1:], errors[1], rtol=0.01)
    np.testing.assert_allclose(table["fractional_rms"] ** 2, errors)


def test_the_error_of_a_difference_is_that_of_images_one_by_one():
    def row(plan, errors):
        mean = float(np.mean(errors))
        figures = {"terms": plan.terms().count, "one_minus_r2": mean}
        return {**figures, "plan": plan.to_dict(), "each_repeat": [mean], "image_errors": errors}

    hard = np.array([1.0, 9.0, 2.0, 8.0])
    rows = [row(PLANS[1], list(hard)), row(PLANS[0], list(hard + np.array([1.0, 1.1, 0.9, 1.0])))]
    table = plans_table(rows)
    # Worse on every image: far beyond chance, although images differ much more.
    assert list(table["sufficient"]) == [False, True]
    assert table["excess_error"][0] == pytest.approx(np.std([0, 0.1, -0.1, 0], ddof=1) / 2)
    assert table["standard_error"][1] == pytest.approx(np.std(hard, ddof=1) / 2)
    assert table["excess"][0] == pytest.approx(1.0)
    assert table["excess"][0] < table["standard_error"][0]
    assert np.isnan(table["spread"]).all()


def test_a_scan_goes_on_where_it_stopped(tmp_path):
    path = tmp_path / "scan.jsonl"
    whole = scan()
    first = scan(PLANS[:2], path=path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines) + '\n{"plan": {"feat')  # cut short while writing
    # Another generator: the folds of the file count.
    table = scan_plans(pairs(), PLANS, rng=np.random.default_rng(99), path=path)
    assert path.read_text().splitlines()[:3] == lines
    assert len(path.read_text().splitlines()) == 5
    assert table.drop(columns="plan").equals(whole.drop(columns="plan"))
    assert table["one_minus_r2"][:2].equals(first["one_minus_r2"])


def test_rows_that_are_there_are_not_tested_again(tmp_path):
    path = tmp_path / "scan.jsonl"
    scan(PLANS[:2], path=path)
    before = path.read_bytes()
    heard = []
    table = scan(PLANS[:1], path=path, progress=lambda *step: heard.append(step))
    assert path.read_bytes() == before
    assert len(table) == 1
    assert heard == [(1, 1)]


def test_plans_of_the_file_that_were_not_asked_for_are_not_chosen(tmp_path):
    path = tmp_path / "scan.jsonl"
    scan(path=path)
    asked = scan([PLANS[0], PLANS[3]], path=path)
    assert list(asked["plan"]) == [PLANS[0], PLANS[3]]
    assert smallest_sufficient(asked) == PLANS[3]
    # The best is the best of those asked for, too.
    assert asked["excess"][1] == 0
    assert len(path.read_text().splitlines()) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"plan": None},
        {"plan": {"colour": 1}},
        {"terms": 3},
        {"terms": "many"},
        {"one_minus_r2": None},
        {"one_minus_r2": float("nan")},
        {"each_repeat": 7},
        {"each_repeat": []},
        {"image_errors": ["a"]},
        {"image_errors": []},
    ],
)
def test_rows_that_are_none_are_refused_with_their_line(tmp_path, change):
    path = tmp_path / "scan.jsonl"
    every = pairs(2)
    scan(PLANS[:1], every, path=path)
    lines = path.read_text().splitlines()
    broken = json.dumps({**json.loads(lines[1]), "terms": 2, **change})
    path.write_text("\n".join([*lines, broken, ""]))
    with pytest.raises(ReadError, match="line 3"):
        scan(PLANS[:1], every, path=path)


def test_a_file_of_other_pairs_or_of_something_else_is_refused(tmp_path):
    path = tmp_path / "scan.jsonl"
    scan(PLANS[:1], path=path)
    with pytest.raises(ReadError, match="other pairs"):
        scan(PLANS[:1], every=pairs(seed=5), path=path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps({**json.loads(lines[0]), "version": 9}), *lines[1:], ""]))
    with pytest.raises(ReadError, match="another version"):
        scan(PLANS[:1], path=path)
    for text in ("no scan\n", "[]\n", '{"splits": []}\n', "\xff", '{"splits": [1]}\n'):
        path.write_text(text, encoding="latin-1")
        with pytest.raises(ReadError, match="no scan"):
            scan(PLANS[:1], path=path)
    with pytest.raises(WriteError, match="cannot be written"):
        scan(PLANS[:1], path=tmp_path / "nowhere" / "scan.jsonl")


def test_plans_of_the_paper():
    plans = grid_plans()
    counts = [plan.terms().count for plan in plans]
    assert (counts[0], counts[-1]) == (2, 3654)
    assert counts == sorted(counts)
    assert 378 in counts
    assert len({json.dumps(plan.to_dict()) for plan in plans}) == len(plans)
    assert max(plan.terms().count for plan in grid_plans(largest_terms=400)) == 378
    straight = grid_plans(sizes=(1, 3), degrees=(1,), logs=(False,), interactions=(True, False))
    assert [plan.terms().count for plan in straight] == [2, 10]


def test_nothing_scanned_is_nothing_to_choose():
    with pytest.raises(CalibrationError, match="scan some"):
        smallest_sufficient(plans_table([]))
