"""Figures, key numbers and sections of a report on what the columns were asked."""

from typing import TYPE_CHECKING, Any

from crewe.workflows.report_counting import counting_numbers, counting_png, counting_section
from crewe.workflows.report_lattice import lattice_numbers, lattice_pngs, lattice_section
from crewe.workflows.report_volume import volume_numbers, volume_png, volume_section
from crewe.workflows.report_weak import weak_section

if TYPE_CHECKING:
    from crewe.workflows.quantify import Quantification


def analysis_figures(result: "Quantification") -> dict[str, bytes]:
    """Draw what was found, as PNG, by the name of the file."""
    found = result.analyses
    if found is None:
        return {}
    figures = lattice_pngs(result)
    if found.counts is not None:
        figures["counting"] = counting_png(result)
    if found.volume is not None:
        figures["volume"] = volume_png(result)
    return figures


def analysis_numbers(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the key numbers of all analyses."""
    return [*counting_numbers(summary), *lattice_numbers(summary), *volume_numbers(summary)]


def analysis_sections(result: "Quantification", figures: dict[str, bytes]) -> str:
    """Write the sections of all analyses; empty where there are none."""
    sections = (counting_section, lattice_section, volume_section)
    return weak_section(result) + "".join(section(result, figures) for section in sections)
