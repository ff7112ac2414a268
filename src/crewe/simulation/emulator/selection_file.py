"""Model selection on disk: a header, then a line for each plan as it is done."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crewe.errors import CalibrationError, ReadError, WriteError
from crewe.simulation.emulator.pairs import Pair
from crewe.simulation.emulator.plan import EmulatorPlan
from crewe.simulation.emulator.splits import Split

FORMAT = "crewe model selection"
VERSION = 1
Row = dict[str, Any]


class SelectionFile:
    """Rows of a scan as lines of JSON, so that a scan goes on where it was stopped.

    The header holds the divisions into folds and a checksum of the pairs: rows are comparable only
    where both are the same. A last line that was cut short is dropped.
    """

    def __init__(self, path: str | Path, pairs: Sequence[Pair], splits: Sequence[Split]) -> None:
        self.path = Path(path)
        self.splits = list(splits)
        self.rows: list[Row] = []
        checksum = pairs_checksum(pairs)
        if self.path.exists() and self.path.stat().st_size:
            self._read(checksum)
        else:
            self._append({**_header(checksum), "splits": [_to_plain(split) for split in splits]})

    def add(self, row: Row) -> None:
        """Write a row at once."""
        self._append(row)
        self.rows.append(row)

    def _append(self, values: dict[str, Any]) -> None:
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(values) + "\n")
        except OSError as error:
            raise WriteError(f"{self.path}: the scan cannot be written ({error})") from error

    def _read(self, checksum: str) -> None:
        try:
            text = self.path.read_bytes().decode("utf-8", errors="replace")
            whole = text[: text.rfind("\n") + 1]
            header, *rows = [json.loads(line) for line in whole.splitlines()]
            splits = [_from_plain(one) for one in header["splits"]]
            found = {key: header[key] for key in _header(checksum)}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ReadError(f"{self.path}: this is no scan of models ({error})") from error
        if found != _header(checksum):
            raise ReadError(
                f"{self.path}: a scan of other pairs or of another version; give another file"
            )
        for line, row in enumerate(rows, start=2):
            _check_row(row, f"{self.path}, line {line}")
        if len(whole) < len(text):
            self.path.write_text(whole, encoding="utf-8")
        self.splits, self.rows = splits, rows


def pairs_checksum(pairs: Sequence[Pair]) -> str:
    """SHA-256 of all images of pairs, in order."""
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(f"{pair.name} {pair.linear.shape}".encode())
        digest.update(pair.linear.tobytes())
        digest.update(pair.multislice.tobytes())
    return digest.hexdigest()


def _header(checksum: str) -> dict[str, Any]:
    return {"format": FORMAT, "version": VERSION, "pairs": checksum}


def _check_row(row: Any, place: str) -> None:
    """Raise ReadError for what is no row: a plan, its terms and its errors."""
    try:
        plan = EmulatorPlan.from_dict(row["plan"])
        errors = [row["one_minus_r2"], *row["each_repeat"], *row["image_errors"]]
        sound = row["terms"] == plan.terms().count and plan.to_dict() == row["plan"]
        sound = sound and bool(row["each_repeat"]) and bool(row["image_errors"])
        sound = sound and all(math.isfinite(error) for error in errors)
    except (CalibrationError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReadError(f"{place}: this is no plan with its errors ({error!r})") from error
    if not sound:
        raise ReadError(f"{place}: a plan and its terms or errors do not go together; remove it")


def _to_plain(split: Split) -> dict[str, Any]:
    return {"repeat": split.repeat, "sides": [list(split.training), list(split.validation)]}


def _from_plain(values: dict[str, Any]) -> Split:
    training, validation = (tuple(side) for side in values["sides"])
    return Split(values["repeat"], training, validation)
