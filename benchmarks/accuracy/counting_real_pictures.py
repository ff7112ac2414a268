"""Figures of the real images, as `crewe count` and `crewe strain` draw them."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure
from PIL import Image

from benchmarks.accuracy.counting_real_rows import Row
from benchmarks.accuracy.counting_real_strain import StrainFound
from crewe.plots import counting_figure, displacement_figure, png_bytes, strain_figure

DOTS_PER_INCH = 100


def draw(
    first: Sequence[Row],
    second: Sequence[Row],
    particle: xr.DataArray,
    perovskite: xr.DataArray,
    library: xr.DataArray,
    folder: Path,
) -> None:
    """Draw the particle with and without its library, and one kind of the perovskite."""
    stored = {row.way: row for row in first if row.case.name == "StatSTEM's"}
    lead = next(row for row in second if row.way == "curve")
    _save(stored["hybrid"], particle, "Å²", folder / "particle_hybrid.png", library)
    _save(stored["mixture, as many as StatSTEM"], particle, "Å²", folder / "particle_mixture.png")
    _save(lead, perovskite, "a.u.·Å²", folder / "perovskite_curve.png")


def draw_strain(found: StrainFound, image: xr.DataArray, folder: Path) -> None:
    """Draw strain, on white, and displacements, over the image, of our own columns."""
    columns = found.indexed.columns
    strain = strain_figure(columns, found.strain, title="CsPbBr3")
    _write(strain, folder / "perovskite_strain.png")
    moved = displacement_figure(columns, image=image)
    _write(moved, folder / "perovskite_displacements.png")


def _save(
    row: Row, image: xr.DataArray, unit: str, path: Path, library: xr.DataArray | None = None
) -> None:
    if row.counts is None:
        return
    columns = row.case.columns
    title = f"{row.case.name} fit, {row.way}"
    figure = counting_figure(
        columns, row.counts, unit=unit, image=image, library=library, title=title
    )
    _write(figure, path)


def _write(figure: Figure, path: Path) -> None:
    """Write a figure in 256 colours, a third of the bytes."""
    with Image.open(BytesIO(png_bytes(figure, DOTS_PER_INCH))) as picture:
        picture.convert("RGB").quantize(256).save(path, optimize=True)
