import numpy as np
import pytest

from crewe.chemistry.file_contents import Contents, best_elastic, symbol_in
from crewe.errors import ReadError
from crewe.io import SignalInfo


def signal(index, name, dims=("y", "x"), shape=(16, 16)):
    units = tuple("px" for _ in dims)
    steps = tuple(1.0 for _ in dims)
    return SignalInfo(index, name, dims, shape, "float32", units, steps, int(np.prod(shape)) * 4)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("Co", "Co"), ("maps/Fe", "Fe"), ("Co-EELS", "Co"), ("Fe Kα", "Fe"), ("Map O", "O"),
     ("HAADF", ""), ("No filter", ""), ("DF-S", ""), ("a", ""), ("co", ""), ("", ""), ("BF", "")],
)  # fmt: skip
def test_names_of_maps(name, symbol):
    assert symbol_in(name) == symbol


def test_signals_are_sorted_by_what_they_are(tmp_path):
    spectra = signal(3, "EDS", ("y", "x", "energy"), (16, 16, 100))
    signals = [signal(0, "HAADF"), signal(1, "Fe"), signal(2, "EDS", ("energy",), (100,)), spectra]
    found = Contents(tmp_path / "file.emd", signals, None)
    assert [info.index for info in found.images] == [0]
    assert [info.index for info in found.maps] == [1]
    assert [info.index for info in found.spectra] == [3]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("BF", "HAADF", "DF2"), "HAADF"),
        (("BF", "ADF", "DF2"), "ADF"),
        (("survey", "DF-S"), "DF-S"),
        (("Channel 1",), "Channel 1"),
    ],
)
def test_the_elastic_image_is_the_darkest_field(tmp_path, names, chosen):
    signals = [signal(index, name) for index, name in enumerate(names)]
    assert best_elastic(Contents(tmp_path / "f", signals, None), (16, 16)).name == chosen


def test_an_image_on_the_maps_pixels_goes_before_a_survey(tmp_path):
    signals = [signal(0, "HAADF survey", shape=(64, 64)), signal(1, "HAADF")]
    assert best_elastic(Contents(tmp_path / "f", signals, None), (16, 16)).index == 1
    nameless = [signal(0, "a", shape=(64, 64))]
    with pytest.raises(ReadError, match="no elastic image"):
        best_elastic(Contents(tmp_path / "f", nameless, None), (16, 16))
