"""Pieces of HTML that sections of a report share: verdicts, sentences, figures."""

import base64
from collections.abc import Sequence
from html import escape


def verdict_html(text: str, decided: bool) -> str:
    """Write a verdict; one that nothing is decided is as loud as a warning."""
    if decided:
        return f"<p><strong>{escape(text)}</strong></p>"
    return (
        '<div class="warnings undecided" role="note"><strong>Not decided</strong>'
        f"<p>{escape(text)}</p></div>"
    )


def sentences(texts: Sequence[str]) -> str:
    """List sentences; empty for none."""
    if not texts:
        return ""
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def figure_html(drawn: bytes, alt: str, caption: str) -> str:
    """Embed a PNG; `alt` is escaped already."""
    source = base64.b64encode(drawn).decode()
    return (
        f'<figure><img src="data:image/png;base64,{source}" alt="{alt}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
