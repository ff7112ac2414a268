import numpy as np
import pytest

from crewe.atoms import read_projected_cell
from crewe.errors import ReadError

PEROVSKITE = """Database file for StatSTEM
length_a\t3.9050
length_b\t3.9050
length_c\t3.9050
angle_ab\t90

atoms\tx\ty
Sr\t0\t0
O\t0\t0.5
O\t0.5\t0
Ti\t0.5\t0.5
"""


@pytest.fixture
def cell(tmp_path):
    path = tmp_path / "sto.txt"
    path.write_text(PEROVSKITE)
    return read_projected_cell(path)


def test_reads_statstem_cells(cell):
    assert (cell.a, cell.b, cell.angle_deg) == (3.905, 3.905, 90)
    assert cell.names == ("Sr", "O", "O", "Ti")
    assert np.allclose(cell.sites[3], 0.5)


def test_files_without_a_cell_are_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("nothing to see\n1 2 3\n")
    with pytest.raises(ReadError, match="no projected unit cell"):
        read_projected_cell(path)
    with pytest.raises(ReadError, match="give a text file"):
        read_projected_cell(tmp_path / "absent.txt")


def test_reads_the_third_dimension(tmp_path):
    path = tmp_path / "sto.txt"
    path.write_text(PEROVSKITE + "length_c 3.905\nzInfo\nSr 0\nO 0.5\nO 0.5\nTi 0.5 O 0\n")
    cell = read_projected_cell(path)
    assert cell.repeat_angstrom == 3.905
    assert cell.atoms == ((("Sr", 0.0),), (("O", 0.5),), (("O", 0.5),), (("Ti", 0.5), ("O", 0.0)))


def test_heights_must_be_given_for_each_site(tmp_path):
    path = tmp_path / "sto.txt"
    path.write_text(PEROVSKITE + "zInfo\nSr 0\nO 0.5\n")
    with pytest.raises(ReadError, match="4 sites, but 2 lines under zInfo"):
        read_projected_cell(path)


def test_a_cell_without_area_is_refused(tmp_path):
    path = tmp_path / "flat.txt"
    path.write_text(PEROVSKITE.replace("angle_ab\t90", "angle_ab\t180"))
    with pytest.raises(ReadError, match="between 0 and 180"):
        read_projected_cell(path)
