import numpy as np
import pytest
from emulator_data import CONVOLUTION, NOISE, pair, pairs, stored_pairs

from crewe.errors import ImageError, PlanError, ReadError, WriteError
from crewe.simulation.emulator.fit import fit_emulator
from crewe.simulation.emulator.pairs import read_pairs, write_pairs
from crewe.workflows.emulator_fit import convolution_of, in_words, run_emulator_fit
from crewe.workflows.emulator_plan import emulator_fit_plan
from crewe.workflows.observer import Recorder


def plan(folder, **settings):
    return emulator_fit_plan({"pairs": folder / "pairs.npz", "size": 3, "repeats": 1, **settings})


@pytest.fixture
def stored(tmp_path):
    stored_pairs(tmp_path / "pairs.npz")
    return tmp_path


def test_the_final_emulator_is_the_fit_to_all_pairs(stored):
    result = run_emulator_fit(plan(stored))
    wanted = fit_emulator(pairs(), plan(stored).emulator_plan())
    np.testing.assert_allclose(result.emulator.coefficients, wanted.coefficients, rtol=1e-9)
    assert result.emulator.convolution == CONVOLUTION


def test_its_noise_is_that_of_held_out_pixels(stored):
    result = run_emulator_fit(plan(stored))
    linear = pair("x", 50).linear
    ratio = result.emulator.standard_error(linear) / (NOISE * pair("x", 50).multislice.std())
    assert np.median(ratio) == pytest.approx(1.0, abs=0.15)


def test_the_observer_hears_the_end_in_one_line(stored):
    heard = Recorder()
    result = run_emulator_fit(plan(stored, output=stored / "pt.emulator"), heard)
    assert heard.heard[0] == ("started", "pairs.npz")
    assert heard.heard[-1] == ("finished", in_words(result.summary))
    assert "66 terms" in in_words(result.summary)
    assert (stored / "pt.emulator").is_file()


def test_a_wrong_description_in_the_pairs_is_told(tmp_path):
    write_pairs(tmp_path / "pairs.npz", pairs(2), {"convolution": {"colour": 1}})
    with pytest.raises(ReadError, match="makes no sense"):
        run_emulator_fit(plan(tmp_path))


def test_the_plans_description_counts_more_than_the_pairs_own(stored):
    (stored / "how.yaml").write_text("pixel_size_angstrom: 0.3\n")
    chosen = plan(stored, convolution=stored / "how.yaml")
    found = convolution_of(chosen, read_pairs(stored / "pairs.npz"))
    assert found.pixel_size_angstrom == 0.3


def test_an_empty_multislice_image_is_told_before_any_fit(tmp_path):
    dark = pairs(3)
    dark[2].multislice[:] = 0
    write_pairs(tmp_path / "pairs.npz", dark, {})
    heard = Recorder()
    with pytest.raises(ImageError, match="pair 02: its multislice image is empty"):
        run_emulator_fit(plan(tmp_path), heard)


def test_more_folds_than_pairs_are_refused(stored):
    with pytest.raises(PlanError, match="holds 4 pairs, too few for 5 folds"):
        run_emulator_fit(plan(stored, folds=5))


def test_an_output_that_cannot_be_is_told_before_reading(tmp_path):
    missing = plan(tmp_path, output=tmp_path / "none" / "pt.emulator")
    with pytest.raises(WriteError, match="does not exist"):
        run_emulator_fit(missing)
    (tmp_path / "pt.emulator").touch()
    with pytest.raises(WriteError, match="exists"):
        run_emulator_fit(plan(tmp_path, output=tmp_path / "pt.emulator"))
