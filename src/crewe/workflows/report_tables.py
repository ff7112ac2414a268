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
    "outside": "outside the region that was asked for",
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


def with_error(value: float | None, spread: float | None) -> str:
    """Write a value and its standard error as one, to the error's second digit."""
    if value is None:
        return UNKNOWN
    number, error = rounded(value, math.nan if spread is None else spread)
    return number if error == "–" else f"{number} ± {error}"


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
    return plain_table(heads, rows, caption)


def flags_table(summary: Mapping[str, Any]) -> str:
    """Tabulate how many columns carry each flag, and what it means."""
    flags = summary["columns"]["flags"]
    if not flags:
        return "<p>No column is flagged.</p>"
    rows = [[word, f"{count:,}", FLAG_MEANINGS.get(word, "")] for word, count in flags.items()]
    caption = "A flagged column stays in the table; look at it before you rely on it."
    return plain_table([("flag", ""), ("columns", ""), ("meaning", "")], rows, caption, text=(0, 2))


def pairs_table(pairs: Mapping[str, str], caption: str) -> str:
    """Tabulate names and values."""
    rows = [[name.replace("_", " "), value] for name, value in pairs.items()]
    return plain_table([("what", ""), ("value", "")], rows, caption, text=(0, 1), kind="pairs")


def columns_table(columns: "pd.DataFrame", units: Mapping[str, str]) -> str:
    """Tabulate columns, each number rounded to the second digit of its standard error."""
    heads = [("column", "")]
    for name in PAIRED:
        heads += [(name, units[name]), (f"{name}_std", units[name])]
    heads += [("type", ""), ("flag", "")]
    if "count" in columns:
        heads[-1:-1] = [("atoms", ""), ("probability", ""), ("from – to", "")]
    rows = []
    records = zip(columns.index, columns.to_dict("records"), _count_cells(columns), strict=True)
    for number, row, counts in records:
        cells = [str(number)]
        for name in PAIRED:
            cells += rounded(row[name], row[f"{name}_std"])
        rows.append([*cells, str(row["type"]), *counts, row["flag"].replace(",", ", ")])
    caption = "Positions from the centre of the top left pixel, x to the right, y down."
    return plain_table(heads, rows, caption, text=(len(heads) - 1,), kind="sortable")


def _count_cells(columns: "pd.DataFrame") -> list[list[str]]:
    """Write counts, probabilities and intervals; a column without a count has a question mark."""
    if "count" not in columns:
        return [[] for _ in columns.index]
    names = ("count", "count_probability", "count_low", "count_high")
    numbers = [columns[name].to_numpy(float, na_value=math.nan) for name in names]
    cells = []
    for count, probability, low, high in zip(*numbers, strict=True):
        if not math.isfinite(probability):
            cells.append(["–", "–", "–"])
            continue
        atoms = f"{count:.0f}" if math.isfinite(count) else "?"
        cells.append([atoms, f"{probability:.2f}", f"{low:.0f} – {high:.0f}"])
    return cells


def plain_table(
    heads: list[tuple[str, str]],
    rows: list[list[str]],
    caption: str,
    text: tuple[int, ...] = (),
    kind: str = "",
) -> str:
    """Write a table; heads are names with units, columns in `text` are aligned to the left."""
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


def _three_digits(value: float) -> str:
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa} × 10<sup>{int(exponent)}</sup>"
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{max(0, digits)}f}"


def _cell(text: str) -> str:
    return escape(text).replace("&lt;sup&gt;", "<sup>").replace("&lt;/sup&gt;", "</sup>")


def _small(unit: str) -> str:
    return f" <small>({escape(unit)})</small>" if unit else ""
