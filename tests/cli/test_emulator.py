import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from emulator_data import CONVOLUTION, NOISE, SHAPE, pair, pairs, particle, stored_pairs

from crewe import io
from crewe.axes import calibrated_image
from crewe.cli.main import main
from crewe.simulation.emulator.pairs import write_pairs
from crewe.simulation.emulator.store import load_emulator

QUICK = ["--size", "3", "--repeats", "1", "-q"]


@pytest.fixture
def stored(folder):
    return stored_pairs(folder / "pairs.npz")


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """A file of pairs and an emulator that the program made of it, and what it said."""
    place = tmp_path_factory.mktemp("emulator")
    stored_pairs(place / "pairs.npz", 6)
    options = "--size 3 --degree 2 --log --interactions -o pt.emulator --json"
    command = [sys.executable, "-m", "crewe.cli", "emulator", "fit", "pairs.npz", *options.split()]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
    return place, done


@pytest.fixture
def made(made_once, monkeypatch):
    monkeypatch.chdir(made_once[0])
    return json.loads(made_once[1].stdout)


def told(capsys):
    return json.loads(capsys.readouterr().out)


def test_fit_prints_one_object_with_the_figures(made, made_once):
    assert made["terms"] == 66
    assert made["pairs"] == 6
    assert made["output"] == "pt.emulator"
    assert made["takes_atoms"]
    assert made["elements"] == [78]
    assert made["fractional_rms"] == pytest.approx(made["one_minus_r2"] ** 0.5)
    # Nothing but noise is left over: the polynomial knows how the images were made.
    assert made["one_minus_r2"] == pytest.approx(NOISE**2, rel=0.15)
    assert made["phonon_floor"] == pytest.approx(NOISE**2, rel=0.15)
    assert made["shift_px"] == [0.0, 0.0]
    assert made["bytes"] == (made_once[0] / "pt.emulator").stat().st_size
    assert "cross-validation" in made_once[1].stderr


def test_the_file_holds_plan_figures_and_origin(made):
    emulator = load_emulator("pt.emulator")
    assert emulator.plan.to_dict() == made["plan"]
    assert emulator.convolution == CONVOLUTION
    assert emulator.about["cross_validation"]["one_minus_r2"] == made["one_minus_r2"]
    assert emulator.about["settings"]["pairs"] == "pairs.npz"
    assert len(emulator.about["pairs_sha256"]) == 64
    assert emulator.about["thickness_angstrom"] == pytest.approx(8.0)


def test_without_output_nothing_is_written(stored, folder, capsys):
    assert main(["emulator", "fit", "pairs.npz", *QUICK, "--json"]) == 0
    found = told(capsys)
    assert found["output"] is None
    assert "bytes" not in found
    assert [entry.name for entry in folder.iterdir()] == ["pairs.npz"]


def test_people_get_lines(stored, capsys):
    assert main(["emulator", "fit", "pairs.npz", *QUICK]) == 0
    said = capsys.readouterr().out
    assert "terms                    66" in said
    assert "1 − R²                   0.000" in said
    assert "phonon noise" in said


def test_a_shift_is_taken_out_unless_told_otherwise(folder, capsys):
    stored_pairs(folder / "pairs.npz", shift=(0.6, -0.4))
    linear = ["emulator", "fit", "pairs.npz", "--size", "1", "--repeats", "1", "-q", "--json"]
    assert main(linear) == 0
    with_shift = told(capsys)
    assert main([*linear, "--no-register"]) == 0
    without = told(capsys)
    assert with_shift["shift_px"] == pytest.approx([0.6, -0.4], abs=0.05)
    assert without["shift_px"] == [0.0, 0.0]
    assert without["one_minus_r2"] > 3 * with_shift["one_minus_r2"]


@pytest.mark.parametrize(
    ("options", "terms"),
    [
        (["--size", "1", "--degree", "1", "--no-log"], 2),
        (["--size", "3", "--degree", "3", "--no-interactions"], 31),
        (["--features", "smoothed", "--kind", "intensity", "--kind", "smooth 2"], 10),
    ],
)
def test_options_choose_the_polynomial(stored, capsys, options, terms):
    assert main(["emulator", "fit", "pairs.npz", "--repeats", "1", "-q", "--json", *options]) == 0
    assert told(capsys)["terms"] == terms


