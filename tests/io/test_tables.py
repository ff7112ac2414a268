import numpy as np
import pandas as pd
import pytest

from crewe.errors import ReadError, WriteError
from crewe.io import read_table, write, write_table
from crewe.io.tables import UNIT_SUFFIXES, csv_name, plain_name


def columns(seed=3, count=20):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=count) * 1e3,
            "y": rng.normal(size=count) / 3,
            "x_std": rng.random(count) * 1e-12,
            "scs": rng.random(count) * 1e200,
            "count": rng.integers(0, 9, count),
            "type": ["Sr", "Ti"] * (count // 2),
        }
    )
    frame.loc[4, "y"] = np.nan
    frame.attrs["units"] = {"x": "Å", "y": "Å", "x_std": "Å", "scs": "Å²"}
    return frame


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_every_digit_unit_and_gap_survives(tmp_path, suffix):
    frame = columns()
    write(tmp_path / f"t{suffix}", frame)
    back = read_table(tmp_path / f"t{suffix}")
    pd.testing.assert_frame_equal(back, frame, check_exact=True)
    assert back.attrs["units"] == frame.attrs["units"]


def test_the_csv_header_is_plain_ascii(tmp_path):
    write_table(tmp_path / "t.csv", columns())
    header = (tmp_path / "t.csv").read_bytes().splitlines()[0]
    assert header == b"x_angstrom,y_angstrom,x_std_angstrom,scs_angstrom2,count,type"


def test_pixels_have_their_suffix_too(tmp_path):
    frame = columns()[["x", "scs"]]
    frame.attrs["units"] = {"x": "px", "scs": "px²"}
    write_table(tmp_path / "t.csv", frame)
    assert (tmp_path / "t.csv").read_text().startswith("x_px,scs_px2\n")
    assert read_table(tmp_path / "t.csv").attrs["units"] == {"x": "px", "scs": "px²"}


@pytest.mark.parametrize("unit", UNIT_SUFFIXES)
def test_unit_suffixes_come_off_again(unit):
    assert plain_name(csv_name("some_quantity", unit)) == ("some_quantity", unit)
    assert csv_name("a", unit).isascii()


def test_names_that_look_like_units_stay():
    assert plain_name("px") == ("px", None)
    assert plain_name("angstrom") == ("angstrom", None)
    assert plain_name("columns") == ("columns", None)


def test_parquet_keeps_metadata(tmp_path):
    write_table(tmp_path / "t.parquet", columns(), metadata={"plan": {"seed": 3}, "who": "µ"})
    assert read_table(tmp_path / "t.parquet").attrs["plan"] == {"seed": 3}
    assert read_table(tmp_path / "t.parquet").attrs["who"] == "µ"


def test_an_empty_table_keeps_its_columns(tmp_path):
    for suffix in (".csv", ".parquet"):
        write_table(tmp_path / f"e{suffix}", columns().iloc[:0])
        assert list(read_table(tmp_path / f"e{suffix}").columns) == list(columns().columns)


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b""), ("a.csv", b"\xff\xfe\x00"), ("a.parquet", b"PAR1xxxxxxxx"), ("a.csv", b'"')],
)
def test_damaged_tables_are_refused_in_one_line(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReadError) as caught:
        read_table(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_two_columns_that_differ_by_unit_only_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("x_px,x_angstrom\n1,2\n")
    with pytest.raises(ReadError, match="but for their unit"):
        read_table(tmp_path / "a.csv")


def test_other_suffixes_and_missing_files(tmp_path):
    with pytest.raises(WriteError, match=r"use \.csv or \.parquet"):
        write(tmp_path / "a.xls", columns())
    with pytest.raises(ReadError, match="no such file"):
        read_table(tmp_path / "a.csv")
