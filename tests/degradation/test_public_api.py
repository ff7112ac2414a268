import importlib
import subprocess
import sys

import pytest

import crewe
from crewe import degradation


def test_public_names_exist_and_are_not_hidden_by_files():
    for name in degradation.__all__:
        importlib.import_module(f"crewe.degradation.{degradation._ROOM_OF[name]}")
        assert getattr(degradation, name).__class__.__name__ != "module"
    assert dir(degradation) == degradation.__all__
    assert crewe.degrade is degradation.degrade


def test_other_names_do_not_exist():
    with pytest.raises(AttributeError, match="no attribute 'polish'"):
        _ = degradation.polish


def test_import_brings_no_heavy_library():
    program = "import crewe.degradation, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert not {"numba", "scipy", "pydantic", "xarray"} & set(done.stdout.split())
