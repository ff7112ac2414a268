import numpy as np
import pytest

from crewe.errors import PlanError, ReadError
from crewe.sources import Scan, Source
from crewe.sources.opening import is_live, open_source

SCAN = Scan((3, 4))


def test_arrays_are_opened_by_their_content(tmp_path):
    path = tmp_path / "set.data"
    with path.open("wb") as file:
        np.save(file, np.ones((3, 4, 5, 6)))
    with open_source(path) as source:
        assert isinstance(source, Source)
        assert (source.scan, source.detector_shape) == (SCAN, (5, 6))


def test_options_reach_the_source(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((3, 4, 5, 6)))
    with open_source(tmp_path / "a.npy", beam_energy_kev=80) as source:
        assert source.known.beam_energy_kev == 80
    with pytest.raises(PlanError, match="'acceptance_us' does not apply"):
        open_source(tmp_path / "a.npy", acceptance_us=2)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://detector/", "give merlin://HOST"),
        ("merlin://", "names no host"),
        ("merlin://host:99999", "a port is a number"),
    ],
)
def test_addresses_that_are_none_are_refused(address, said):
    with pytest.raises(PlanError, match=said):
        open_source(address, SCAN)


def test_detectors_and_events_need_a_scan(tmp_path):
    (tmp_path / "a.tpx3").write_bytes(b"TPX3" + bytes(12))
    (tmp_path / "a.t3p").write_bytes(bytes(16))
    for data in ("merlin://host", "timepix3://host:8451", tmp_path / "a.tpx3", tmp_path / "a.t3p"):
        assert is_live(data) == ("://" in str(data))
        with pytest.raises(PlanError, match="give --scan"):
            open_source(data)


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(ReadError, match="cannot be opened"):
        open_source(tmp_path / "gone.npy", SCAN)
    (tmp_path / "empty.npy").touch()
    with pytest.raises(ReadError, match="empty"):
        open_source(tmp_path / "empty.npy", SCAN)
