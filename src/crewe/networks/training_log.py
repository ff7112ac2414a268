"""The log of a training run: a CSV file with one row for some steps."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from pathlib import Path

from crewe.errors import WriteError
from crewe.io.atomic import atomic_path
from crewe.networks.training_plan import LossWeights

TERMS = ("total", *LossWeights.model_fields, "discriminator")
COLUMNS = (
    "step",
    "stage",
    "learning_rate",
    "samples_per_second",
    *TERMS,
    "validation_psnr_db",
    "validation_ssim",
)


class TrainingLog:
    """Adds rows to a log file: a term is the mean over the steps since the row before."""

    def __init__(self, path: Path, step: int = 0) -> None:
        """Open a log; rows of later steps than `step` belong to steps that were lost."""
        self._path = path
        self._sums: dict[str, list[float]] = {}
        rows = [row for row in read_log(path) if int(row["step"]) <= step] if step else []
        with (
            atomic_path(path, overwrite=True) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)

    def hear(self, terms: Mapping[str, float]) -> None:
        """Take note of the terms of one step."""
        for name, value in terms.items():
            self._sums.setdefault(name, []).append(value)

    def write(self, facts: Mapping[str, float]) -> None:
        """Add a row of facts, by column, and of the terms heard since the last. WriteError."""
        means = {name: math.fsum(values) / len(values) for name, values in self._sums.items()}
        self._sums = {}
        row = {name: f"{value:.7g}" for name, value in {**facts, **means}.items()}
        try:
            with self._path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, COLUMNS).writerow(row)
        except OSError as error:
            raise WriteError(f"cannot write {self._path}: {error.strerror or error}") from error


def read_log(path: Path) -> list[dict[str, str]]:
    """Return the rows of a log by column, empty where nothing was measured; none if there is none.

    A last row that was cut short is left out.
    """
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if None not in row.values() and row["step"].isdigit()]
