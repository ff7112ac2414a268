"""What is written on the command line for libraries, cells, zone axes, sites, regions, circuits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe.cli.words import number_or_word
from crewe.errors import PlanError

if TYPE_CHECKING:
    from crewe.atoms.unit_cell import ProjectedCell


def library_settings(path: Path | None) -> dict[str, Any] | None:
    """Return the library of a file as it stands in a plan, which then needs the file no more."""
    if path is None:
        return None
    from crewe.io.scattering_library import read_library

    library = read_library(path)
    return {
        "scs": library.values.tolist(),
        "first_count": int(library["atoms"].values[0]),
        "unit": library.attrs["units"],
        "name": path.name,
    }


def unit_cell_settings(path: Path | None) -> dict[str, Any] | None:
    """Return the cell of a file as it stands in a plan, which then needs the file no more."""
    if path is None:
        return None
    from crewe.atoms import read_projected_cell
    from crewe.workflows.unit_cells import cell_settings

    return cell_settings(read_projected_cell(path))


def lattice_settings(
    cells: Sequence[Path] | None,
    zones: Sequence[str] | None,
    sites: str | None = None,
    lattices: int | None = None,
) -> dict[str, Any] | None:
    """Return cells and number of lattices as they stand in a plan. Raises PlanError, ReadError."""
    if not cells:
        for name, value in (("--zone", zones), ("--sites", sites), ("--lattices", lattices)):
            if value:
                raise PlanError(f"{name} is for a unit cell: give one with --cell FILE")
        return None
    from crewe.workflows.unit_cells import cell_settings

    axes = [zone_axis(text) for text in zones or []]
    if len(axes) not in (0, 1, len(cells)):
        raise PlanError(
            f"--zone is given {len(axes)} times for {len(cells)} cells: give it once for all, or "
            "once for each cell in the same order"
        )
    axes = axes * len(cells) if len(axes) == 1 else axes
    found = [
        cell_settings(_cell(path, axes[number] if axes else None, sites))
        for number, path in enumerate(cells)
    ]
    return {"cells": found, "most_lattices": len(cells) if lattices is None else lattices}


def parts_asked(
    *,
    wanted: dict[str, bool],
    region: str | None = None,
    count: dict[str, Any] | None = None,
    lattice: dict[str, Any] | None = None,
    shifts: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return the parts of a plan that `crewe quantify` is asked for, each with its settings.

    Any setting of counting, or a model, asks for counts; a cell, or a shift, for strain.
    """
    found: dict[str, Any] = {name: {} for name, is_wanted in wanted.items() if is_wanted}
    given = {name: value for name, value in (count or {}).items() if value is not None}
    if given or "volume" in found or "count" in found:
        found["count"] = given
    if lattice is not None:
        found["lattice"] = lattice
    if lattice is not None or shifts:
        found["strain"] = {"shifts": pairs(shifts, "--shift")} if shifts else {}
    if region is not None:
        found["region"] = region_settings(region)
    return found


def _cell(path: Path, axis: tuple[int, int, int] | None, sites: str | None) -> ProjectedCell:
    from crewe.atoms.lattice.project import read_cell
    from crewe.atoms.lattice.sites import with_sites

    cell = read_cell(path, axis)
    return cell if sites is None else with_sites(cell, words(sites))


def zone_axis(text: str) -> tuple[int, int, int]:
    """Read a zone axis, as in 1,1,0 or 1,-1,0. Raises PlanError."""
    try:
        u, v, w = (int(part) for part in text.strip("[] ").split(","))
    except ValueError:
        raise PlanError(f"--zone {text}: give three whole numbers, as in 1,1,0") from None
    return u, v, w


def words(text: str) -> list[str]:
    """Split a list of names at commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def types_or_none(given: Sequence[str] | None) -> list[int | str] | None:
    """Read types, which are whole numbers, and names of sites. Raises PlanError."""
    if not given:
        return None
    found: list[int | str] = []
    for text in given:
        value = number_or_word(text)
        if value is None or isinstance(value, float):
            raise PlanError(f"--type {text}: give the number of a type or the name of a site")
        found.append(value)
    return found


def region_settings(text: str | None) -> dict[str, Any] | None:
    """Read a polygon, written out or from a file, as it stands in a plan."""
    if text is None:
        return None
    from crewe.atoms.regions import parse_region, read_region

    region = read_region(text) if Path(text).is_file() else parse_region(text)
    return {"polygon": region.polygon}


def pairs(given: Sequence[str] | None, option: str) -> list[tuple[str, str]]:
    """Read pairs of sites, as in Ti:Sr. Raises PlanError."""
    found = []
    for text in given or []:
        site, colon, other = text.partition(":")
        if not (site.strip() and colon and other.strip()):
            raise PlanError(f"{option} {text}: give two sites, as in Ti:O")
        found.append((site.strip(), other.strip()))
    return found


def circuits(given: Sequence[str] | None) -> list[tuple[float, float, float]]:
    """Read circuits x,y,radius in Å. Raises PlanError."""
    found = []
    for text in given or []:
        try:
            x, y, radius = (float(part) for part in text.split(","))
        except ValueError:
            raise PlanError(
                f"--burgers {text}: give the middle and the radius in Å, as in 30.5,42,12"
            ) from None
        found.append((x, y, radius))
    return found