def test_the_seed_divides_and_is_all_that_is_random(stored, capsys):
    seen = []
    for seed in ("1", "1", "2"):
        assert main(["emulator", "fit", "pairs.npz", *QUICK, "--json", "--seed", seed]) == 0
        seen.append(told(capsys)["one_minus_r2"])
    assert seen[0] == seen[1] != seen[2]


@pytest.mark.parametrize("by", ["block", "pixel"])
def test_one_pair_can_be_divided_by_blocks_and_pixels(folder, capsys, by):
    stored_pairs(folder / "one.npz", 1)
    assert main(["emulator", "fit", "one.npz", *QUICK, "--json", "--by", by]) == 0
    assert told(capsys)["one_minus_r2"] < 0.01


def test_one_pair_cannot_be_divided_by_images(folder, capsys):
    stored_pairs(folder / "one.npz", 1)
    assert main(["emulator", "fit", "one.npz", *QUICK]) == 2
    assert "1 pair, too few for 2 folds" in capsys.readouterr().err


def test_pairs_without_a_description_make_an_emulator_of_images(folder, capsys):
    stored_pairs(folder / "pairs.npz", about={}, atoms=False)
    assert main(["emulator", "fit", "pairs.npz", *QUICK, "-o", "pt.emulator"]) == 0
    assert "takes images, not atoms" in capsys.readouterr().out


def test_a_description_and_elements_can_be_given(folder, capsys):
    stored_pairs(folder / "pairs.npz", about={}, atoms=False)
    (folder / "how.yaml").write_text(
        "pixel_size_angstrom: 0.2\noptics: {beam_energy_kev: 200, semi_angle_mrad: 24.5, "
        "c3_mm: 0.0012}\ndetector: {inner_mrad: 50, outer_mrad: 150}\n"
    )
    given = ["--convolution", "how.yaml", "--element", "Pt", "-o", "pt.emulator"]
    assert main(["emulator", "fit", "pairs.npz", *QUICK, *given]) == 0
    emulator = load_emulator("pt.emulator")
    assert emulator.convolution == CONVOLUTION
    assert emulator.about["elements"] == [78]


def test_an_emulator_is_replaced_only_when_told(stored, folder, capsys):
    command = ["emulator", "fit", "pairs.npz", *QUICK, "-o", "pt.emulator"]
    (folder / "pt.emulator").write_text("precious")
    assert main(command) == 1
    assert "add --overwrite" in capsys.readouterr().err
    assert (folder / "pt.emulator").read_text() == "precious"
    assert main([*command, "--overwrite"]) == 0
    assert load_emulator("pt.emulator").plan.size == 3


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--size", "4"], "1, 3, 5"),
        (["--size", "25", "--degree", "4"], "too many to fit"),
        (["--size", "100001"], "less than or equal to 99"),
        (["--kind", "smooth 2"], "add --features smoothed"),
        (["--features", "smoothed", "--size", "5"], "belongs to a grid"),
        (["--features", "smoothed", "--kind", "purple 2"], "purple"),
        (["-o", "pt.npz"], "ends in .emulator"),
        (["--element", "Xx"], "no chemical symbol"),
        (["--convolution", "none.yaml"], "cannot be read"),
        (["--folds", "9"], "too few for 9 folds"),
        (["--ridge", "nan"], "ridge"),
    ],
)
def test_wrong_options_are_told_before_any_work(stored, capsys, options, word):
    assert main(["emulator", "fit", "pairs.npz", "-q", *options]) == 2
    said = capsys.readouterr().err
    assert word in said
    assert said.count("\n") == 1


def test_a_folder_that_is_not_there_is_told_before_any_work(stored, capsys):
    assert main(["emulator", "fit", "pairs.npz", "-q", "-o", "none/pt.emulator"]) == 1
    assert "does not exist" in capsys.readouterr().err


