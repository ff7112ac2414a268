"""Write what the columns answered: tables, figures and the model in three dimensions."""

from pathlib import Path
from typing import TYPE_CHECKING

from crewe import io
from crewe.workflows.result_folder import ANALYSIS_FILES

if TYPE_CHECKING:
    import pandas as pd
    from ase import Atoms

    from crewe.workflows.quantify import Quantification


def write_analyses(result: "Quantification", figures: dict[str, bytes], folder: Path) -> None:
    """Write the files of all analyses of a result, those of `ANALYSIS_FILES`."""
    found = result.analyses
    if found is None:
        return
    for name, table in found.tables.items():
        numbered = table.rename_axis("column").reset_index()
        numbered.attrs = dict(table.attrs)
        write_both(folder, name, numbered)
    for name, drawn in figures.items():
        if f"{name}.png" in ANALYSIS_FILES:
            (folder / f"{name}.png").write_bytes(drawn)
    if found.volume is not None:
        _write_volume(found.volume.atoms, result.plan.image.name, folder)


def write_both(folder: Path, name: str, table: "pd.DataFrame") -> None:
    """Write a table as CSV and as Parquet."""
    for ending in ("csv", "parquet"):
        io.write_table(folder / f"{name}.{ending}", table)


def _write_volume(atoms: "Atoms", name: str, folder: Path) -> None:
    from crewe.plots.volume_html import volume_html

    io.write_atoms(folder / "volume.xyz", atoms)
    io.write_atoms(folder / "volume.cif", atoms)
    (folder / "volume.html").write_text(volume_html(atoms, name), encoding="utf-8")
