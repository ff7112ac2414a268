"""What a report says of lattices, strain, shifts, tilts and Burgers vectors."""

from html import escape
from typing import TYPE_CHECKING, Any

from crewe.workflows.report_settings import given
from crewe.workflows.report_tables import UNKNOWN, pairs_table, plain_table, rounded, with_error
from crewe.workflows.report_words import figure_html, sentences

if TYPE_CHECKING:
    from crewe.workflows.quantify import Quantification

PERCENT = ("eps_",)
WORDS = {
    "eps_xx": "ε along x",
    "eps_yy": "ε along y",
    "eps_xy": "ε shear in x and y",
    "omega_xy_deg": "rotation, clockwise as displayed",
    "eps_aa": "ε along a",
    "eps_bb": "ε across a",
    "eps_ab": "ε shear, lattice axes",
}


def lattice_pngs(result: "Quantification") -> dict[str, bytes]:
    """Draw displacements and, as far as measured, strain, shifts and tilts, as PNG."""
    from crewe.plots import png_bytes
    from crewe.plots.displacements import displacement_figure
    from crewe.plots.shifts import shifts_figure
    from crewe.plots.strain import strain_figure
    from crewe.plots.tilt import tilt_figure

    found, name = result.analyses, result.plan.image.name
    if found is None or found.indexed is None:
        return {}
    image: dict[str, Any] = {"image": result.image}
    figures = {
        "displacements": displacement_figure(
            found.indexed.columns, **image, title=f"{name}: away from the lattice"
        )
    }
    tables = found.tables
    if "strain" in tables:
        title = f"{name}: strain"
        figures["strain"] = strain_figure(
            found.indexed.columns, tables["strain"], **image, title=title
        )
    if "shifts" in tables:
        figures["shifts"] = shifts_figure(tables["shifts"], **image, title=f"{name}: shifts")
    if "tilts" in tables:
        figures["tilts"] = tilt_figure(tables["tilts"], **image, title=f"{name}: tilts")
    return {name: png_bytes(figure, 200) for name, figure in figures.items()}


def lattice_numbers(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the key numbers of the lattice with most columns."""
    facts = summary.get("lattice")
    if facts is None:
        return []
    edges = " × ".join(
        rounded(facts["lattices"][0][name], facts["lattices"][0][f"{name}_std"])[0]
        for name in ("a", "b")
    )
    return [
        ("edges of the lattice", f"{edges} Å"),
        ("columns in a lattice", f"{sum(one['columns'] for one in facts['lattices']):,}"),
    ]


def lattice_section(result: "Quantification", figures: dict[str, bytes]) -> str:
    """Write the part of the report on the lattice; empty where none was asked for."""
    facts, plan = result.summary.get("lattice"), result.plan
    if facts is None or plan.lattice is None:
        return ""
    parts = [
        "<h2>Lattice</h2>",
        _lattices_table(facts["lattices"]),
        figure_html(
            figures["displacements"],
            f"Arrows from the lattice to the columns of {escape(plan.image.name, quote=True)}.",
            "Displacement of each column from its place in the mean lattice, as arrows.",
        ),
    ]
    if "strain" in figures:
        parts.append(_strain_part(result, facts, figures))
    for name, heading, caption in (
        ("shifts", "Shifts of a site", "Shift of each site from the centre of those around it."),
        ("tilts", "Tilts", "Turn of the corners about each centre, clockwise positive."),
    ):
        if name in figures:
            parts += [
                f"<h3>{heading}</h3>",
                figure_html(figures[name], caption, caption),
                _medians_table(facts[name], "° for tilts, Å for shifts"),
            ]
    parts.append(_burgers_table(facts.get("burgers", [])))
    if plan.strain is not None:
        parts.append(pairs_table(given(plan.strain.model_dump(mode="json")), "Settings of strain"))
    return "".join(parts)


def _strain_part(result: "Quantification", facts: dict[str, Any], figures: dict[str, bytes]) -> str:
    cell = result.plan.strain is not None and result.plan.strain.reference == "cell"
    zero = (
        "the given unit cell: an error of the pixel size is part of the strain"
        if cell
        else "the mean lattice of the image"
    )
    caption = (
        f"Strain and rotation at each column; zero is {zero}. Scan distortion and drift look like "
        "strain, and are in no standard error."
    )
    return (
        "<h3>Strain</h3>"
        + sentences(facts.get("strain_warnings", []))
        + figure_html(figures["strain"], "Maps of strain and rotation.", caption)
        + _medians_table(facts["strain"], "strain in %, rotation in degrees")
    )


def _lattices_table(lattices: list[dict[str, Any]]) -> str:
    heads = [
        *(("lattice", ""), ("columns", ""), ("a", "Å"), ("b", "Å"), ("γ", "°")),
        *(("a from +x, clockwise", "°"), ("distance from the lattice, r.m.s.", "Å")),
    ]
    rows = [
        [
            str(one["name"]),
            f"{one['columns']:,}",
            _edge(one, "a"),
            _edge(one, "b"),
            _edge(one, "gamma_deg"),
            _edge(one, "rotation_deg"),
            f"{one['residual_rms']:.2g}",
        ]
        for one in lattices
    ]
    caption = (
        "Edges fitted to all columns of a lattice, with standard errors from how the columns "
        "scatter about it. They are no better than the pixel size."
    )
    return plain_table(heads, rows, caption, text=(0,))


def _edge(lattice: dict[str, Any], name: str) -> str:
    return with_error(lattice[name], lattice.get(f"{name}_std"))


def _medians_table(table: dict[str, Any], units: str) -> str:
    heads = [
        *(("what", ""), ("columns", ""), ("median", "")),
        *(("spread between columns", ""), ("standard error, median", "")),
    ]
    keys = ["median", "spread", "std"]
    if any("neighbour_scatter" in one for one in table.values()):
        heads.append(("scatter between neighbours", ""))
        keys.append("neighbour_scatter")
    rows = []
    for name, one in table.items():
        scale = 100.0 if name.startswith(PERCENT) else 1.0
        numbers = [UNKNOWN if one.get(key) is None else f"{scale * one[key]:.3g}" for key in keys]
        rows.append([WORDS.get(name, name.replace("_", " ")), f"{one['columns']:,}", *numbers])
    caption = f"Where the spread exceeds the standard error, the columns do differ ({units})."
    return plain_table(heads, rows, caption, text=(0,))


def _burgers_table(circuits: list[dict[str, Any]]) -> str:
    if not circuits:
        return ""
    heads = [
        *(("around x, y", "Å"), ("radius", "Å"), ("in a and b", "")),
        *(("x, y", "Å"), ("length", "Å")),
    ]
    rows = [
        [
            ", ".join(f"{value:g}" for value in one["around"]),
            f"{one['radius']:g}",
            ", ".join(f"{value:g}" for value in one["fractions"]),
            ", ".join(f"{value:.3f}" for value in one["vector"]),
            with_error(one["length"], one["length_std"]),
        ]
        for one in circuits
    ]
    caption = (
        "Burgers vectors, from finish to start of a right-handed circuit in the perfect lattice; "
        "what lies along the beam is not seen."
    )
    return f"<h3>Burgers vectors</h3>{plain_table(heads, rows, caption)}"