def bad_file(folder, kind):
    path = folder / "bad.npz"
    one = pair("00", 0)
    if kind == "text":
        path.write_text("linear,multislice\n1,2\n")
    elif kind == "cut off":
        whole = stored_pairs(folder / "whole.npz").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "other arrays":
        np.savez(path, image=one.linear, mask=one.linear > 0)
    elif kind == "lonely":
        np.savez(path, linear_00=one.linear)
    elif kind == "NaN":
        broken = one.multislice.copy()
        broken[3, 4] = np.nan
        np.savez(path, linear_00=one.linear, multislice_00=broken)
    elif kind == "shapes":
        np.savez(path, linear_00=one.linear, multislice_00=one.multislice[:-1])
    elif kind == "counts":
        stack = np.stack([one.linear] * 3)
        np.savez(path, linear=stack, multislice=stack[:2])
    elif kind == "flat":
        np.savez(path, linear_00=one.linear, multislice_00=np.zeros(SHAPE, np.float32))
    elif kind == "colour":
        np.savez(path, linear_00=np.ones((*SHAPE, 3)), multislice_00=np.ones((*SHAPE, 3)))
    elif kind == "one image":
        np.savez(path, linear=one.linear, multislice=one.multislice)
    elif kind == "words":
        np.savez(path, linear_00=np.full(SHAPE, "a"), multislice_00=np.full(SHAPE, "b"))
    elif kind == "pickle":
        np.savez(path, linear_00=np.array([{}], object), multislice_00=np.array([{}], object))
    return path


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("missing", "no such file"),
        ("text", "truncated, damaged or not"),
        ("cut off", "damaged"),
        ("other arrays", "holds image, mask"),
        ("lonely", "no multislice_00"),
        ("NaN", "NaN"),
        ("shapes", "of one size"),
        ("counts", "3 convolution but 2 multislice"),
        ("flat", "multislice image is empty"),
        ("colour", "must be (y, x)"),
        ("one image", "must be (y, x)"),
        ("words", "not real numbers"),
        ("pickle", "damaged"),
    ],
)
def test_files_that_are_no_pairs_are_refused_in_one_line(folder, capsys, kind, word):
    path = bad_file(folder, kind)
    command = ["emulator", "fit", str(path), "--by", "block", "-q", "-o", "pt.emulator"]
    assert main(command) == 1
    said = capsys.readouterr().err
    assert word in said
    assert said.count("\n") == 1
    assert not (folder / "pt.emulator").exists()


def test_check_shows_what_an_emulator_is(made, capsys):
    assert main(["emulator", "check", "pt.emulator"]) == 0
    said = capsys.readouterr().out
    for words in ("66, degree 2 with products", "Pt", "200 keV, 24.5 mrad", "50–150 mrad", "0.2 Å"):
        assert words in said
    assert main(["emulator", "check", "pt.emulator", "--json"]) == 0
    facts = told(capsys)
    assert facts["elements"] == ["Pt"]
    assert facts["one_minus_r2"] == made["one_minus_r2"]


def test_check_lets_a_like_specimen_pass_and_says_why_not_of_others(made, tmp_path, capsys):
    io.write_atoms(tmp_path / "like.xyz", particle(50))
    io.write_atoms(tmp_path / "gold.xyz", particle(50, symbol="Au"))
    like, gold = str(tmp_path / "like.xyz"), str(tmp_path / "gold.xyz")
    assert main(["emulator", "check", "pt.emulator", like, "-q"]) == 0
    assert "like.xyz: inside" in capsys.readouterr().out
    assert main(["emulator", "check", "pt.emulator", like, gold, "-q", "--json"]) == 1
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["inside"]
    assert not second["inside"]
    assert any("Au" in reason for reason in second["reasons"])


def test_check_compares_lens_detector_and_pixels(made, tmp_path, capsys):
    io.write_atoms(tmp_path / "like.xyz", particle(50))
    lens = "beam_energy_kev: 300\nsemi_angle_mrad: 24.5\nc3_mm: 0.0012\ndetectors: {a: [60, 150]}\n"
    (tmp_path / "optics.yaml").write_text(lens)
    options = ["--optics", str(tmp_path / "optics.yaml"), "--pixel-size", "0.1", "-q"]
    assert main(["emulator", "check", "pt.emulator", str(tmp_path / "like.xyz"), *options]) == 1
    said = capsys.readouterr().out
    for word in ("beam_energy_kev is 300", "60–150 mrad", "pixels are 0.1 Å"):
        assert word in said


