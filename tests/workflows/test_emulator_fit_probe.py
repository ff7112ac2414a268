from dataclasses import replace

import numpy as np
import pytest
from emulator_data import CONVOLUTION, SHAPE, pairs, particle

from crewe.simulation.emulator.pairs import Pair, write_pairs
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.validation import cross_validate
from crewe.workflows.emulator_check import check_input
from crewe.workflows.emulator_fit import run_emulator_fit
from crewe.workflows.emulator_fit_probe import Reimaged, chosen_images, fitted_probe, probe_facts
from crewe.workflows.emulator_plan import emulator_fit_plan
from crewe.workflows.observer import Recorder

TRUTH = replace(CONVOLUTION, probe_sigma_angstrom=0.46, exponent=1.9)


def mixed_pair(name, seed):
    """Platinum and molybdenum; the second image is a convolution image, too, of another probe."""
    specimen = particle(seed)
    specimen.numbers[np.random.default_rng([seed, 2]).permutation(60)[:25]] = 42
    made = [how.image(specimen.numbers, specimen.positions, SHAPE) for how in (CONVOLUTION, TRUTH)]
    return Pair(name, *made, numbers=specimen.numbers, positions=specimen.positions)


@pytest.fixture(scope="module")
def mixed():
    return [mixed_pair(f"{n:02d}", n) for n in range(4)]


def test_the_probe_and_exponent_that_made_the_images_are_found(mixed, tmp_path):
    write_pairs(tmp_path / "pairs.npz", mixed, {"convolution": CONVOLUTION.to_dict()})
    settings = {"pairs": tmp_path / "pairs.npz", "size": 1, "repeats": 1, "fit_probe": True}
    result = run_emulator_fit(emulator_fit_plan(settings))
    found = result.emulator.convolution
    assert found.probe_sigma_angstrom == pytest.approx(0.46, abs=0.03)
    assert found.exponent == pytest.approx(1.9, abs=0.1)
    assert result.emulator.about["probe"]["exponent"] == found.exponent
    assert result.summary["probe"]["one_minus_r2"] < result.summary["probe"]["one_minus_r2_before"]
    assert result.summary["chosen_on_these_images"] == ["probe"]
    # The pairs still hold images of the old probe: a check makes them anew.
    verdict = check_input(result.emulator, tmp_path / "pairs.npz")
    assert verdict.figures["one_minus_r2"] < 2 * result.summary["one_minus_r2"]
    assert any("made anew" in remark for remark in verdict.remarks)
    assert verdict.inside
    write_pairs(
        tmp_path / "bare.npz", [replace(p, numbers=None, positions=None) for p in mixed], {}
    )
    (reason, *_) = check_input(result.emulator, tmp_path / "bare.npz").reasons
    assert "no others suit" in reason
    without = run_emulator_fit(emulator_fit_plan({**settings, "fit_probe": False}))
    assert result.summary["one_minus_r2"] < 0.1 * without.summary["one_minus_r2"]
    largest = max(pair.linear.max() for pair in result.pairs)
    assert result.emulator.about["largest_linear"] == pytest.approx(float(largest))


def test_images_are_made_anew_and_the_rest_stays(mixed):
    anew = Reimaged(mixed, TRUTH)
    assert len(anew) == 4
    np.testing.assert_array_equal(anew[1].linear, mixed[1].multislice)
    np.testing.assert_array_equal(anew[1].multislice, mixed[1].multislice)
    assert [pair.name for pair in anew[1:3]] == ["01", "02"]
    assert [pair.name for pair in anew] == ["00", "01", "02", "03"]


def test_one_element_tells_no_exponent_and_says_so():
    heard = Recorder()
    found = fitted_probe(pairs(3), CONVOLUTION, heard)
    assert probe_facts(found)["exponent"] is None
    assert any(kind == "warning" and "one element" in text for kind, text in heard.heard)


def test_without_atoms_the_images_stay_as_they_are():
    heard = Recorder()
    found = fitted_probe(pairs(3, atoms=False), None, heard)
    assert found.convolution is None
    assert heard.heard[-1] == (
        "warning",
        "the emulator is fitted to the convolution images as they are",
    )


def test_the_plans_own_polynomial_decides(mixed):
    """Whatever the small emulator likes best, the better of both cross-validations is kept."""
    heard = Recorder()
    figures = {True: 0.01, False: 0.02}

    def validated(images, how):
        return replace(tested, one_minus_r2=figures[how == CONVOLUTION])

    plan = EmulatorPlan(size=1, register=False)
    tested = cross_validate(mixed, plan, rng=np.random.default_rng(0), repeats=1)
    kept = chosen_images(mixed, CONVOLUTION, validated, heard)
    assert kept.pairs is mixed
    assert kept.convolution == CONVOLUTION
    assert kept.validation.one_minus_r2 == 0.01
    assert not kept.facts["used"]
    assert "stay as they are" in heard.heard[-1][1]
    figures[True] = 0.03
    new = chosen_images(mixed, CONVOLUTION, validated, Recorder())
    assert new.facts["used"]
    assert new.convolution != CONVOLUTION
    assert isinstance(new.pairs, Reimaged)
    assert (new.facts["plan_one_minus_r2_before"], new.facts["plan_one_minus_r2"]) == (0.03, 0.02)
