"""Files to calibrated arrays and tables, and back."""

from crewe.io.atomic import atomic_path
from crewe.io.read import SignalInfo, list_signals, read, read_image
from crewe.io.scattering_library import read_library, write_library
from crewe.io.structures import read_atoms, write_atoms
from crewe.io.tables import read_table, write_table
from crewe.io.write import write

__all__ = [
    "SignalInfo",
    "atomic_path",
    "list_signals",
    "read",
    "read_atoms",
    "read_image",
    "read_library",
    "read_table",
    "write",
    "write_atoms",
    "write_library",
    "write_table",
]
