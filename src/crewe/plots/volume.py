"""A model of atoms in three dimensions, seen along the beam and from two sides."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crewe.plots.overview import WIDTH_INCHES
from crewe.plots.palette import INK, typography
from crewe.plots.scale_bar import draw_scale_bar
from crewe.plots.volume_colours import coordination_colour

if TYPE_CHECKING:
    from ase import Atoms
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Atoms behind one another that are drawn; those behind them cannot be seen.
LAYERS = 3
# Farther atoms fade towards white by this part at most.
FADE = 0.35
MARGIN = 2.0


class View(NamedTuple):
    """A direction to look in."""

    title: str
    right: int
    """Axis (0, 1, 2 for x, y, z) that points right on the page."""
    down: int
    """Axis that points down on the page."""
    away: tuple[int, int]
    """Axis along which one looks, and its sign."""


# x right and y down have the beam pointing away; the side views are folded out of this one.
ALONG_BEAM = View("a  along the beam", 0, 1, (2, 1))
FROM_BELOW = View("c  from the lower side, beam down", 0, 2, (1, -1))
FROM_RIGHT = View("b  from the right, beam to the right", 2, 1, (0, -1))


def volume_figure(
    atoms: "Atoms",
    coordination: NDArray[np.int64] | None = None,
    *,
    title: str = "",
    left_out: int = 0,
) -> "Figure":
    """Draw atoms as discs in three views, coloured by the number of their neighbours.

    `coordination` (N,) is by default that of the atoms' array of this name. The views are folded
    out of the one along the beam, as in a technical drawing: below it the model is seen from the
    lower side of the image with the beam pointing down, beside it from the right. The title says
    how many columns, `left_out`, had no count and are not in the model.
    """
    import matplotlib
    from matplotlib.figure import Figure

    number = atoms.arrays["coordination"] if coordination is None else np.asarray(coordination)
    spans = np.ptp(atoms.positions, axis=0) + 2 * (MARGIN + _radii(atoms).max())
    with matplotlib.rc_context(typography()):
        size = WIDTH_INCHES, 0.5 + WIDTH_INCHES * (spans[1] + spans[2]) / (spans[0] + spans[2])
        figure = Figure(size, layout="constrained")
        panels = figure.subplots(
            2, 2, width_ratios=spans[[0, 2]].tolist(), height_ratios=spans[[1, 2]].tolist()
        )
        for panel, view in zip(panels.flat[:3], (ALONG_BEAM, FROM_RIGHT, FROM_BELOW), strict=True):
            _draw_view(panel, view, atoms, number)
        draw_scale_bar(panels[0, 0], float(spans[0]), float(spans[1]), "Å", colour="black")
        _draw_legend(panels[1, 1], number)
        heading = _heading(title, left_out)
        if heading:
            figure.suptitle(heading, fontsize=9, x=0.01, ha="left")
    return figure


def _heading(title: str, left_out: int) -> str:
    columns = "column" if left_out == 1 else "columns"
    missing = f"{left_out:,} {columns} without a count left out" if left_out else ""
    return ", ".join(part for part in (title, missing) if part)


def _radii(atoms: "Atoms") -> NDArray[np.float64]:
    """Radius (N,) in Å at which each atom is drawn: that of its covalent bonds."""
    from ase.data import covalent_radii

    return np.asarray(covalent_radii[atoms.numbers], dtype=np.float64)


def seen_atoms(places: NDArray[np.float64], view: View, spacing: float) -> NDArray[np.int64]:
    """Atoms of places (N, 3) that are not hidden behind others, the farthest first.

    Behind each square of half a `spacing` in Å only the first few are kept.
    """
    axis, sign = view.away
    depth = places[:, axis] * sign
    square = np.floor(places[:, [view.right, view.down]] / (spacing / 2)).astype(np.int64)
    order = np.lexsort((depth, square[:, 1], square[:, 0]))
    ordered = square[order]
    new = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    first = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    kept = order[np.arange(len(order)) - first < LAYERS]
    return kept[np.argsort(-depth[kept], kind="stable")]


def _draw_view(axes: "Axes", view: View, atoms: "Atoms", number: NDArray[np.int64]) -> None:
    from matplotlib.collections import EllipseCollection
    from matplotlib.colors import to_rgb

    places, radii = atoms.positions, _radii(atoms)
    seen = seen_atoms(places, view, 2 * float(radii.max()))
    bulk = int(number.max(initial=1))
    palette = {each: to_rgb(coordination_colour(int(each), bulk)) for each in np.unique(number)}
    colour = np.array([palette[each] for each in number[seen]])
    axis, sign = view.away
    depth = places[seen, axis] * sign
    far = (depth - depth.min()) / max(np.ptp(depth), 1e-9)
    colour += (1 - colour) * FADE * far[:, None]
    flat = places[seen][:, [view.right, view.down]]
    # Each disc is followed by its light spot, so that nearer atoms cover both.
    spot = flat - 0.3 * radii[seen, None]
    drawn = EllipseCollection(
        widths=np.column_stack([2 * radii[seen], 0.55 * radii[seen]]).ravel(),
        heights=np.column_stack([2 * radii[seen], 0.55 * radii[seen]]).ravel(),
        angles=0,
        units="xy",
        offsets=np.stack([flat, spot], axis=1).reshape(-1, 2),
        offset_transform=axes.transData,
        facecolors=np.stack([colour, colour + (1 - colour) * 0.5], axis=1).reshape(-1, 3).tolist(),
        edgecolors=np.stack([colour * 0.45, colour], axis=1).reshape(-1, 3).tolist(),
        linewidths=np.tile([0.3, 0.0], len(seen)).tolist(),
    )
    axes.add_collection(drawn)
    _frame(axes, view, atoms, float(radii.max()) + MARGIN)


def _frame(axes: "Axes", view: View, atoms: "Atoms", room: float) -> None:
    low, high = atoms.positions.min(axis=0) - room, atoms.positions.max(axis=0) + room
    axes.set(
        xlim=(low[view.right], high[view.right]),
        ylim=(high[view.down], low[view.down]),
        aspect="equal",
        xticks=[],
        yticks=[],
    )
    axes.set_title(view.title, loc="left", fontweight="bold")
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_legend(axes: "Axes", number: NDArray[np.int64]) -> None:
    from matplotlib.lines import Line2D

    axes.set_axis_off()
    kinds, count = np.unique(number, return_counts=True)
    bulk = int(number.max(initial=1))
    marks = [
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            markersize=6,
            markerfacecolor=coordination_colour(int(kind), bulk),
            markeredgecolor=INK,
            markeredgewidth=0.3,
            label=f"{kind}: {atoms:,} atoms" if atoms != 1 else f"{kind}: 1 atom",
        )
        for kind, atoms in zip(kinds, count, strict=True)
    ]
    axes.legend(
        handles=marks,
        title="neighbours",
        loc="center",
        frameon=False,
        alignment="left",
        ncols=2 if len(marks) > 7 else 1,
    )
