"""The report on an emulator as one HTML text that opens alone."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

STYLE = """
  :root { color-scheme: light; }
  body { margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 62rem; background: #fff;
         color: #222; font: 16px/1.5 system-ui, "Segoe UI", Roboto, Arial, sans-serif; }
  h1 { font-size: 1.7rem; margin: 0 0 .3rem; overflow-wrap: anywhere; }
  h2 { font-size: 1.15rem; margin: 2.4rem 0 .6rem; border-bottom: 1px solid #ccc; }
  figure { margin: 1.2rem 0; }
  figure img { max-width: 100%; height: auto; }
  figcaption, caption { color: #444; font-size: .9rem; text-align: left; padding-bottom: .4rem; }
  table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
  th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #e2e2e2; }
  div { overflow-x: auto; }
  th { background: #f4f4f4; }
  td:first-child, th:first-child { text-align: left; }
"""
CAPTIONS = {
    "parity": "Emulated against multislice values of all held-out pixels; on the line they agree.",
    "worst": "The held-out image with the largest error.",
    "best": "The held-out image with the smallest error.",
    "error": "Error of held-out pixels by emulated value: the standard errors' larger part.",
    "selection": "Error of the polynomials that were tried, by number of terms.",
    "leave_out": "Error by number of training images.",
}
TABLES = {
    "images": "Each image, predicted by fits that had not seen it",
    "selection": "Polynomials that were tried",
    "leave_out": "Fewer training images",
    "probe": "Convolution images that were tried",
}


def report_html(
    title: str,
    facts: Mapping[str, str],
    figures: Mapping[str, bytes],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
) -> str:
    """Write the report: key figures, pictures (PNG), tables; no resource lies outside of it."""
    drawn = "".join(_figure(name, png) for name, png in figures.items())
    listed = "".join(
        f"<h2>{escape(TABLES.get(name, name))}</h2>{table_html(rows)}"
        for name, rows in tables.items()
        if rows
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)} – crewe emulator</title><style>{STYLE}</style></head><body><main>"
        f"<h1>{escape(title)}</h1>{_facts(facts)}{drawn}{listed}</main></body></html>\n"
    )


def table_html(rows: Sequence[Mapping[str, Any]]) -> str:
    """Tabulate rows that share their columns; numbers to four digits."""
    heads = "".join(f'<th scope="col">{escape(_words(name))}</th>' for name in rows[0])
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_cell(value))}</td>' for value in row.values())}</tr>"
        for row in rows
    )
    return f"<div><table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"


def _facts(facts: Mapping[str, str]) -> str:
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in facts.items()
    )
    return f"<table><tbody>{rows}</tbody></table>"


def _figure(name: str, png: bytes) -> str:
    said = escape(CAPTIONS.get(name, _words(name)), quote=True)
    drawn = base64.b64encode(png).decode()
    return (
        f'<figure><img src="data:image/png;base64,{drawn}" alt="{said}">'
        f"<figcaption>{said}</figcaption></figure>"
    )


def _words(name: str) -> str:
    return {"one_minus_r2": "1 − R²", "fractional_rms": "fractional r.m.s. error"}.get(
        name, name.replace("_", " ")
    )


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
