import pytest
from analysis_data import write_cif, write_library

from crewe.cli import analysis_words as words
from crewe.errors import PlanError


def test_zone_axes_pairs_circuits_and_types():
    assert words.zone_axis("1,-1,0") == words.zone_axis("[1, -1, 0]") == (1, -1, 0)
    assert words.pairs(["Ti:Sr", " Ti : O "], "--shift") == [("Ti", "Sr"), ("Ti", "O")]
    assert words.circuits(["30.5,42,12"]) == [(30.5, 42.0, 12.0)]
    assert words.types_or_none(["0", "Sr"]) == [0, "Sr"]
    assert words.types_or_none(None) is None


def test_a_region_is_written_out_or_read(tmp_path):
    (tmp_path / "part.csv").write_text("x,y\n0,0\n9,0\n9,8\n")
    written = words.region_settings("0,0 9,0 9,8")
    assert words.region_settings(str(tmp_path / "part.csv")) == written
    assert written["polygon"] == ((0, 0), (9, 0), (9, 8))


def test_a_library_stands_in_the_plan_with_its_name(tmp_path):
    found = words.library_settings(write_library(tmp_path / "po.txt"))
    assert found["name"] == "po.txt"
    assert found["scs"][0] == pytest.approx(0.1)
    assert (found["first_count"], found["unit"]) == (1, "Å²")


def test_one_zone_serves_all_cells(tmp_path):
    cells = [write_cif(tmp_path / name) for name in ("a.cif", "b.cif")]
    found = words.lattice_settings(cells, ["1,0,0"])
    assert found["most_lattices"] == 2
    assert found["cells"][0] == found["cells"][1]
    assert words.lattice_settings(cells, ["1,0,0"], None, 3)["most_lattices"] == 3
    assert words.lattice_settings(None, None) is None
    with pytest.raises(PlanError, match="--lattices is for a unit cell"):
        words.lattice_settings(None, None, None, 2)


def test_a_model_asks_for_counts_and_a_cell_for_strain(tmp_path):
    assert words.parts_asked(wanted={"volume": False}) == {}
    assert words.parts_asked(wanted={"volume": True}) == {"volume": {}, "count": {}}
    lattice = words.lattice_settings([write_cif(tmp_path / "a.cif")], None)
    count = {"single_atom_scs": 0.1, "library": None}
    asked = words.parts_asked(wanted={}, count=count, lattice=lattice)
    assert asked == {"count": {"single_atom_scs": 0.1}, "lattice": lattice, "strain": {}}
    asked = words.parts_asked(wanted={}, count={"least_count": 4}, shifts=["Ti:Sr"])
    assert asked == {"count": {"least_count": 4}, "strain": {"shifts": [("Ti", "Sr")]}}
