import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import yaml

from crewe import io
from crewe.axes import calibrated_image
from crewe.cli.main import main
from crewe.testing.diffraction import lattice_patterns

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "4dstem"


@pytest.fixture
def patterns(folder):
    """A lattice of 20 × 24 probe positions in the working folder."""
    counts = lattice_patterns((20, 24), (32, 32), 500, np.random.default_rng(4), atoms_across=4)
    np.save(folder / "gold.npy", counts)
    return counts


def phase(*arguments):
    return main(["phase", *arguments, "--threads", "1"])


def note(folder):
    return yaml.safe_load((folder / "phase.yaml").read_text())


def test_several_methods_in_one_go(patterns, folder, capsys):
    assert phase("gold.npy", "--method", "ricom,total", "-m", "bf", "--rotation", "0") == 0
    made = {path.name for path in (folder / "gold_phase").iterdir()}
    assert made == {"ricom.tif", "total.tif", "bf.tif", "overview.png", "phase.yaml"}
    total = io.read(folder / "gold_phase" / "total.tif")
    np.testing.assert_array_equal(total, patterns.sum((2, 3)))
    said = capsys.readouterr().err
    assert "480 probe positions" in said
    assert "; 480 received, 480 used, 0 dropped" in said
    assert phase("gold.npy", "--method", "ricom,total", "-m", "bf", "--rotation", "0") == 0
    assert "skipped" in capsys.readouterr().err


def test_options_reach_the_plan(patterns, folder, capsys):
    scan = ["--scan", "20x23", "--flyback-line", "1", "--step", "0.02nm", "--rotation", "-12"]
    beam = ["--beam-energy", "200", "--semi-angle", "20", "--centre", "15.5,15.5", "--radius", "8"]
    image = ["--kernel", "21", "--band", "0.02:0.4", "--normalise", "dose", "--boundary", "open"]
    ring = ["--detector", "ring=10:16mrad", "--detector", "bf=0:3px", "--reference", "15,16"]
    beam += ["--bad-pixels", "0,1"]
    rest = ["--mirrored", "--repeats", "sum", "--format", ".npz", "-o", "out"]
    assert phase("gold.npy", "-m", "icom,ricom", *scan, *beam, *image, *ring, *rest) == 0
    plan = note(folder / "out")["plan"]
    expected = {
        "scan": [20, 23],
        "flyback_per_line": 1,
        "step_angstrom": [0.2, 0.2],
        "rotation_degrees": -12,
        "mirrored": True,
        "centre": [15.5, 15.5],
        "radius_px": 8,
        "reference": [15, 16],
        "bad_pixels": {"pixels": [[0, 1]], "detector_shape": None},
        "kernel": 21,
        "band": {"low": 0.02, "high": 0.4, "unit": "1/step"},
        "normalise": "dose",
        "boundary": "open",
        "repeats": "sum",
        "format": "npz",
    }
    assert {name: plan[name] for name in expected} == expected
    assert plan["detectors"]["ring"] == {"inner": 10, "outer": 16, "unit": "mrad"}
    assert note(folder / "out")["files"] == ["ring.npz", "bf.npz", "icom.npz", "ricom.npz"]
    assert note(folder / "out")["counters"]["flyback"] == 20
    assert io.read(folder / "out" / "ricom.npz").attrs["units"] == "rad"


def test_only_detectors_when_nothing_else_is_asked_for(patterns, folder, capsys):
    assert phase("gold.npy", "--detector", "adf=1.1:2x", "--json", "-q") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["output"] == "gold_phase"
    assert answer["summary"]["images"] == {"adf": "counts"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["gold.npy", "-m", "hubble"], 2, "no method 'hubble'"),
        (["gold.npy", "--kernel", "60"], 2, "give an odd number"),
        (["gold.npy", "--scan", "20by24"], 2, "give rows and columns"),
        (["gold.npy", "--scan", "21x24"], 1, "--scan 20x24"),
        (["gold.npy", "--acceptance", "2us"], 1, "'acceptance_us' does not apply"),
        (["gold.npy", "--dataset", "3"], 1, "no dataset is called 3"),
        (["gold.npy", "-m", "ssb"], 1, "ssb needs beam energy"),
        (["gone.npy"], 1, "gone.npy: cannot be opened"),
        (["merlin://host"], 2, "use crewe live merlin://host"),
        (["picture.tif"], 1, "holds no 4D data"),
    ],
)
def test_mistakes_are_explained(arguments, code, words, patterns, folder, capsys):
    io.write(folder / "picture.tif", calibrated_image(patterns.sum((2, 3)), 0.2))
    assert phase(*arguments) == code
    said = capsys.readouterr().err
    assert words in said
    assert said.splitlines()[-1].startswith("crewe: ")
    assert not (folder / "gold_phase").exists()


def test_help_shows_examples(capsys):
    assert main(["phase", "--help"]) == 0
    assert "crewe phase scan.mib" in capsys.readouterr().out.split("Examples")[1]


@pytest.mark.skipif(not DATA.is_dir(), reason="real files are not part of the repository")
def test_real_merlin_scan(folder, capsys):
    with zipfile.ZipFile(DATA / "mib_rsciio_nav4x2_ROI.zip") as archive:
        archive.extractall(folder)
    path = next(folder.rglob("*6bit.mib"))
    assert phase(str(path), "-m", "total,com", "--scan", "2x4", "-o", "out") == 0
    assert io.read(folder / "out" / "total.tif").shape == (2, 4)
    assert note(folder / "out")["counters"]["used"] == 8
