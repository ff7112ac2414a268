"""Find samples by what they show: `element=Pt fov<50`.

A query is terms with spaces between them, all of which must hold: a key, one of
= != < <= > >= ~ and a value; ~ means that a text contains the value. Text is compared without
regard to case. Quotes hold a value together that has spaces. Keys are the columns of the
manifest or short names for them:

- `element`: element=Pt where platinum is among the elements, element=Fe,Pt where both are,
  element!=Pt where it is not;
- `material`, `morphology`: their names;
- `zone`: zone axis, as in zone=110 or zone=[110];
- `fov`: field of view in Å;
- `dose`: dose in e/Å²;
- `pixel`: pixel size in Å.

A set has the keys that its recipe notes; some of the short names stand for nothing in it.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from crewe.errors import PlanError

if TYPE_CHECKING:
    import pandas as pd

SHORT_NAMES = {
    "element": "elements",
    "material": "material",
    "zone": "zone_axis",
    "morphology": "morphology",
    "fov": "field_of_view_angstrom",
    "dose": "dose_e_per_angstrom2",
    "pixel": "pixel_size_angstrom",
}
COMMON = ("mineral",)
"""Keys under their own name that many sets have."""
ELEMENTS, ZONE = "elements", "zone_axis"
ORDERS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TERM = re.compile(
    r"""\s*(?P<key>\w+)\s*(?P<order>!=|<=|>=|==?|<|>|~)\s*"""
    r"""(?P<value>"[^"]*"|'[^']*'|[^\s"'=<>!~][^\s]*)(?=\s|$)\s*"""
)
TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True)
class Term:
    """One condition of a query."""

    key: str
    order: str
    value: str


def find_samples(manifest: pd.DataFrame, query: str) -> pd.DataFrame:
    """Return the rows of the manifest that a query asks for, all of them for an empty one.

    Raises PlanError for a query that cannot be read, a key that the set lacks and a value of
    the wrong type.
    """
    chosen = manifest
    for term in parse_query(query):
        column = _column(term, manifest)
        chosen = chosen[_matches(chosen[column], term, column)]
    return chosen


def main_columns(manifest: pd.DataFrame, query: str) -> list[str]:
    """Return the columns worth a look: number, the short names, and what the query is about."""
    asked = {_column(term, manifest) for term in parse_query(query)}
    wanted = {"index", *SHORT_NAMES.values()} | asked
    return [str(name) for name in manifest.columns if name in wanted]


def parse_query(query: str) -> list[Term]:
    """Return the terms of a query. Raises PlanError that shows where it cannot be read."""
    terms, place = [], 0
    text = query.strip()
    while place < len(text):
        found = TERM.match(text, place)
        if found is None:
            raise PlanError(
                f"query {query!r} cannot be read from {text[place:]!r} on: "
                "write terms such as element=Pt fov<50 zone=[110]"
            )
        order = found["order"].replace("==", "=")
        terms.append(Term(found["key"], order, found["value"].strip("\"'")))
        place = found.end()
    return terms


def _column(term: Term, manifest: pd.DataFrame) -> str:
    columns = [str(name) for name in manifest.columns]
    known = {name.lower(): name for name in columns}
    known |= {short: name for short, name in SHORT_NAMES.items() if name in columns}
    key = term.key.lower()
    if key in known:
        return known[key]
    if key in (*SHORT_NAMES, *COMMON):
        raise PlanError(f"this set has no {key}; its keys are {', '.join(sorted(known))}")
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    meant = f"did you mean {near[0]!r}? " if near else ""
    raise PlanError(f"samples have no {term.key!r}; {meant}Known: {', '.join(sorted(known))}")


def _matches(column: pd.Series[Any], term: Term, name: str) -> Any:
    if column.dtype == bool:
        return _same_truth(column, term)
    if column.dtype.kind in "iuf":
        return _compared_number(column, term)
    if name == ELEMENTS and term.order in ("=", "!="):
        return _has_elements(column, term)
    if name == ZONE:
        column = column.astype(str).str.strip("[]")
        term = replace(term, value=term.value.strip("[]"))
    return _compared_text(column, term)


def _same_truth(column: pd.Series[Any], term: Term) -> Any:
    truth = TRUTHS.get(term.value.lower())
    if truth is None or term.order not in ("=", "!="):
        raise PlanError(f"{term.key} is true or false: write {term.key}=true")
    return ORDERS[term.order](column, truth)


def _compared_number(column: pd.Series[Any], term: Term) -> Any:
    try:
        value = float(term.value)
    except ValueError as error:
        raise PlanError(
            f"{term.key} is a number, {term.value!r} is not: write {term.key}<50 (lengths in Å, "
            "dose in e/Å², without the unit)"
        ) from error
    if term.order not in ORDERS:
        raise PlanError(f"{term.key} is a number: compare it by = != < <= > or >=, not ~")
    return ORDERS[term.order](column, value)


def _has_elements(column: pd.Series[Any], term: Term) -> Any:
    wanted = {name.strip().lower() for name in term.value.split(",")}
    has = column.map(
        lambda listed: wanted <= {name.strip().lower() for name in str(listed).split(",")}
    ).astype(bool)
    return has if term.order == "=" else ~has


def _compared_text(column: pd.Series[Any], term: Term) -> Any:
    text = column.astype(str).str.lower()
    value = term.value.lower()
    if term.order == "~":
        return text.str.contains(value, regex=False)
    if term.order in ("=", "!="):
        return ORDERS[term.order](text, value)
    raise PlanError(f"{term.key} is text: compare it by = != or ~, not {term.order}")
