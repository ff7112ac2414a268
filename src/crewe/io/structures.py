"""Atoms from and to CIF and XYZ files through ASE."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, cast

from crewe.errors import ReadError, WriteError
from crewe.io.atomic import atomic_path
from crewe.io.guard import one_line, reading

if TYPE_CHECKING:
    from ase import Atoms

FORMATS = {".xyz": "extxyz", ".extxyz": "extxyz", ".cif": "cif"}


def read_atoms(path: str | os.PathLike[str]) -> Atoms:
    """Read the atoms of a .cif or .xyz file, positions in Å.

    Plain and extended XYZ are read alike. Raises ReadError for anything else or no atoms.
    """
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"{path}: no such file")
    chosen = _format(path)
    if chosen is None:
        raise ReadError(f"{path.name}: no structure format {path.suffix!r}: give .cif or .xyz")
    from ase.io import read as read_ase

    with reading(path, path.suffix.lstrip(".").upper()):
        try:
            atoms = read_ase(path, index=-1, format=chosen)
        except Exception:
            if chosen != "extxyz":
                raise
            # Comment lines of plain XYZ need not follow the extended syntax.
            atoms = read_ase(path, index=-1, format="xyz")
    if len(atoms) == 0:
        raise ReadError(f"{path.name}: holds no atoms")
    return cast("Atoms", atoms)


def write_atoms(path: str | os.PathLike[str], atoms: Atoms, overwrite: bool = False) -> Path:
    """Write atoms as extended XYZ or CIF and return the path. Raises WriteError."""
    from ase.io import write as write_ase

    path = Path(path)
    chosen = _format(path)
    if chosen is None:
        raise WriteError(f"no format {path.suffix!r} for atoms: use .xyz or .cif")
    with atomic_path(path, overwrite) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            write_ase(temporary, atoms, format=chosen)
        except Exception as error:
            raise WriteError(f"cannot write {path}: {one_line(error)}") from error
    return path


def _format(path: Path) -> str | None:
    return FORMATS.get(path.suffix.lower())
