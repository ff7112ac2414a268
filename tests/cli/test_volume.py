import json
import shutil

import pytest
from analysis_data import ELECTRONS, write_cif, write_crystal, write_library

from crewe import io
from crewe.cli.main import main

SCALE = ["--vacuum", "0", "--detector", "1", "--electrons-per-unit", str(ELECTRONS)]


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A crystal quantified and counted, its cell, and one without heights."""
    place = tmp_path_factory.mktemp("volumes")
    write_crystal(place / "po.tif")
    write_cif(place / "po.cif")
    library = ["--library", str(write_library(place / "po.txt"))]
    (place / "flat.txt").write_text("length_a: 2.8\nlength_b: 2.8\nangle_ab: 90\nPo 0 0\n")
    out = ["-o", str(place / "po_quantified")]
    assert main(["quantify", str(place / "po.tif"), *SCALE, *library, *out, "-q"]) == 0
    return place


@pytest.fixture
def place(once, folder):
    shutil.copytree(once, folder, dirs_exist_ok=True)
    (folder / "po.tif").unlink()
    return folder


def test_counts_become_atoms(place, capsys):
    command = ["volume", "po_quantified", "--cell", "po.cif", "--flat", "bottom", "--json"]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "192 atoms in three dimensions" in said.err
    volume = json.loads(said.out)["summary"]["volume"]
    assert volume["elements"] == {"Po": 192}
    atoms = io.read_atoms(place / "po_quantified" / "volume.xyz")
    heights = atoms.positions[:, 2] - atoms.positions[:, 2].min()
    # upon a support every column has its last atom in the same plane
    ends = [heights[atoms.arrays["column"] == column].max() for column in range(64)]
    assert max(ends) - min(ends) < 1e-6
    report = (place / "po_quantified" / "report.html").read_text("utf-8")
    assert "Model in three dimensions" in report
    assert "://" not in (place / "po_quantified" / "volume.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "--cell FILE"),
        (["--cell", "flat.txt"], "at which heights"),
        (["--sites", "Po"], "--sites is for a unit cell"),
    ],
)
def test_bad_input_is_one_clear_line(place, capsys, options, said):
    assert main(["volume", "po_quantified", "-q", *options]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1
    assert not (place / "po_quantified" / "volume.xyz").exists()


def test_without_counts_there_is_no_model(place, capsys):
    import yaml

    path = place / "po_quantified" / "plan.yaml"
    plan = yaml.safe_load(path.read_text("utf-8"))
    del plan["count"]
    path.write_text(yaml.safe_dump(plan), "utf-8")
    assert main(["volume", "po_quantified", "--cell", "po.cif", "-q"]) == 2
    assert "count the atoms" in capsys.readouterr().err
