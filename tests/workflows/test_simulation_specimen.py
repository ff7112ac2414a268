import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from simulation_data import PIXEL, particle, plan, written

from crewe.errors import PlanError, ReadError, SpecimenError
from crewe.workflows.simulation_specimen import check_specimen, read_specimen, tilt_rotation

GOLD = bulk("Au", cubic=True)


def read(path, **settings):
    said = []
    found = read_specimen(plan(path, **settings), PIXEL, said.append)
    return found, said


@pytest.fixture
def gold(tmp_path):
    return written(tmp_path / "gold.cif", GOLD)


def test_a_particle_without_a_cell_gets_a_margin(tmp_path):
    atoms = particle()
    found, _ = read(written(tmp_path / "pt.xyz", atoms), margin_angstrom=3.0)
    low = atoms.positions[:, :2].min(axis=0)
    assert found.field.origin == pytest.approx(tuple(low - 3.0), abs=1e-4)
    assert found.atoms.positions[:, :2] == pytest.approx(atoms.positions[:, :2], abs=1e-6)
    span = np.ptp(atoms.positions[:, 2])
    assert found.atoms.positions[:, 2].min() == pytest.approx(1.0)
    assert found.atoms.cell[2, 2] == pytest.approx(span + 2.0, abs=1e-4)
    assert not found.field.periodic


def test_a_particle_in_a_cell_is_shown_with_it_unless_a_margin_is_given(tmp_path):
    atoms = particle()
    atoms.set_cell([30, 32, 40])
    atoms.center()
    path = written(tmp_path / "pt.xyz", atoms)
    found, _ = read(path)
    assert found.field.shape == (round(32 / PIXEL), round(30 / PIXEL))
    assert found.field.origin == (0, 0)
    tight, _ = read(path, margin_angstrom=1.0)
    assert tight.field.shape[0] < 20 / PIXEL


def test_a_tilted_particle_is_turned_about_its_middle(tmp_path):
    atoms = Atoms("Pt3", [(1, 1, 1), (1, 1, 5), (1, 1, 9)])
    found, _ = read(written(tmp_path / "row.xyz", atoms), tilt_deg=(0.0, 90.0))
    # About y, z turns into x: a column along the beam becomes a row along x.
    assert np.diff(found.atoms.positions[:, 0]) == pytest.approx([4, 4])
    assert np.ptp(found.atoms.positions[:, 1:], axis=0) == pytest.approx([0, 0], abs=1e-9)


def test_tilts_are_right_handed():
    x, y, z = np.eye(3)
    assert tilt_rotation(90, 0) @ y == pytest.approx(z)
    assert tilt_rotation(0, 90) @ z == pytest.approx(x)
    both = tilt_rotation(30, 40)
    assert both == pytest.approx(tilt_rotation(0, 40) @ tilt_rotation(30, 0))


def test_a_small_crystal_is_repeated_until_the_probe_fits_but_not_shown_so(gold):
    found, _ = read(gold, model="multislice", repeat=(2, 1, 5))
    assert found.field.shape == (round(4.08 / PIXEL), round(2 * 4.08 / PIXEL))
    assert np.diag(found.atoms.cell.array) == pytest.approx([16.32, 12.24, 20.4])
    assert found.repeats == (4, 3)
    linear, _ = read(gold, repeat=(2, 1, 5))
    assert linear.field == found.field
    assert len(linear.atoms) == 4 * 10


def test_a_zone_axis_turns_a_crystal(gold):
    found, _ = read(gold, model="multislice", zone_axis=(1, 1, 0))
    sides = sorted(np.array(found.field.shape) * PIXEL)
    assert sides == pytest.approx([4.08 / np.sqrt(2), 4.08], abs=PIXEL)
    linear, _ = read(gold, zone_axis=(1, 1, 0))
    assert linear.field == found.field


def test_crystals_that_no_box_holds_are_imaged_by_convolution_only(tmp_path):
    cell = [5.15, 6.21, 7.32, 80, 99, 95]
    path = written(tmp_path / "triclinic.cif", Atoms("Zr", [(1, 1, 1)], cell=cell, pbc=True))
    with pytest.raises(SpecimenError, match="no rectangle"):
        read(path, model="multislice")
    found, _ = read(path, zone_axis=(1, 0, 1))
    assert found.field.periodic
    straight, _ = read(path)
    tilted, _ = read(path, tilt_deg=(5.0, 2.0))
    back = np.asarray(tilted.atoms.cell) @ tilt_rotation(5, 2)
    assert back == pytest.approx(np.asarray(straight.atoms.cell), abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"zone_axis": (1, 1, 0)}, "no zone axis"), ({"repeat": (2, 1, 1)}, "does not repeat")],
)
def test_a_particle_is_no_crystal(tmp_path, settings, words):
    with pytest.raises(PlanError, match=words):
        read(written(tmp_path / "pt.xyz", particle()), **settings)


