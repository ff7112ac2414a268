"""The page of the counting of real images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.accuracy.counting_real_rows import Row
from benchmarks.accuracy.counting_real_sets import StoredCounts

HEAD = """# Counting atoms in real images

<!-- Written by `python -m benchmarks.accuracy.counting_real`; do not edit by hand. -->

The example files of StatSTEM hold images, its fits of them, and of one also its counts. Nobody
knows how many atoms the columns truly have: agreement with StatSTEM is agreement, not accuracy.
How often counts are right is measured where the truth is known, on
[synthetic cross-sections](counting.md).

## What is stored

- `ExamplePtIr_old`: the image of a particle (fractions of the beam), 140 fitted columns, a library
  of 1 to 20 atoms, and {total} atoms counted with {selected} components. StatSTEM's own ICL is
  least at {least} component{plural}; its local minima are at {minima}. That {selected} were taken
  is its user's choice. The components are {width:.2f} steps wide; from a quarter of a step on, no
  criterion finds their number.
- `Example3`: an image of CsPbBr3 in detector units, 415 fitted columns of two kinds, and their
  strain. No library, no counts.
- `ExampleCsPbBr3`: the same image and nothing else; what is said of `Example3` holds for it.

## The particle
"""
NAMES = (
    *("fit", "counted by", "decided", "columns", "no count"),
    *("equal", "±1", "more", "atoms", "mean probability"),
)
COLUMNS = f"""
Equal, ±1, more: columns with a count of ours, against StatSTEM's of the same column. Atoms: the
expected sum over all columns and its standard deviation, which by curve and hybrid holds the
freedom of the curve, otherwise only that of the counts. Counts that the way itself does not trust
(*decided*: no) are compared all the same.

| {" | ".join(NAMES)} |
{"| --- " * len(NAMES)}|
"""


def page(first: Sequence[Row], second: Sequence[Row], stored: StoredCounts) -> str:
    """The page as Markdown."""
    parts = [HEAD.format(**_words(stored)), COLUMNS]
    parts += [_line(row) for row in first]
    parts += [SAYS, *(_verdict(row) for row in first if row.case.name == "StatSTEM's")]
    parts += [PICTURE.format(name="particle_hybrid", words="Counts with the library, scale free")]
    parts += [PICTURE.format(name="particle_mixture", words="Counts by a mixture")]
    parts += ["\n## CsPbBr3\n", PEROVSKITE_WORDS, COLUMNS]
    parts += [_line(row) for row in second]
    parts += [SAYS, *(_verdict(row) for row in second if row.case.name.startswith("StatSTEM's"))]
    parts += [PICTURE.format(name="perovskite_curve", words="What cannot be counted")]
    return "".join(parts)


SAYS = "\n### What each says of StatSTEM's fit\n\n"
PICTURE = "\n![{words}](../images/counting_real/{name}.png)\n"
PEROVSKITE_WORDS = """
The kinds are counted one by one, without a library: the detector was not calibrated, and a
cross-section in its units compares with no simulation.
"""


def _words(stored: StoredCounts) -> dict[str, object]:
    icl = stored.icl
    inner = np.flatnonzero((icl[1:-1] < icl[:-2]) & (icl[1:-1] < icl[2:])) + 2
    least = int(np.argmin(icl)) + 1
    return {
        "total": stored.total,
        "selected": stored.selected,
        "least": least,
        "plural": "" if least == 1 else "s",
        "minima": ", ".join(str(number) for number in inner),
        "width": stored.width / float(np.median(np.diff(stored.locations))),
    }


def _line(row: Row) -> str:
    start = f"| {row.case.name} | {row.way} | "
    if row.counts is None:
        return start + "refused | | | | | | | |\n"
    said, agreed = row.counts.summary, row.agreement()
    none = said["n_undecided"] + said["n_left_out"]
    cells = [
        "yes" if said["decided"] else "**no**",
        f"{len(row.case.columns)}",
        f"{none}",
        *(("–", "–", "–") if agreed is None else map(str, agreed)),
        f"{said['atoms_total']:.0f} ± {said['atoms_total_std']:.0f}",
        f"{said['mean_probability']:.2f}",
    ]
    return start + " | ".join(cells) + " |\n"


def _verdict(row: Row) -> str:
    if row.counts is None:
        return f"- {row.case.name}, {row.way}: refused: {row.refusal}\n"
    said = row.counts.summary
    more = [one for one in said["warnings"] if one not in said["verdict"]]
    least = ""
    if "criteria" in said:
        least = f" ICL is least at {1 + int(np.argmin(said['criteria']['icl']))}."
    words = " ".join([said["verdict"].rstrip(".") + ".", *(f"{one.rstrip('.')}." for one in more)])
    return f"- {row.case.name}, {row.way}: {words}{least}\n"
