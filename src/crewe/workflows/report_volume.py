"""What a report says of the model in three dimensions."""

from html import escape
from typing import TYPE_CHECKING, Any

from crewe.workflows.report_settings import given
from crewe.workflows.report_tables import pairs_table
from crewe.workflows.report_words import figure_html

if TYPE_CHECKING:
    from crewe.workflows.quantify import Quantification


def volume_png(result: "Quantification") -> bytes:
    """Draw the model from three sides, as PNG."""
    from crewe import plots
    from crewe.plots.volume import volume_figure

    if result.analyses is None or result.analyses.volume is None:
        raise ValueError("there is no model in three dimensions")
    volume = result.analyses.volume
    left_out = int(volume.summary["left_out"]["without count"])
    figure = volume_figure(volume.atoms, title=_title(result), left_out=left_out)
    return plots.png_bytes(figure, 200)


def volume_numbers(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the key numbers of the model."""
    facts = summary.get("volume")
    if facts is None:
        return []
    return [
        ("atoms in the model", f"{facts['n_atoms']:,}"),
        ("of them at the surface", f"{100 * facts['surface_fraction']:.0f} %"),
    ]


def volume_section(result: "Quantification", figures: dict[str, bytes]) -> str:
    """Write the part of the report on the model; empty where there is none."""
    facts, options = result.summary.get("volume"), result.plan.volume
    if facts is None or options is None:
        return ""
    caption = (
        "The model along the beam and from two sides, atoms coloured by the number of their "
        "neighbours. Heights are no measurement: columns of known counts are stacked on the "
        "planes of the crystal about one plane, or upon it."
    )
    return (
        "<h2>Model in three dimensions</h2>"
        + figure_html(figures["volume"], escape(_title(result), quote=True), caption)
        + '<p>To turn it: <a href="volume.html">volume.html</a>, next to this report. For other '
        'programs: <a href="volume.xyz" download>volume.xyz</a> and '
        '<a href="volume.cif" download>volume.cif</a>.</p>'
        + '<div class="beside">'
        + pairs_table(_found(facts), "What was built")
        + pairs_table(given(options.model_dump(mode="json")), "Settings of the model")
        + "</div>"
    )


def _title(result: "Quantification") -> str:
    number = result.summary["volume"]["n_atoms"]
    return f"{result.plan.image.name}: {number:,} atoms in three dimensions"


def _found(facts: dict[str, Any]) -> dict[str, str]:
    size = " × ".join(f"{length:.1f}" for length in facts["size_angstrom"])
    elements = ", ".join(f"{name} {number:,}" for name, number in facts["elements"].items())
    neighbours = ", ".join(f"{n}: {number:,}" for n, number in facts["coordination"].items())
    left_out = ", ".join(f"{why}: {n:,}" for why, n in facts["left_out"].items() if n)
    return {
        "atoms": elements,
        "columns": f"{facts['n_columns']:,}",
        "columns left out": left_out or "none",
        "size x, y, z": f"{size} Å",
        "most atoms in a column": f"{facts['most_atoms']:,}",
        "atoms by number of neighbours": neighbours,
        "neighbours lie within": f"{facts['coordination_radius']:.3g} Å",
    }