def test_a_tilted_crystal_is_none_for_multislice(gold):
    with pytest.raises(PlanError, match="does not repeat across the beam"):
        read(gold, model="multislice", tilt_deg=(1.0, 0.0))


def test_a_particle_larger_than_its_cell_is_refused():
    atoms = particle()
    atoms.set_cell([9, 30, 30])
    atoms.center()
    with pytest.raises(SpecimenError, match=r"stand outside the cell, by up to .* the cell 9"):
        check_specimen(atoms, "pt.xyz")
    atoms.pbc = True
    with pytest.raises(SpecimenError, match="larger than its cell"):
        check_specimen(atoms, "pt.xyz")


@pytest.mark.parametrize("disorder", [0.0, 1.0])
def test_a_particle_that_a_file_has_wrapped_into_its_cell_is_told(tmp_path, disorder):
    atoms = particle(disorder=disorder)
    atoms.set_cell([8, 9, 30])
    atoms.pbc = True
    _, (said,) = read(written(tmp_path / "pt.cif", atoms))
    assert "larger than its cell, of 8 × 9 × 30 Å" in said


def test_atoms_that_only_the_next_cell_brings_too_near_are_refused():
    atoms = Atoms("Pt2", [(0.2, 2, 2), (5.8, 2, 2)], cell=(6, 4, 4), pbc=True)
    with pytest.raises(SpecimenError, match=r"Pt and Pt stand 0.4 Å apart.* 6 × 4 × 4 Å"):
        check_specimen(atoms, "row.cif")
    atoms.pbc = False
    check_specimen(atoms, "row.cif", pytest.fail)


def test_atoms_in_one_place_are_refused():
    with pytest.raises(SpecimenError, match=r"Pt and O stand 0.05 Å apart.* twice"):
        check_specimen(Atoms("PtO", [(0, 0, 0), (0, 0, 0.05)]), "twice.xyz")
    check_specimen(Atoms("N2", [(0, 0, 0), (0, 0, 1.098)]), "n2.xyz", pytest.fail)


def test_a_coarse_model_is_told_and_imaged():
    said = []
    check_specimen(Atoms("C2", [(0, 0, 0), (0, 0, 0.32)]), "amorphous.cif", said.append)
    assert "C and C stand 0.32 Å apart" in said[0]


def test_a_crystal_may_reach_out_of_its_cell():
    atoms = GOLD.copy()
    atoms.positions[0] += 2 * atoms.cell[0]
    check_specimen(atoms, "gold.cif")


def test_atoms_that_cannot_exist_are_refused():
    with pytest.raises(SpecimenError, match="no atoms"):
        check_specimen(Atoms(), "none.xyz")
    with pytest.raises(SpecimenError, match="atom 2 of 2 stands at"):
        check_specimen(Atoms("Pt2", [(0, 0, 0), (1, np.nan, 0)]), "nan.xyz")
    with pytest.raises(SpecimenError, match="elements 1…103"):
        check_specimen(Atoms([0, 78], [(0, 0, 0), (1, 1, 1)]), "x.xyz")
    with pytest.raises(SpecimenError, match="the cell holds NaN"):
        check_specimen(Atoms("Pt", [(0, 0, 0)], cell=[1, np.nan, 1]), "x.xyz")


def test_a_file_with_nan_is_refused(tmp_path):
    (tmp_path / "nan.xyz").write_text("2\n\nPt 0 0 0\nPt 1 nan 0\n")
    with pytest.raises((SpecimenError, ReadError), match="nan"):
        read(tmp_path / "nan.xyz")


def test_partial_occupancy_is_told(tmp_path):
    from ase.spacegroup import crystal

    atoms = crystal("Au", [(0, 0, 0)], spacegroup=225, cellpar=[4.08] * 3 + [90] * 3)
    atoms.info["occupancy"] = {"0": {"Au": 0.5, "Ag": 0.5}}
    path = tmp_path / "alloy.cif"
    atoms.write(path)
    _, said = read(path)
    assert said
    assert "partial occupancy" in said[0]
