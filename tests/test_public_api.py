"""What `import crewe` offers, and how little it costs."""

import importlib
import subprocess
import sys
import time

import pytest

import crewe

PUBLIC = {
    "CalibrationError",
    "ColumnFit",
    "CreweError",
    "FusedMaps",
    "ImageError",
    "NoColumnsError",
    "PlanError",
    "QuantifyPlan",
    "ReadError",
    "RecipeError",
    "SourceError",
    "SpecimenError",
    "WriteError",
    "count_atoms",
    "degrade",
    "find_columns",
    "fit_columns",
    "fuse",
    "index_columns",
    "linear_image",
    "list_signals",
    "load_emulator",
    "open_training_set",
    "phase_images",
    "read",
    "read_image",
    "restore",
    "run",
    "strain_map",
    "write",
}


def test_the_public_names_are_these_and_exist():
    assert set(crewe.__all__) == PUBLIC
    for name in PUBLIC:
        assert getattr(crewe, name) is not None
    assert set(dir(crewe)) == {*PUBLIC, "__version__"}


def test_functions_stay_functions_when_their_files_are_imported():
    importlib.import_module("crewe.workflows.carry_out")
    assert callable(crewe.run)
    assert callable(crewe.workflows.rerun)


def test_other_names_do_not_exist():
    with pytest.raises(AttributeError, match="no attribute 'quantum'"):
        _ = crewe.quantum


def test_import_is_quick_and_light():
    program = "import crewe, sys; print(*sys.modules)"
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        )
        seconds.append(time.perf_counter() - begin)
    heavy = {"numpy", "pandas", "xarray", "matplotlib", "pydantic", "typer", "rsciio", "numba"}
    assert not heavy & set(done.stdout.split())
    assert min(seconds) < 0.3
