import json
import subprocess
import sys

import numpy as np
import pytest
from simulation_data import OPTICS_TEXT, particle, small_emulator, written

from crewe import io
from crewe.cli.main import main
from crewe.cli.simulate import image_shape, lengths, miller_indices
from crewe.errors import PlanError


@pytest.fixture
def specimen(folder):
    (folder / "optics.yaml").write_text(OPTICS_TEXT)
    written(folder / "pt.xyz", particle())
    return folder


def simulate(*arguments, optics=True):
    usual = ["--optics", "optics.yaml"] if optics else []
    return main(["simulate", *arguments, *usual])


def test_a_linear_image(specimen, capsys):
    arguments = ["pt.xyz", "--model", "linear", "-o", "image.zarr", "--pixel-size", "0.25"]
    assert simulate(*arguments, "--json", "--picture", "image.png") == 0
    said = capsys.readouterr()
    summary = json.loads(said.out)
    image = io.read(specimen / "image.zarr")
    assert summary["output"] == "image.zarr"
    assert summary["maximum"] == pytest.approx(float(image.max()))
    assert summary["units"] == "fraction of beam"
    assert "maximum" in said.err
    assert (specimen / "image.png").exists()
    assert simulate(*arguments) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert simulate(*arguments, "--overwrite", "-q") == 0
    assert capsys.readouterr().err == ""


def test_options_reach_the_plan(specimen):
    options = ["--sigma", "0.5", "--exponent", "2", "--detector", "60", "90", "--shape", "50x40"]
    assert simulate("pt.xyz", "-o", "a.npz", *options, "--tilt", "-3", "4", "--margin", "1") == 0
    image = io.read(specimen / "a.npz")
    plan = json.loads(image.attrs["simulation"])["plan"]
    assert image.shape == (50, 40)
    assert plan["detectors"] == {"ring": {"inner_mrad": 60.0, "outer_mrad": 90.0}}
    assert (plan["probe_sigma_angstrom"], plan["exponent"]) == (0.5, 2.0)
    assert (plan["tilt_deg"], plan["margin_angstrom"]) == ([-3.0, 4.0], 1.0)
    assert simulate("pt.xyz", "-o", "b.npz", "--probe-from-optics") == 0
    blurred = io.read(specimen / "b.npz")
    assert json.loads(blurred.attrs["simulation"])["plan"]["probe_sigma_angstrom"] is None


def test_an_emulator_answers_without_optics_and_refuses_what_it_does_not_know(specimen, capsys):
    small_emulator(specimen / "pt.emulator")
    emulated = ["--model", "pt.emulator", "-o", "image.tif"]
    assert simulate("pt.xyz", *emulated, "--errors", "--json", optics=False) == 0
    assert json.loads(capsys.readouterr().out)["inside_domain"] is True
    assert (specimen / "image_error.tif").exists()
    gold = particle()
    gold.numbers[:] = 79
    written(specimen / "au.xyz", gold)
    assert simulate("au.xyz", *emulated, "--overwrite") == 1
    assert "Au is no element of its training" in capsys.readouterr().err
    assert simulate("au.xyz", *emulated, "--overwrite", "--force", "--json") == 0
    said = capsys.readouterr()
    assert "warning: answers against its training" in said.err
    assert json.loads(said.out)["inside_domain"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["none.xyz"], 1, "no such file"),
        (["optics.yaml"], 1, "give .cif or .xyz"),
        (["empty.xyz"], 1, "empty.xyz"),
        (["nan.xyz"], 1, "nan"),
        (["outside.xyz"], 1, "outside the cell"),
        (["unknown.xyz"], 1, "unknown.xyz"),
        (["pt.xyz", "--model", "magic"], 1, "no model magic"),
        (["pt.xyz", "--zone-axis", "110"], 2, "turn it by --tilt"),
        (["pt.xyz", "--zone-axis", "up"], 2, "three indices"),
        (["pt.xyz", "--shape", "12"], 2, "rows and columns"),
        (["pt.xyz", "--detector", "90", "60"], 2, "holds nothing"),
        (["pt.xyz", "--thickness", "thin"], 2, "give depths"),
        (["pt.xyz", "--model", "multislice", "--phonons", "3"], 2, "give a vibration"),
        (["pt.xyz", "--model", "multislice", "--thickness", "900"], 1, "give rising ones"),
        (["pt.xyz", "--model", "multislice", "--window", "2"], 1, "too small for a probe"),
        (["pt.xyz", "--phonons", "9", "--vibration", "0.1"], 2, "--vibration is an option of mult"),
        (["pt.xyz", "--checkpoint", "kept"], 2, "keeps no configurations"),
        (["pt.xyz", "--model", "multislice", "--device", "tpu"], 2, "device = 'tpu'"),
        (["pt.xyz", "--pixel-size", "0"], 2, "greater than 0"),
        (["pt.xyz", "--pixel-size", "1e-6"], 1, "choose shape or pixel size"),
    ],
)
def test_bad_input_is_explained_in_one_line(specimen, arguments, code, words, capsys):
    (specimen / "empty.xyz").write_text("0\n\n")
    (specimen / "nan.xyz").write_text("1\n\nPt 0 nan 0\n")
    (specimen / "unknown.xyz").write_text("1\n\nQq 0 0 0\n")
    lattice = 'Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3 pbc="F F F"'
    (specimen / "outside.xyz").write_text(f"2\n{lattice}\nPt 1 1 1\nPt 9 1 1\n")
    if "multislice" in arguments:
        pytest.importorskip("abtem")
    assert simulate(*arguments, "-o", "image.tif", "-q") == code
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not (specimen / "image.tif").exists()


def test_wrong_optics_are_explained(specimen, capsys):
    (specimen / "optics.yaml").write_text("beam_energy: 200\nsemi_angle_mrad: 24.5\n")
    assert simulate("pt.xyz", "-o", "image.tif") == 2
    assert "did you mean 'beam_energy_kev'?" in capsys.readouterr().err
    assert simulate("pt.xyz", "-o", "image.tif", optics=False) == 2
    assert "needs a lens" in capsys.readouterr().err


def test_without_abtem_it_says_what_to_install(specimen):
    program = (
        "import sys; sys.modules['abtem'] = None\n"
        "from crewe.cli.main import main\n"
        "sys.exit(main(['simulate', 'pt.xyz', '--optics', 'optics.yaml', '--model', 'multislice',"
        " '-o', 'a.tif', '-q']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install 'crewe[multislice]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_words():
    assert miller_indices("110") == miller_indices("[1 1 0]") == (1, 1, 0)
    assert miller_indices("1-10") == miller_indices("1,-1,0") == (1, -1, 0)
    assert miller_indices("10, 0, -1") == (10, 0, -1)
    assert image_shape("20x30") == (20, 30)
    assert lengths(["20,40", "60"]) == (20.0, 40.0, 60.0)
    assert np.isclose(lengths(["1e1"]), 10)
    with pytest.raises(PlanError, match="no direction"):
        miller_indices("000")
