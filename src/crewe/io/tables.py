"""Tables of columns as CSV or Parquet, with their units.

In memory columns have plain names and ``frame.attrs['units']`` tells their units. In CSV the
header carries ASCII suffixes (``x_angstrom``), since spreadsheets garble Å; Parquet keeps the
names and stores units and metadata in its schema.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.axes.plain import plain_value
from crewe.errors import CreweError, ReadError, WriteError
from crewe.io.atomic import atomic_path
from crewe.io.guard import one_line, reading

if TYPE_CHECKING:
    import pandas as pd

UNIT_SUFFIXES = {
    "Å": "angstrom",
    "Å²": "angstrom2",
    "1/Å": "per_angstrom",
    "e/Å²": "e_per_angstrom2",
    "px": "px",
    "px²": "px2",
    "eV": "ev",
    "keV": "kev",
    "mrad": "mrad",
    "s": "s",
    "µs": "us",
    "°": "deg",
    "%": "percent",
    "e": "e",
    "e·Å²": "e_angstrom2",
    "e·px²": "e_px2",
    "a.u.": "au",
    "a.u.·Å²": "au_angstrom2",
    "a.u.·px²": "au_px2",
}
PARQUET_KEY = b"crewe"


def write_table(
    path: str | os.PathLike[str],
    frame: pd.DataFrame,
    metadata: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a table as .csv or .parquet and return the path.

    Units come from frame.attrs['units']; `metadata` (with frame.attrs) goes into Parquet only.
    Numbers keep every digit, NaN is an empty cell. The index is not written. Raises WriteError.
    """
    path = Path(path)
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise WriteError(f"no format {path.suffix!r} for a table: use .csv or .parquet")
    with atomic_path(path, overwrite) as temporary:
        try:
            if path.suffix.lower() == ".csv":
                _write_csv(temporary, frame)
            else:
                _write_parquet(temporary, frame, metadata)
        except CreweError:
            raise
        except Exception as error:
            raise WriteError(f"cannot write {path}: {one_line(error)}") from error
    return path


def _write_csv(path: Path, frame: pd.DataFrame) -> None:
    units = frame.attrs.get("units", {})
    header = [csv_name(str(name), units.get(name)) for name in frame.columns]
    if len(set(header)) != len(header):
        raise WriteError(f"column names are not unique once units are added: {header}")
    # pandas writes the shortest text that reads back as the same float64.
    frame.to_csv(path, header=header, index=False, encoding="utf-8")


def csv_name(name: str, unit: str | None) -> str:
    """Give a column name its ASCII unit suffix; unknown units get none."""
    suffix = UNIT_SUFFIXES.get(unit or "")
    return f"{name}_{suffix}" if suffix else name


def plain_name(header: str) -> tuple[str, str | None]:
    """Split a CSV header into column name and unit."""
    for unit, suffix in sorted(UNIT_SUFFIXES.items(), key=lambda item: -len(item[1])):
        if header.endswith(f"_{suffix}") and len(header) > len(suffix) + 1:
            return header.removesuffix(f"_{suffix}"), unit
    return header, None


def _write_parquet(path: Path, frame: pd.DataFrame, metadata: Mapping[str, Any] | None) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    bare = frame.copy()
    bare.attrs = {}
    table = pa.Table.from_pandas(bare, preserve_index=False)
    attrs = {**plain_value(dict(frame.attrs)), **plain_value(dict(metadata or {}))}
    note = {PARQUET_KEY: json.dumps(attrs).encode()}
    pq.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), **note}), path)


def read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a .csv or .parquet table; names lose their unit suffix, attrs['units'] gains it.

    Empty cells are NaN. Metadata of a Parquet file go to attrs. Raises ReadError.
    """
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"{path}: no such file")
    with path.open("rb") as handle:
        parquet = handle.read(4) == b"PAR1"
    with reading(path, "Parquet" if parquet else "CSV"):
        return _read_parquet(path) if parquet else _read_csv(path)


def _read_csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    frame = pd.read_csv(path, encoding="utf-8-sig", float_precision="round_trip")
    if frame.columns.empty:
        raise ReadError(f"{path.name}: a table without columns")
    names = {header: plain_name(str(header).strip()) for header in frame.columns}
    if len({name for name, _ in names.values()}) < len(names):
        raise ReadError(f"{path.name}: two columns have the same name but for their unit")
    frame = frame.rename(columns={header: name for header, (name, _) in names.items()})
    frame.attrs["units"] = {name: unit for name, unit in names.values() if unit}
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    frame = table.to_pandas()
    note = (table.schema.metadata or {}).get(PARQUET_KEY)
    frame.attrs = {"units": {}, **(json.loads(note) if note else {})}
    return frame
