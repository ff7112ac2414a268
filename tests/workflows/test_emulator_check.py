from dataclasses import replace

import numpy as np
import pytest
from emulator_data import CONVOLUTION, DETECTOR, OPTICS, pair, pairs, particle, stored_pairs

from crewe import io
from crewe.axes import calibrated_image
from crewe.errors import CalibrationError, ReadError
from crewe.simulation.emulator.fit import fit_emulator
from crewe.simulation.emulator.pairs import write_pairs
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.scores import one_minus_r2
from crewe.simulation.emulator.store import save_emulator
from crewe.simulation.emulator.suitability import training_facts
from crewe.workflows.emulator_check import check_input, described, holds_pairs


@pytest.fixture(scope="module")
def emulator():
    trained = pairs(4)
    plan = EmulatorPlan(size=3, register=False)
    return fit_emulator(trained, plan, convolution=CONVOLUTION, about=training_facts(trained))


def test_pairs_are_known_by_the_names_of_their_arrays(tmp_path):
    assert holds_pairs(stored_pairs(tmp_path / "pairs.npz", 1))
    np.savez(tmp_path / "stack.npz", linear=np.ones((2, 20, 20)), multislice=np.ones((2, 20, 20)))
    assert holds_pairs(tmp_path / "stack.npz")
    np.savez(tmp_path / "image.npz", image=np.ones((20, 20)), linearity=np.ones(3))
    assert not holds_pairs(tmp_path / "image.npz")
    (tmp_path / "text.npz").write_text("no zip")
    assert not holds_pairs(tmp_path / "text.npz")


def test_zarr_folders_of_pairs_and_of_an_image_are_told_apart(tmp_path, emulator):
    import zarr

    one = pair("00", 30)
    group = zarr.open_group(tmp_path / "pairs.zarr", mode="w")
    for name in ("linear", "multislice"):
        group.create_array(f"{name}_00", data=getattr(one, name))
    io.write(tmp_path / "image.zarr", calibrated_image(one.linear, 0.2))
    assert check_input(emulator, tmp_path / "pairs.zarr").kind == "pairs"
    assert check_input(emulator, tmp_path / "image.zarr").kind == "image"


def test_the_score_of_pairs_is_that_of_their_inner_pixels(tmp_path, emulator):
    fresh = pair("00", 31)
    write_pairs(tmp_path / "fresh.npz", [fresh], {})
    verdict = check_input(emulator, tmp_path / "fresh.npz")
    inner = (slice(1, -1),) * 2
    wanted = one_minus_r2(emulator.predict(fresh.linear)[inner], fresh.multislice[inner])
    assert verdict.figures["one_minus_r2"] == pytest.approx(wanted, rel=1e-6)
    assert verdict.figures["pixels"] == 42 * 46
    assert verdict.inside


def test_pairs_of_other_pixels_or_elements_say_so_by_name(tmp_path, emulator):
    about = {"convolution": replace(CONVOLUTION, pixel_size_angstrom=0.1).to_dict()}
    gold = replace(pair("07", 31), numbers=np.full(60, 79))
    write_pairs(tmp_path / "gold.npz", [gold], about)
    verdict = check_input(emulator, tmp_path / "gold.npz")
    assert not verdict.inside
    assert verdict.reasons[0] == "pixels are 0.1 Å, it was made for 0.2 Å"
    assert verdict.reasons[1].startswith("pair 07: Au is no element")


def test_a_specimen_is_refused_by_an_emulator_of_images(tmp_path, emulator):
    io.write_atoms(tmp_path / "like.xyz", particle(30))
    with pytest.raises(CalibrationError, match="takes images"):
        check_input(replace(emulator, convolution=None), tmp_path / "like.xyz")


def test_images_in_pixels_are_taken_at_their_word(tmp_path, emulator):
    np.save(tmp_path / "plain.npy", pair("x", 33).linear)
    assert check_input(emulator, tmp_path / "plain.npy").inside
    verdict = check_input(emulator, tmp_path / "plain.npy", pixel_size_angstrom=0.3)
    assert verdict.reasons == ("pixels are 0.3 Å, it was made for 0.2 Å",)


def test_missing_files_are_told(tmp_path, emulator):
    with pytest.raises(ReadError, match="does not exist"):
        check_input(emulator, tmp_path / "none.npz")


def test_an_untested_emulator_says_that_its_figures_are_not_known(tmp_path, emulator):
    path = save_emulator(tmp_path / "pt.emulator", emulator)
    facts = described(emulator, path)
    assert facts["one_minus_r2"] is None
    assert facts["elements"] == ["Pt"]
    assert facts["features"][0] == "pixel(-1,-1)"
    assert facts["bytes"] == path.stat().st_size


def test_a_given_lens_and_detector_are_compared_with_images(tmp_path, emulator):
    np.save(tmp_path / "plain.npy", pair("x", 33).linear)
    other, ring = replace(OPTICS, beam_energy_kev=300.0), replace(DETECTOR, inner_mrad=60.0)
    verdict = check_input(emulator, tmp_path / "plain.npy", optics=other, detector=ring)
    assert verdict.reasons == (
        "beam_energy_kev is 300, it was made for 200",
        "the detector is 60–150 mrad, it was made for 50–150 mrad",
    )


def test_an_emulator_of_images_vouches_for_no_pixel_size(tmp_path, emulator):
    bare = replace(emulator, convolution=None)
    io.write(tmp_path / "like.tif", calibrated_image(pair("x", 33).linear, 0.2))
    verdict = check_input(bare, tmp_path / "like.tif")
    assert verdict.inside
    assert "pixel size is not compared" in verdict.remarks[0]
    assert not check_input(bare, tmp_path / "like.tif", pixel_size_angstrom=0.2).inside


def test_an_image_for_a_fitted_probe_is_told_so(tmp_path, emulator):
    np.save(tmp_path / "plain.npy", pair("x", 33).linear)
    fitted = replace(emulator, about={**emulator.about, "probe": {"used": True}})
    assert "were fitted" in check_input(fitted, tmp_path / "plain.npy").remarks[0]
    assert check_input(emulator, tmp_path / "plain.npy").remarks == ()