def test_check_looks_at_the_pixels_of_an_image(made, tmp_path, capsys):
    linear = pair("x", 70).linear
    io.write(tmp_path / "like.tif", calibrated_image(linear, 0.2))
    io.write(tmp_path / "bright.tif", calibrated_image(3 * linear, 0.2))
    io.write(tmp_path / "fine.tif", calibrated_image(linear, 0.1))
    check = ["emulator", "check", "pt.emulator", "-q"]
    assert main([*check, str(tmp_path / "like.tif")]) == 0
    capsys.readouterr()
    assert main([*check, str(tmp_path / "bright.tif")]) == 1
    assert "times as bright" in capsys.readouterr().out
    assert main([*check, str(tmp_path / "fine.tif")]) == 1
    assert "pixels are 0.1 Å" in capsys.readouterr().out


def test_check_scores_pairs(made, tmp_path, capsys):
    fresh = [pair(f"{n}", 40 + n) for n in range(2)]
    write_pairs(tmp_path / "fresh.npz", fresh, {})
    assert main(["emulator", "check", "pt.emulator", str(tmp_path / "fresh.npz"), "--json"]) == 0
    figures = told(capsys)["figures"]
    assert figures["one_minus_r2"] == pytest.approx(NOISE**2, rel=0.3)
    assert figures["within_1_standard_error"] == pytest.approx(0.683, abs=0.04)
    assert figures["within_2_standard_errors"] == pytest.approx(0.954, abs=0.02)
    assert [one["name"] for one in figures["images"]] == ["0", "1"]


def test_a_flat_image_among_pairs_leaves_json_that_programs_read(made, tmp_path, capsys):
    flat = pair("1", 41)
    flat.multislice[:] = 0.01
    write_pairs(tmp_path / "flat.npz", [pair("0", 40), flat], {})
    main(["emulator", "check", "pt.emulator", str(tmp_path / "flat.npz"), "-q", "--json"])
    images = told(capsys)["figures"]["images"]
    assert images[1]["one_minus_r2"] is None
    assert images[0]["one_minus_r2"] > 0


def test_check_tells_pairs_with_another_shift(made, tmp_path, capsys):
    write_pairs(tmp_path / "moved.npz", pairs(2, shift=(0.6, -0.4)), {})
    assert main(["emulator", "check", "pt.emulator", str(tmp_path / "moved.npz"), "-q"]) == 1
    assert "shifted by (0.6" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["missing", "text", "cut off", "pairs", "version"])
