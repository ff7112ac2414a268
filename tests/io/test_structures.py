from pathlib import Path

import numpy as np
import pytest

from crewe.errors import ReadError, WriteError
from crewe.io import read_atoms, write

ase = pytest.importorskip("ase", reason="ase is a dependency")
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "structures"


def crystal():
    from ase.build import bulk

    return bulk("Au", "fcc", a=4.078, cubic=True)


@pytest.mark.parametrize("suffix", [".xyz", ".cif"])
def test_atoms_and_cell_survive(tmp_path, suffix):
    write(tmp_path / f"a{suffix}", crystal())
    back = read_atoms(tmp_path / f"a{suffix}")
    assert back.get_chemical_symbols() == ["Au"] * 4
    assert np.allclose(back.positions, crystal().positions)
    assert np.allclose(back.cell, crystal().cell)


def test_plain_xyz_is_read(tmp_path):
    (tmp_path / "p.xyz").write_text(
        '2\n# any [comment] = of "a\n\nPt 0 0 0\nPt 1 2 3\n'.replace("\n\n", "\n")
    )
    assert read_atoms(tmp_path / "p.xyz").positions[1].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.cif", b"nonsense"), ("a.xyz", b"3\n\nAu 0 0"), ("a.xyz", b""), ("a.txt", b"x")],
)
def test_damaged_structures_are_refused_in_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReadError) as caught:
        read_atoms(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(WriteError, match=r"\.xyz or \.cif"):
        write(tmp_path / "a.pdb", crystal())


@pytest.mark.skipif(not DATA.is_dir(), reason="real files are not part of the repository")
def test_real_structures():
    for name, count in (("Au-Gold", 4), ("TiO2-Rutile", 6), ("abtem_srtio3_100", 5)):
        assert len(read_atoms(DATA / f"{name}.cif")) == count
    assert len(read_atoms(DATA / "Pt_twin.xyz")) == 7200
