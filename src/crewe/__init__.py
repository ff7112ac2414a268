"""crewe: noisy electron-microscope data in, quantified atomic structure out."""

import importlib
from typing import Any

from crewe.errors import (
    CalibrationError,
    CreweError,
    ImageError,
    NoColumnsError,
    PlanError,
    ReadError,
    RecipeError,
    SourceError,
    SpecimenError,
    WriteError,
)

__version__ = "0.1.0"

_ROOM_OF = {
    "ColumnFit": "crewe.atoms",
    "FusedMaps": "crewe.chemistry",
    "QuantifyPlan": "crewe.workflows",
    "count_atoms": "crewe.atoms",
    "degrade": "crewe.degradation",
    "find_columns": "crewe.atoms",
    "fit_columns": "crewe.atoms",
    "fuse": "crewe.chemistry",
    "index_columns": "crewe.atoms",
    "linear_image": "crewe.simulation.linear",
    "list_signals": "crewe.io",
    "load_emulator": "crewe.simulation.emulator.store",
    "open_training_set": "crewe.training_sets",
    "phase_images": "crewe.workflows",
    "read": "crewe.io",
    "read_image": "crewe.io",
    "restore": "crewe.restoration",
    "run": "crewe.workflows",
    "strain_map": "crewe.atoms",
    "write": "crewe.io",
}

__all__ = [
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
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that `import crewe` stays quick."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'crewe' has no attribute {name!r}")
    return getattr(importlib.import_module(_ROOM_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