def test_files_that_are_no_emulator_are_refused_in_one_line(made, tmp_path, capsys, kind):
    path = tmp_path / "bad.emulator"
    whole = Path("pt.emulator").read_bytes()
    if kind == "text":
        path.write_text("polynomial")
    elif kind == "cut off":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "pairs":
        stored_pairs(tmp_path / "pairs.npz", 1).replace(path)
    elif kind == "version":
        with np.load("pt.emulator") as stored:
            arrays = dict(stored)
        header = {**json.loads(str(arrays["header"])), "version": 99}
        with path.open("wb") as file:
            np.savez(file, **{**arrays, "header": np.array(json.dumps(header))})
    assert main(["emulator", "check", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    words = {"missing": "no such file", "pairs": "not an emulator", "version": "version 99"}
    assert words.get(kind, "damaged") in said


def test_inputs_that_cannot_be_read_are_refused(made, tmp_path, capsys):
    (tmp_path / "empty.xyz").write_text("0\n\n")
    (tmp_path / "notes.txt").write_text("no image")
    for name, word in (("none.tif", "does not exist"), ("empty.xyz", ""), ("notes.txt", "")):
        assert main(["emulator", "check", "pt.emulator", str(tmp_path / name), "-q"]) == 2
        said = capsys.readouterr().err
        assert word in said
        assert said.count("\n") == 1


def test_select_takes_the_smallest_that_is_as_good_as_the_best(stored, folder, capsys):
    command = ["emulator", "fit", "pairs.npz", "--repeats", "1", "-q", "--select"]
    command += ["--largest-terms", "30", "--scan", "tried.jsonl"]
    assert main([*command, "--json"]) == 0
    found = told(capsys)
    tried = found["selection"]
    assert max(row["terms"] for row in tried) <= 30
    enough = min(row["terms"] for row in tried if row["sufficient"])
    assert found["terms"] == enough
    lines = (folder / "tried.jsonl").read_text().splitlines()
    assert len(lines) == len(tried) + 1
    # What was tried is not tried again.
    assert main(command) == 0
    assert (folder / "tried.jsonl").read_text().splitlines() == lines
    assert "as good as the best" in capsys.readouterr().out


def test_select_tries_degrees_of_smoothed_features(stored, capsys):
    command = ["emulator", "fit", "pairs.npz", "--repeats", "1", "-q", "--select", "--json"]
    command += ["--features", "smoothed", "--kind", "intensity", "--kind", "smooth 2"]
    assert main([*command, "--largest-terms", "10"]) == 0
    assert {row["terms"] for row in told(capsys)["selection"]} == {3, 5, 6, 7, 9, 10}
    assert main([*command, "--largest-terms", "2"]) == 2
    assert "allow more" in capsys.readouterr().err


def test_leave_out_falls_with_the_number_of_images(folder, capsys):
    stored_pairs(folder / "pairs.npz", 6)
    command = ["emulator", "fit", "pairs.npz", "--size", "5", "--repeats", "1", "-q", "--leave-out"]
    assert main([*command, "--json"]) == 0
    rows = told(capsys)["leave_out"]
    assert [row["images"] for row in rows] == [1, 2, 3, 5]
    assert rows[0]["one_minus_r2"] > rows[-1]["one_minus_r2"]
    assert main(command) == 0
    assert "by number of training images" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--select", "--size", "3"], "give none"),
        (["--scan", "tried.jsonl"], "needs --select"),
    ],
)
def test_options_of_a_selection_go_together(stored, capsys, options, word):
    assert main(["emulator", "fit", "pairs.npz", *options]) == 2
    assert word in capsys.readouterr().err


def test_fit_probe_tells_the_width_with_its_error(stored, capsys):
    assert main(["emulator", "fit", "pairs.npz", *QUICK, "--fit-probe", "--json"]) == 0
    found = told(capsys)["probe"]
    assert found["width_of"] == "probe"
    assert found["width"] == pytest.approx(0.38, abs=0.05)
    assert found["exponent"] is None
    assert main(["emulator", "fit", "pairs.npz", *QUICK, "--fit-probe"]) == 0
    assert "probe σ" in capsys.readouterr().out


def test_a_report_is_written_and_kept(stored, folder, capsys):
    command = ["emulator", "fit", "pairs.npz", *QUICK, "--report", "report"]
    assert main(command) == 0
    capsys.readouterr()
    assert (folder / "report" / "report.html").is_file()
    assert main(command) == 1
    assert "holds a report" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


def test_options_of_a_check_need_something_to_compare_with(made, capsys):
    assert main(["emulator", "check", "pt.emulator", "--pixel-size", "0.1"]) == 2
    assert "give one" in capsys.readouterr().err


def test_figures_on_images_that_chose_say_so(stored, capsys):
    command = ["emulator", "fit", "pairs.npz", "--repeats", "1", "-q", "--select"]
    assert main([*command, "--largest-terms", "6"]) == 0
    assert "polynomial chosen on these very images" in capsys.readouterr().out
    assert main(["emulator", "fit", "pairs.npz", *QUICK]) == 0
    assert "very images" not in capsys.readouterr().out


def test_atoms_of_unknown_elements_are_told_when_fitted(folder, capsys):
    about = {"convolution": CONVOLUTION.to_dict()}
    stored_pairs(folder / "pairs.npz", about=about, atoms=False)
    assert main(["emulator", "fit", "pairs.npz", *QUICK, "-o", "pt.emulator"]) == 0
    assert "add --element" in capsys.readouterr().out
