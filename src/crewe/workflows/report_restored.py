"""What a report says of a quantification of a restored image."""

import base64
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crewe import plots
from crewe.errors import ReadError
from crewe.workflows.report_tables import UNKNOWN, pairs_table, quantity

if TYPE_CHECKING:
    from crewe.workflows.quantify import Quantification


def restoration_png(result: "Quantification") -> bytes:
    """Draw the measured image, the restored one and its trust map, as PNG."""
    from crewe.plots.restoration import restoration_figure

    if result.restoration is None:
        raise ValueError("the image was not restored")
    figure = restoration_figure(
        result.restoration.measured,
        result.image,
        result.restoration.trust,
        title=f"restored by {result.restoration.facts['model']}",
    )
    return plots.png_bytes(figure, 220)


def stored_restoration_png(report: Path) -> bytes:
    """Take that picture from a stored report, as the measured image is not stored beside it.

    Raises ReadError where the report does not hold it.
    """
    text = report.read_text(encoding="utf-8") if report.is_file() else ""
    found = re.search(r"The restored image</h2>.*?data:image/png;base64,([^\"]+)", text, re.DOTALL)
    if found is None:
        raise ReadError(f"{report} is missing or damaged: make the result anew with crewe quantify")
    return base64.b64decode(found[1])


def measured_numbers(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the key numbers of the measured image beside those of the restored one."""
    facts = summary.get("restoration")
    if facts is None:
        return []
    position = quantity(facts["measured_position_std"], summary["units"]["x"], picometres=True)
    relative = _percent(facts["measured_scs_std_relative"])
    return [
        ("standard error of a position, measured image, median", position),
        ("standard error of a cross-section, measured image, median", relative),
        ("restored area that the data support", _percent(facts["trusted_share"])),
    ]


def restoration_section(result: "Quantification", figures: dict[str, bytes]) -> str:
    """Write the part of the report on what was restored; empty for a measured image."""
    facts = result.summary.get("restoration")
    if facts is None:
        return ""
    drawn = base64.b64encode(figures["restoration"]).decode()
    return (
        "<h2>The restored image</h2>"
        "<p>Columns were found and fitted on an image that a network restored. Its noise is what "
        "the network left, so the standard errors on it are no measure of how well the "
        "measurement knows a column; those of the measured image, fitted with the same columns, "
        "are. Where the two fits differ by more than the latter, the difference is the "
        "network’s: scan distortion taken out, or a bias of its own.</p>"
        f'<figure><img src="data:image/png;base64,{drawn}" alt="{_alt(facts)}">'
        "<figcaption>Measured image, restored image, and how far the first supports the second: "
        "blue where it does, white where it cannot tell, red where it contradicts."
        f"</figcaption></figure>{pairs_table(_pairs(facts), 'Restoration')}"
    )


def _alt(facts: dict[str, Any]) -> str:
    said = (
        f"The measured image, the image restored by {facts['model']}, and the trust map, in which "
        f"{_percent(facts['trusted_share'])} of the area is supported by the data."
    )
    return escape(said, quote=True)


def _pairs(facts: dict[str, Any]) -> dict[str, str]:
    return {
        "network": facts["model"],
        "SHA-256 of the network": facts["sha256"],
        "area that the data support": _percent(facts["trusted_share"]),
        "area that the data contradict": _percent(facts["doubted_share"]),
        "columns moved, in standard errors of the measured image": _plain(
            facts["position_shift_in_std"]
        ),
        "cross-sections changed, likewise": _plain(facts["scs_shift_in_std"]),
        "cross-section, restored over measured, median": _plain(facts["scs_ratio_median"]),
    }


def _percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{100 * share:.2g} %"


def _plain(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3g}"
