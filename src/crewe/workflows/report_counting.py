"""What a report says of the atoms counted in each column."""

from html import escape
from typing import TYPE_CHECKING, Any

from crewe.workflows.report_settings import given
from crewe.workflows.report_tables import UNKNOWN, pairs_table, plain_table, with_error
from crewe.workflows.report_words import figure_html, sentences, verdict_html

if TYPE_CHECKING:
    from crewe.workflows.plan_analyses import CountOptions
    from crewe.workflows.quantify import Quantification

WAYS = {
    "curve": "a mixture whose means lie on a smooth thickness curve",
    "hybrid": "a mixture on the curve of a library, its scale free",
    "mixture": "a Gaussian mixture with one free mean for each thickness",
    "library": "comparison with a library as it is",
}
NUMBERS = {
    "scs_per_atom": "cross-section of one more atom",
    "library_scale": "scale of the library",
    "offset_steps": "offset of the curve, in steps",
    "curvature": "curvature of the curve",
    "width_steps": "noise, in steps from one count to the next",
}


def counting_png(result: "Quantification") -> bytes:
    """Draw counts, cross-sections and thickness curve, as PNG."""
    from crewe import plots
    from crewe.plots.counting import counting_figure
    from crewe.workflows.analyse_counts import library_array

    found, options = result.analyses, result.plan.count
    if found is None or found.counts is None or options is None:
        raise ValueError("the atoms were not counted")
    figure = counting_figure(
        found.columns,
        found.counts,
        unit=result.summary["units"]["scs"],
        image=result.image,
        library=None if options.library is None else library_array(options.library),
        least_probability=options.least_probability,
        title=f"{result.plan.image.name}: atoms in each column",
    )
    return plots.png_bytes(figure, 200)


def counting_numbers(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the key numbers of a count; of one that is not decided, that it is not."""
    facts = summary.get("counting")
    if facts is None:
        return []
    if not facts["decided"]:
        return [("atom counts", "cannot be decided")]
    total = with_error(facts["atoms_total"], facts["atoms_total_std"])
    return [
        ("columns with a count", f"{facts['n_counted']:,}"),
        ("atoms expected in all that were asked", total),
        ("probability of a count, mean", f"{facts['mean_probability']:.2f}"),
    ]


def counting_section(result: "Quantification", figures: dict[str, bytes]) -> str:
    """Write the part of the report on counts; empty where the atoms were not counted."""
    facts, options = result.summary.get("counting"), result.plan.count
    if facts is None or options is None:
        return ""
    least = f"{100 * options.least_probability:.0f} %"
    caption = (
        "Columns with the number of their atoms; hatched ones have none, since no number is more "
        f"probable than {least}. Beside them the cross-sections with the fitted mixture, "
        "cross-section against thickness, and how sure the counts are."
    )
    advice = [text for text in facts.get("advice", []) if text not in facts["warnings"]]
    return (
        "<h2>Atoms in each column</h2>"
        + verdict_html(facts["verdict"], facts["decided"])
        + sentences(advice)
        + figure_html(figures["counting"], escape(facts["verdict"], quote=True), caption)
        + '<div class="beside">'
        + pairs_table(_found(facts), "What was found")
        + pairs_table(_settings(options), "Settings of the count")
        + "</div>"
        + _counts_table(facts)
    )


def _settings(options: "CountOptions") -> dict[str, str]:
    """List what bears on the chosen way of counting."""
    listed = {**options.model_dump(mode="json"), "by": WAYS[options.way], "library": None}
    if options.library is not None:
        number = len(options.library.scs)
        listed["library"] = f"{options.library.name}, {number} values in {options.library.unit}"
    elsewhere = set() if options.way == "mixture" else {"components", "criterion", "offset"}
    if options.way != "library":
        elsewhere.add("rule")
    return given({name: value for name, value in listed.items() if name not in elsewhere})


def _found(facts: dict[str, Any]) -> dict[str, str]:
    pairs = {
        "columns with a count": f"{facts['n_counted']:,}",
        "columns without a decision": f"{facts['n_undecided']:,}",
        "columns left out": f"{facts['n_left_out']:,}",
        "atoms expected in the columns that were asked": with_error(
            facts["atoms_total"], facts["atoms_total_std"]
        ),
        "mean probability of the likeliest count": _two_digits(facts["mean_probability"]),
    }
    unit = facts.get("unit", "")
    for name, words in NUMBERS.items():
        if facts.get(name) is not None:
            text = with_error(facts[name], facts.get(f"{name}_std"))
            pairs[words] = f"{text} {unit}".rstrip() if name == "scs_per_atom" else text
    if facts.get("prior"):
        pairs["known beforehand"] = str(facts["prior"])
    return pairs


def _two_digits(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"


def _counts_table(facts: dict[str, Any]) -> str:
    columns = facts["columns_of_count"]
    if not columns:
        return ""
    rows = [[atoms, f"{number:,}"] for atoms, number in columns.items()]
    table = plain_table([("atoms", ""), ("columns", "")], rows, "Columns by number of atoms.")
    return f"<details><summary>Columns of each count</summary>{table}</details>"
