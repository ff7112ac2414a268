"""Libraries of scattering cross-section against the number of atoms: text, CSV, MATLAB.

In memory a library is a DataArray "scs" along "atoms" (1, 2, …). On disk it is a column of
cross-sections of 1, 2, … atoms, or two columns, the number of atoms first; zero atoms may be
listed, they scatter nothing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.errors import ReadError, WriteError
from crewe.io.atomic import atomic_path
from crewe.io.guard import reading
from crewe.io.tables import csv_name, plain_name, write_table

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr
    from numpy.typing import NDArray

UNIT = "Å²"
LARGEST_BYTES = 16 * 2**20
NAMES = ("library", "simvol", "lib", "scs")
"""What a library is called in MATLAB files, the likeliest first."""


def read_library(path: str | os.PathLike[str], unit: str | None = None) -> xr.DataArray:
    """Read cross-sections of 1, 2, … atoms from .txt, .csv or .mat; `scs` along `atoms`.

    Text has one or two columns, parted by blanks, commas, semicolons or tabs; headers and lines
    after # or % are passed over. Without `unit`, a header that ends like those of our own tables
    (scs_angstrom2) tells it, else it is Å². Of a MATLAB file the vector called library, simVol or
    scs is taken, else the only one there is.

    Raises ReadError for what is no library: other shapes, gaps in the number of atoms,
    cross-sections that are not positive or that fall with thickness.
    """
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"{path}: no such file; give a .txt, .csv or .mat file with a library")
    if path.stat().st_size > LARGEST_BYTES:
        raise ReadError(f"{path.name}: {path.stat().st_size:,} bytes are no library")
    with path.open("rb") as handle:
        start = handle.read(128)
    with reading(path, "library"):
        if start.startswith(b"MATLAB"):
            numbers, told = _matlab(path, start), None
        else:
            numbers, told = _text(path)
        return _library(path, numbers, unit or told or UNIT)


def write_library(
    path: str | os.PathLike[str], library: xr.DataArray, overwrite: bool = False
) -> Path:
    """Write a library as .csv with its unit in the header, or as .txt; returns the path.

    Raises WriteError for another suffix or an existing file.
    """
    import pandas as pd

    path = Path(path)
    unit = str(library.attrs.get("units", UNIT))
    atoms, values = library["atoms"].values, library.values
    if path.suffix.lower() == ".csv":
        frame = pd.DataFrame({"atoms": atoms, "scs": values})
        frame.attrs["units"] = {"scs": unit}
        return write_table(path, frame, overwrite=overwrite)
    if path.suffix.lower() != ".txt":
        raise WriteError(f"no format {path.suffix!r} for a library: use .csv or .txt")
    lines = [f"# atoms {csv_name('scs', unit)}"]
    lines += [f"{int(count)} {float(value)!r}" for count, value in zip(atoms, values, strict=True)]
    with atomic_path(path, overwrite) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _text(path: Path) -> tuple[NDArray[np.float64], str | None]:
    """Numbers of a text file and the unit that its header tells."""
    import numpy as np

    rows: list[list[float]] = []
    unit = None
    for number, line in enumerate(path.read_text("utf-8-sig", "replace").splitlines(), 1):
        words = [word for word in re.split(r"[\s,;]+", line) if word]
        bare = [word.lstrip("#%\"'").rstrip("\"'") for word in words]
        if not words or line.lstrip()[0] in "#%" or not (rows or _is_number(words[0])):
            unit = unit or next((plain_name(word)[1] for word in bare if plain_name(word)[1]), None)
            continue
        if not all(_is_number(word) for word in words):
            raise ReadError(f"{path.name}, line {number}: {line.strip()[:40]!r} is no number")
        rows.append([float(word) for word in words])
    if not rows or len({len(row) for row in rows}) > 1:
        found = sorted({len(row) for row in rows})
        raise ReadError(
            f"{path.name}: no table of numbers (columns per line: {found}); a library has one "
            "column of cross-sections, or two, the number of atoms first"
        )
    return np.array(rows), unit


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _matlab(path: Path, start: bytes) -> NDArray[np.float64]:
    from crewe.io.matlab5 import read_variables

    if start.startswith(b"MATLAB 7.3"):
        raise ReadError(f"{path.name}: MATLAB 7.3; save the library with '-v7' or as text")
    vectors = _vectors(read_variables(path.read_bytes()), "")
    for wanted in NAMES:
        chosen = [name for name in vectors if name.lower().split(".")[-1] == wanted]
        if len(chosen) == 1:
            return vectors[chosen[0]]
    if len(vectors) != 1:
        raise ReadError(
            f"{path.name}: {len(vectors)} vectors ({', '.join(list(vectors)[:8]) or 'none'}) and "
            f"none called {', '.join(NAMES)}; save the library alone, or as text"
        )
    return next(iter(vectors.values()))


def _vectors(fields: dict[str, Any], prefix: str) -> dict[str, NDArray[np.float64]]:
    """Real matrices of one or two columns, structs walked through."""
    found: dict[str, NDArray[np.float64]] = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            found |= _vectors(value, f"{prefix}{name}.")
        elif value.ndim == 2 and value.dtype.kind in "iuf" and value.size > 1:
            upright = value.T if value.shape[0] <= 2 < value.shape[1] else value
            if upright.shape[1] <= 2 and upright.shape[0] > 1:
                found[f"{prefix}{name}"] = upright.astype(float)
    return found


def _library(path: Path, numbers: NDArray[np.float64], unit: str) -> xr.DataArray:
    """The checked library of one or two columns of numbers."""
    import numpy as np
    import xarray as xr

    if numbers.shape[1] > 2:
        raise ReadError(f"{path.name}: {numbers.shape[1]} columns; a library has one or two")
    values = numbers[:, -1]
    atoms = numbers[:, 0] if numbers.shape[1] == 2 else np.arange(1.0, len(values) + 1)
    if len(atoms) and atoms[0] == 0:
        atoms, values = atoms[1:], values[1:]
    _check_atoms(path, atoms)
    _check_values(path, atoms, values)
    array = xr.DataArray(values, {"atoms": atoms.astype(int)}, ("atoms",), "scs")
    return array.assign_attrs(units=unit, source=path.name)


def _check_atoms(path: Path, atoms: NDArray[np.float64]) -> None:
    import numpy as np

    if len(atoms) < 2:
        raise ReadError(f"{path.name}: {len(atoms)} thicknesses; a library needs at least 2")
    if not np.array_equal(atoms, np.arange(1, len(atoms) + 1)):
        place = int(np.argmax(atoms != np.arange(1, len(atoms) + 1)))
        raise ReadError(
            f"{path.name}: where {place + 1} atoms are expected stands {atoms[place]:g}; the "
            "number of atoms must run 1, 2, 3, … without gaps: fill them in, or give only "
            "cross-sections"
        )


def _check_values(path: Path, atoms: NDArray[np.float64], values: NDArray[np.float64]) -> None:
    import numpy as np

    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ReadError(
            f"{path.name}: {atoms[place]:g} atoms have the cross-section {values[place]:g}; all "
            "must be positive"
        )
    falls = np.diff(values) <= 0
    if falls.any():
        last = int(atoms[np.argmax(falls)])
        raise ReadError(
            f"{path.name}: the cross-section does not rise from {last} to {last + 1} atoms, so "
            f"that thicker columns cannot be told from thinner; leave out all beyond {last} atoms"
        )
