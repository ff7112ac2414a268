import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from analysis_data import CELL, EDGE, ELECTRONS, write_cif, write_crystal

from crewe import io
from crewe.cli.main import main

SCALE = ["--vacuum", "0", "--detector", "1", "--electrons-per-unit", str(ELECTRONS)]


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A crystal stretched by two percent along x, quantified, and its cell."""
    place = tmp_path_factory.mktemp("strained")
    write_crystal(place / "po.tif", stretch=0.02)
    write_cif(place / "po.cif")
    out = ["-o", str(place / "po_quantified")]
    assert main(["quantify", str(place / "po.tif"), *SCALE, *out, "-q"]) == 0
    return place


@pytest.fixture
def place(once, folder):
    shutil.copytree(once, folder, dirs_exist_ok=True)
    (folder / "po.tif").unlink()
    return folder


def test_strain_against_the_cell_is_that_of_the_image(place, capsys):
    command = ["strain", "po_quantified", "--cell", "po.cif", "--zone", "0,0,1"]
    assert main([*command, "--reference", "cell", "--burgers", "12,12,5", "--json"]) == 0
    said = capsys.readouterr()
    assert "64 of 64 columns in 1 lattice" in said.err
    lattice = json.loads(said.out)["summary"]["lattice"]
    edges = sorted(lattice["lattices"][0][name] for name in ("a", "b"))
    assert edges == pytest.approx([EDGE, 1.02 * EDGE], abs=2e-4)
    assert lattice["strain"]["eps_xx"]["median"] == pytest.approx(0.02, abs=2e-3)
    assert lattice["strain"]["eps_yy"]["median"] == pytest.approx(0.0, abs=2e-3)
    table = pd.read_csv(place / "po_quantified" / "strain.csv")
    assert table["column"].tolist() == list(range(64))
    report = (place / "po_quantified" / "report.html").read_text("utf-8")
    assert "Burgers vectors" in report


def test_what_the_error_bars_do_not_hold_is_said_with_the_strain(place, capsys):
    table = io.read_table(place / "po_quantified" / "columns.parquet")
    table["x"] += np.random.default_rng(2).normal(0, 0.02, len(table))
    io.write_table(place / "po_quantified" / "columns.parquet", table, overwrite=True)
    summary = json.loads((place / "po_quantified" / "summary.json").read_text("utf-8"))
    summary["fit"]["residual_correlation"] = 0.44
    (place / "po_quantified" / "summary.json").write_text(json.dumps(summary), "utf-8")
    assert main(["strain", "po_quantified", "--cell", "po.cif", "--json"]) == 0
    said = capsys.readouterr()
    assert "strain: positions scatter more than their standard errors say" in said.err
    assert "correlated (0.44)" in said.err
    strain = json.loads(said.out)["summary"]["lattice"]["strain"]["eps_xx"]
    assert strain["neighbour_scatter"] > 3 * strain["std"]
    report = (place / "po_quantified" / "report.html").read_text("utf-8")
    section = report[report.index("<h3>Strain</h3>") :]
    assert "correlated (0.44)" in section
    assert "scatter between neighbours" in section


def test_a_second_strain_keeps_the_cell_and_the_counts(place):
    assert main(["count", "po_quantified", "-q"]) == 0
    assert main(["strain", "po_quantified", "--cell", "po.cif", "-q"]) == 0
    (place / "po.cif").unlink()
    assert main(["strain", "po_quantified", "--radius", "2", "-q"]) == 0
    plan = yaml.safe_load((place / "po_quantified" / "plan.yaml").read_text("utf-8"))
    assert plan["strain"]["radius"] == 2
    assert plan["lattice"]["cells"][0]["a"] == pytest.approx(CELL["a"])
    columns = io.read_table(place / "po_quantified" / "columns.parquet")
    assert {"count", "lattice", "displacement_x_std"} <= set(columns)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ([], 2, "give --cell"),
        (["--zone", "1,1,0"], 2, "--cell"),
        (["--cell", "po.cif", "--zone", "1,1"], 2, "three whole numbers"),
        (["--cell", "po.cif", "--zone", "0,0,0"], 2, "no zone axis"),
        (["--cell", "po.cif", "--zone", "1,0,0", "--zone", "0,1,0"], 2, "2 times for 1 cells"),
        (["--cell", "po.cif", "--sites", "Xe"], 2, "no site is called Xe"),
        (["--cell", "none.cif"], 1, "none.cif"),
        (["--cell", "po.cif", "--shift", "Ti"], 2, "--shift Ti"),
        (["--cell", "po.cif", "--shift", "Ti:Po"], 1, "Ti"),
        (["--cell", "po.cif", "--burgers", "1,2"], 2, "--burgers 1,2"),
        (["--cell", "po.cif", "--burgers", "1,2,-3"], 2, "greater than 0"),
        (["--cell", "po.cif", "--zone", "1,1,1"], 1, "po_quantified"),
    ],
)
def test_bad_input_is_one_clear_line(place, capsys, options, code, said):
    before = (place / "po_quantified" / "report.html").read_bytes()
    assert main(["strain", "po_quantified", "-q", *options]) == code
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1
    assert (place / "po_quantified" / "report.html").read_bytes() == before
