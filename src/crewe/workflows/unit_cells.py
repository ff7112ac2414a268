"""Unit cells as plans hold them, in numbers, and as methods take them."""

from typing import TYPE_CHECKING, Any

import numpy as np

from crewe.atoms.unit_cell import ProjectedCell

if TYPE_CHECKING:
    from crewe.workflows.plan_analyses import UnitCell


def projected(cell: "UnitCell") -> ProjectedCell:
    """Return the cell that a plan describes."""
    names, u, v = zip(*cell.sites, strict=True)
    return ProjectedCell(
        cell.a,
        cell.b,
        cell.angle_deg,
        np.stack([u, v], axis=1),
        names,
        cell.repeat_angstrom,
        cell.atoms or (),
        cell.climb,
    )


def cell_settings(cell: ProjectedCell) -> dict[str, Any]:
    """Return a cell as it stands in a plan, which then needs no file of it."""
    sites = [
        [name, float(u), float(v)] for name, (u, v) in zip(cell.names, cell.sites, strict=True)
    ]
    settings = {"a": cell.a, "b": cell.b, "angle_deg": cell.angle_deg, "sites": sites}
    if cell.repeat_angstrom is not None and cell.atoms:
        settings["repeat_angstrom"] = cell.repeat_angstrom
        settings["atoms"] = cell.atoms
        settings["climb"] = cell.climb
    return settings
