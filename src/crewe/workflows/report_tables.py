"""HTML tables of a report: types, flags, settings and columns, every number with its unit."""

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

FLAG_MEANINGS = {
    "edge": "part of the peak lies outside the image",
    "overlap": "so close to a neighbour that the two share their intensity",
    "unconverged": "the fit had not settled when it stopped",
    "poor_fit": "the residual around it stands out from that around the other columns",
    "weak": "its height is not clearly above the noise",
}
UNKNOWN = "not known"
PAIRED = ("x", "y", "height", "width", "scs")


def quantity(value: float | None, unit: str, picometres: bool = False) -> str:
    """Write a value to three digits with its unit; small lengths in pm on request."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if picometres and unit == "Å":
        value, unit = 100 * value, "pm"
    return f"{_three_digits(value)} {unit}".rstrip()


def rounded(value: float, spread: float) -> tuple[str, str]:
    """Write a value and its standard error to the error's second digit."""
    if not math.isfinite(value):
        return "–", "–"
    if not (math.isfinite(spread) and spread > 0):
        return f"{value:.6g}", "–"
    decimals = min(9, max(0, 1 - math.floor(math.log10(spread))))
    return f"{value:.{decimals}f}", f"{spread:.{decimals}f}"


def types_table(summary: Mapping[str, Any]) -> str:
    """Tabulate the column types: how many, how bright, how wide, how well known."""
    unit = summary["units"]
    heads = [
        ("type", ""),
        ("columns", ""),
        ("flagged", ""),
        ("median SCS", unit["scs"]),
        ("spread of SCS", unit["scs"]),
        ("standard error of SCS", unit["scs"]),
        ("width σ or ρ", unit["width"]),
        ("standard error of position", unit["x"]),
    ]
    keys = ("scs_median", "scs_spread", "scs_std", "width_median", "position_std")
    rows = [
        [str(kind["type"]), f"{kind['columns']:,}", f"{kind['flagged']:,}"]
        + ["–" if kind[key] is None else _three_digits(kind[key]) for key in keys]
        for kind in summary["types"]
    ]
    caption = (
        "Medians over the columns without a flag. The spread is the standard deviation between "
        "columns; where it exceeds the standard error, the columns do differ."
    )
    return _table(heads, rows, caption)


def flags_table(summary: Mapping[str, Any]) -> str:
    """Tabulate how many columns carry each flag, and what it means."""
    flags = summary["columns"]["flags"]
    if not flags:
        return "<p>No column is flagged.</p>"
    rows = [[word, f"{count:,}", FLAG_MEANINGS.get(word, "")] for word, count in flags.items()]
    caption = "A flagged column stays in the table; look at it before you rely on it."
    return _table([("flag", ""), ("columns", ""), ("meaning", "")], rows, caption, text=(0, 2))


def pairs_table(pairs: Mapping[str, str], caption: str) -> str:
    """Tabulate names and values."""
    rows = [[name.replace("_", " "), value] for name, value in pairs.items()]
    return _table([("what", ""), ("value", "")], rows, caption, text=(0, 1), kind="pairs")


def columns_table(columns: "pd.DataFrame", units: Mapping[str, str]) -> str:
    """Tabulate columns, each number rounded to the second digit of its standard error."""
    heads = [("column", "")]
    for name in PAIRED:
        heads += [(name, units[name]), (f"{name}_std", units[name])]
    heads += [("type", ""), ("flag", "")]
    rows = []
    for number, row in zip(columns.index, columns.to_dict("records"), strict=True):
        cells = [str(number)]
        for name in PAIRED:
            cells += rounded(row[name], row[f"{name}_std"])
        rows.append([*cells, str(row["type"]), row["flag"].replace(",", ", ")])
    caption = "Positions from the centre of the top left pixel, x to the right, y down."
    return _table(heads, rows, caption, text=(len(heads) - 1,), kind="sortable")


def _three_digits(value: float) -> str:
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa} × 10<sup>{int(exponent)}</sup>"
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{max(0, digits)}f}"


def _table(
    heads: list[tuple[str, str]],
    rows: list[list[str]],
    caption: str,
    text: tuple[int, ...] = (),
    kind: str = "",
) -> str:
    style = [' class="text"' if at in text else "" for at in range(len(heads))]
    head = "".join(
        f'<th scope="col"{style[at]}>{name}{_small(unit)}</th>'
        for at, (name, unit) in enumerate(heads)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{style[at]}>{_cell(cell)}</td>" for at, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return (
        f'<table class="{kind}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cell(text: str) -> str:
    return escape(text).replace("&lt;sup&gt;", "<sup>").replace("&lt;/sup&gt;", "</sup>")


def _small(unit: str) -> str:
    return f" <small>({escape(unit)})</small>" if unit else ""
