"""Plans that ask the columns more than where and how bright they are."""

import json

import numpy as np
import pandas as pd
import pytest
from analysis_data import CELL, EDGE, ELECTRONS, LIBRARY, thicknesses, write_crystal

from crewe import io
from crewe.errors import NoColumnsError, PlanError
from crewe.workflows import analyse_folder, load_plan, plan_from, rerun, run
from crewe.workflows.analyse import warnings_of
from crewe.workflows.plan_analyses import ANALYSES
from crewe.workflows.result_folder import files_of

SCALE = {"vacuum": 0, "detector": 1, "electrons_per_unit": ELECTRONS}
ALL = {
    "count": {"library": {"scs": LIBRARY.tolist()}},
    "lattice": {"cells": [CELL]},
    "strain": {"burgers": [[12.0, 12.0, 5.0]]},
    "volume": {},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A result with all analyses, and the folder that it was written to."""
    place = tmp_path_factory.mktemp("analysed")
    image = write_crystal(place / "po.tif")
    settings = {"image": image, "intensity": SCALE, "output": place / "out", **ALL}
    return run(plan_from(settings)), place / "out"


def true_counts(columns):
    row, column = ((columns[name].to_numpy() - 2) / EDGE for name in ("y", "x"))
    return thicknesses()[row.round().astype(int), column.round().astype(int)]


def test_counts_are_those_of_the_crystal(made):
    columns = made[0].fit.columns
    assert (columns["count"] == true_counts(columns)).all()
    assert made[0].summary["counting"]["columns_of_count"]["5"] == 8


def test_lattice_strain_and_circuit_are_those_of_the_crystal(made):
    facts = made[0].summary["lattice"]
    first = facts["lattices"][0]
    assert abs(first["a"] - EDGE) < 4 * first["a_std"] + 1e-4
    assert first["columns"] == 64
    assert facts["burgers"][0]["fractions"] == [0, 0]
    strain = made[0].analyses.tables["strain"]
    pulls = (strain["eps_xx"] / strain["eps_xx_std"]).dropna()
    assert 0.5 < pulls.std() < 1.6


def test_the_model_has_the_atoms_that_were_counted(made):
    atoms = made[0].analyses.volume.atoms
    assert len(atoms) == int(made[0].fit.columns["count"].sum())
    column = atoms.arrays["column"]
    assert np.allclose(np.bincount(column), made[0].fit.columns["count"].to_numpy(int)), (
        "the atoms' column is the row of the table"
    )


def test_the_folder_holds_every_file_and_comes_out_the_same_again(made):
    result, folder = made
    assert {path.name for path in folder.iterdir()} == set(files_of(result.plan))
    stored = io.read_table(folder / "columns.parquet")
    assert stored["count"].dtype == "Int64"
    assert stored.attrs["units"]["displacement_x"] == "Å"
    assert len(pd.read_csv(folder / "strain.csv")) == 64
    assert len(io.read_atoms(folder / "volume.xyz")) == len(result.analyses.volume.atoms)
    assert rerun(folder).identical


def test_another_strain_or_count_is_noticed_by_a_rerun(made, tmp_path):
    import shutil

    folder = tmp_path / "out"
    shutil.copytree(made[1], folder)
    image = made[0].plan.image
    table = io.read_table(folder / "strain.parquet")
    table.loc[20, "eps_xx"] += 0.01
    io.write_table(folder / "strain.parquet", table, overwrite=True)
    found = rerun(folder, image=image)
    assert not found.equal
    assert "table strain" in found.text
    table = io.read_table(folder / "columns.parquet")
    table.loc[3, "count"] = pd.NA
    io.write_table(folder / "columns.parquet", table, overwrite=True)
    assert "counts have changed" in rerun(folder, image=image).text


def test_the_report_shows_what_was_found(made):
    report = (made[1] / "report.html").read_text("utf-8")
    for words in ("Atoms in each column", "Lattice", "Strain", "Burgers", "three dimensions"):
        assert f"{words}" in report
    assert "Not decided" not in report
    assert report.count("data:image/png;base64,") == report.count("<figure>") == 6
    assert '<th scope="col">atoms</th>' in report


def test_only_the_region_is_asked_and_the_rest_is_flagged(tmp_path):
    image = write_crystal(tmp_path / "po.tif")
    box = [[0, 0], [12, 0], [12, 30], [0, 30]]
    asked = {"lattice": ALL["lattice"], "count": ALL["count"], "region": {"polygon": box}}
    result = run(plan_from({"image": image, "intensity": SCALE, **asked}))
    columns = result.fit.columns
    inside = (columns["x"] < 12).to_numpy()
    assert inside.sum() == 32
    assert ((columns["flag"] == "outside") == ~inside).all()
    assert (columns["count"].notna() == inside).all()
    assert ((columns["lattice"] == 0) == inside).all()
    assert columns.loc[~inside, "displacement_x"].isna().all()
    assert result.summary["columns"]["flags"] == {"outside": 32}


def test_what_cannot_be_decided_is_said_first_and_loudly(tmp_path):
    image = write_crystal(tmp_path / "po.tif", electrons=15)
    scale = {**SCALE, "electrons_per_unit": 15}
    settings = {"image": image, "intensity": scale, "output": tmp_path / "out"}
    result = run(plan_from({**settings, "count": {}}))
    counting = result.summary["counting"]
    assert not counting["decided"]
    assert result.summary["warnings"][0] == f"atoms are NOT counted: {counting['verdict']}"
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "cannot be decided" in report
    assert "Not decided" in report
    assert result.fit.columns["count"].isna().all()
    known = int(result.fit.columns["count_probability"].notna().sum())
    assert known == counting["n_undecided"] > 50
    assert (counting["n_counted"], counting["columns_of_count"]) == (0, {})


def test_no_model_without_a_count_but_all_else_is_kept(tmp_path):
    image = write_crystal(tmp_path / "po.tif", electrons=15)
    settings = {"image": image, "intensity": SCALE, **ALL, "count": {}, "output": tmp_path / "out"}
    with pytest.raises(NoColumnsError, match=r"no column has a count.*with atom counts, lattice"):
        run(plan_from(settings))
    kept = load_plan(tmp_path / "out" / "plan.yaml")
    assert kept.volume is None
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(files_of(kept))
    table = io.read_table(tmp_path / "out" / "columns.parquet")
    assert (table["lattice"] == 0).sum() > 50
    assert table["count_probability"].notna().sum() > 50
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    assert summary["warnings"][0].startswith("model in three dimensions failed: no column has")
    assert summary["warnings"][1].startswith("atoms are NOT counted")
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "model in three dimensions failed" in report
    assert "Burgers vectors" in report
    kept_counts = {"count": {"keep_undecided": True, "least_probability": 0.0}, "volume": {}}
    result = analyse_folder(tmp_path / "out", kept_counts)
    assert result.fit.columns["count"].notna().sum() > 50
    assert not result.summary["counting"]["decided"]
    assert "failed" not in result.summary
    assert not any("failed" in text for text in result.summary["warnings"])


WRONG_CELL = {"lattice": {"cells": [{**CELL, "a": 4.1, "b": 3.3}]}}


@pytest.mark.parametrize(
    ("wrong", "held", "said"),
    [
        (WRONG_CELL, {"count"}, ["lattice failed, and so no strain, and so no model"]),
        ({"count": {"types": [7]}}, {"lattice", "strain"}, ["atom counts failed, and so no model"]),
        (
            {**WRONG_CELL, "count": {"types": [7]}},
            set(),
            ["lattice failed, and so no strain, and so no model", "atom counts failed"],
        ),
        (
            {"strain": {"shifts": [["Xe", "Po"]], "burgers": ALL["strain"]["burgers"]}},
            {"count", "lattice", "strain", "volume"},
            ["shifts failed: "],
        ),
        (
            {"region": {"polygon": [[0, 0], [12, 12], [12, 0], [0, 12]]}},
            set(),
            ["choice of a region failed, and so no atom counts"],
        ),
    ],
)
def test_only_what_failed_and_what_rests_on_it_is_dropped(tmp_path, wrong, held, said):
    image = write_crystal(tmp_path / "po.tif")
    settings = {"image": image, "intensity": SCALE, **ALL, **wrong, "output": tmp_path / "out"}
    with pytest.raises(PlanError, match=r"are in .*out"):
        run(plan_from(settings))
    plan = load_plan(tmp_path / "out" / "plan.yaml")
    assert {name for name in ANALYSES if getattr(plan, name) is not None} == held
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(files_of(plan))
    summary = json.loads((tmp_path / "out" / "summary.json").read_text("utf-8"))
    for text, warning in zip(said, summary["warnings"], strict=False):
        assert warning.startswith(text)
    assert ("counting" in summary) == ("count" in held)
    assert rerun(tmp_path / "out").identical


def test_without_a_folder_to_keep_it_in_the_failure_is_raised(tmp_path):
    image = write_crystal(tmp_path / "po.tif")
    with pytest.raises(PlanError, match=r"no column is of type 7[^()]*$"):
        run(plan_from({"image": image, **ALL, "count": {"types": [7]}}))


def test_a_cell_that_does_not_fit_is_no_silent_number(tmp_path):
    image = write_crystal(tmp_path / "po.tif")
    cell = {**CELL, "a": 4.1, "b": 3.3}
    with pytest.raises(PlanError, match=r"4\.1"):
        run(plan_from({"image": image, "lattice": {"cells": [cell]}}))


def test_warnings_name_what_they_are_about():
    counting = {"decided": True, "verdict": "", "warnings": ["noise"]}
    said = warnings_of({"counting": counting, "lattice": {"warnings": ["few"]}})
    assert said == ["atom counts: noise", "lattice: few"]
    assert warnings_of({"lattice": {"strain_warnings": ["jitter"]}}) == ["strain: jitter"]
