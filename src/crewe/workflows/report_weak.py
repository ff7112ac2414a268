"""What a report says of weak columns that were added by the evidence for them."""

from html import escape
from typing import TYPE_CHECKING

from crewe.workflows.report_tables import plain_table, with_error
from crewe.workflows.weak_columns import PRESENCE

if TYPE_CHECKING:
    from crewe.workflows.quantify import Quantification

LISTED = 500


def weak_section(result: "Quantification") -> str:
    """Write the part of the report on weak columns; empty where none were looked for."""
    facts = result.summary.get("weak_columns")
    if facts is None:
        return ""
    unit, columns = result.summary["units"], result.fit.columns
    added = columns[columns[PRESENCE].notna()].sort_values(PRESENCE, ascending=False)
    rows = [
        [
            str(number),
            f"{row['x']:.2f}",
            f"{row['y']:.2f}",
            with_error(row["scs"], row["scs_std"]),
            f"{row[PRESENCE]:.3f}",
        ]
        for number, row in added.head(LISTED).iterrows()
    ]
    heads = [
        *(("column", ""), ("x", unit["x"]), ("y", unit["y"])),
        *(("SCS", unit["scs"]), ("probability that it is there", "")),
    ]
    caption = (
        "Columns that the evidence adds to those found in the image. A probability holds with all "
        "other columns in place."
    )
    table = plain_table(heads, rows, caption) if rows else ""
    return f"<h2>Weak columns</h2><p><strong>{escape(facts['verdict'])}</strong></p>{table}"
