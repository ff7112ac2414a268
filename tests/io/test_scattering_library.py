import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from crewe.errors import ReadError, WriteError
from crewe.io.scattering_library import read_library, write_library

VALUES = np.array([0.0192, 0.0473, 0.0815, 0.1153])


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "0.0192\n0.0473\n0.0815\n0.1153\n",
        "1 0.0192\n2 0.0473\n3 0.0815\n4 0.1153\n",
        "0;0\n1;0.0192\n2;0.0473\n3;0.0815\n4;0.1153",
        "# thickness, SCS\n1\t0.0192\n2\t0.0473\n\n3\t0.0815\n4\t0.1153\n",
        '\ufeff"atoms","scs"\n1,0.0192\n2,0.0473\n3,0.0815\n4,0.1153\n',
        "% from a simulation\r\n0.0192\r\n0.0473\r\n0.0815\r\n0.1153\r\n",
    ],
)
def test_text_of_one_or_two_columns(tmp_path, text):
    library = read_library(write(tmp_path / "library.txt", text))
    assert np.allclose(library.values, VALUES)
    assert list(library["atoms"].values) == [1, 2, 3, 4]
    assert library.dims == ("atoms",)
    assert library.name == "scs"
    assert library.attrs["units"] == "Å²"


@pytest.mark.parametrize("suffix", [".csv", ".txt"])
@pytest.mark.parametrize("unit", ["Å²", "e·Å²"])
def test_what_is_written_is_read(tmp_path, suffix, unit):
    library = xr.DataArray(VALUES / 3, {"atoms": np.arange(1, 5)}, ("atoms",), "scs")
    path = write_library(tmp_path / f"own{suffix}", library.assign_attrs(units=unit))
    again = read_library(path)
    assert np.array_equal(again.values, library.values)
    assert again.attrs["units"] == unit
    assert read_library(path, unit="px²").attrs["units"] == "px²"


@pytest.mark.parametrize(
    "fields",
    [
        {"simVol": VALUES[:, None]},
        {"simVol": VALUES[None, :]},
        {"library": np.stack([np.arange(1, 5), VALUES], axis=1), "other": np.arange(9.0)},
        {"input": {"library": np.stack([np.arange(1, 5), VALUES], axis=1), "dx": 0.1}},
        {"thing": VALUES[:, None], "picture": np.zeros((5, 6))},
    ],
)
def test_matlab_vectors(tmp_path, fields):
    savemat(tmp_path / "library.mat", fields)
    assert np.allclose(read_library(tmp_path / "library.mat").values, VALUES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no table of numbers"),
        ("only words\n", "no table of numbers"),
        ("0.1\n", "at least 2"),
        ("1 0.1\n2 0.2\n4 0.3\n", "where 3 atoms are expected stands 4"),
        ("2 0.1\n3 0.2\n", "where 1 atoms are expected stands 2"),
        ("0.1\n-0.2\n0.3\n", "must be positive"),
        ("0.1\nnan\n0.3\n", "must be positive"),
        ("0.1\n0.2\n0.15\n", "does not rise from 2 to 3"),
        ("0.1\n0.2 0.3\n", "columns per line"),
        ("1 2 3\n2 3 4\n", "3 columns"),
        ("0.1\nsome\n0.3\n", "line 2"),
    ],
)
def test_what_is_no_library_is_refused(tmp_path, text, words):
    with pytest.raises(ReadError, match=words):
        read_library(write(tmp_path / "library.txt", text))


def test_other_files_are_refused(tmp_path):
    with pytest.raises(ReadError, match="no such file"):
        read_library(tmp_path / "missing.txt")
    savemat(tmp_path / "two.mat", {"a": VALUES, "b": VALUES})
    with pytest.raises(ReadError, match="2 vectors"):
        read_library(tmp_path / "two.mat")
    (tmp_path / "cut.mat").write_bytes((tmp_path / "two.mat").read_bytes()[:150])
    with pytest.raises(ReadError):
        read_library(tmp_path / "cut.mat")
    library = xr.DataArray(VALUES, {"atoms": np.arange(1, 5)}, ("atoms",), "scs")
    with pytest.raises(WriteError, match="for a library"):
        write_library(tmp_path / "library.mat", library)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_library_or_a_read_error(tmp_path, content):
    path = tmp_path / "any.txt"
    path.write_bytes(content)
    try:
        library = read_library(path)
    except ReadError:
        return
    assert (library.values > 0).all()
