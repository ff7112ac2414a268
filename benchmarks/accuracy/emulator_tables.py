"""Results of the emulator benchmark as tables in Markdown."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.accuracy.emulator_plans import CHOSEN_ON_PLATINUM, SMOOTHED


def markdown(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rows = [headings, ["---"] * len(headings), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def figure(value: float | None, form: str = ".4f") -> str:
    return "–" if value is None else format(value, form)


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.3g} %"


def fine(value: float | None) -> str:
    return figure(value, ".5f")


def accuracy_table(rows: dict[str, Any], sorts: tuple[str, str], paper: str | None) -> str:
    """One row for each emulator; `paper` is the figure that the paper gives."""
    headings = ["emulator", "terms", "1 − R²", "each repeat", "fractional r.m.s."]
    headings += [*sorts, "fit s", "ms", "with shift"]
    lines = [
        [
            name,
            _terms(row),
            fine(row["one_minus_r2"]),
            ", ".join(map(fine, row["each_repeat"])),
            figure(row["fractional_rms"]),
            fine(row["crystalline"]),
            fine(row["amorphous"]),
            figure(row["fit_s"], ".1f"),
            figure(row["predict_ms"], ".1f"),
            figure(row["with_shift_ms"], ".1f"),
        ]
        for name, row in rows.items()
    ]
    if paper is not None:
        lines.insert(0, ["*paper, 5 × 5*", "378", paper, "–", "about 0.1", *["–"] * 5])
    return markdown(headings, lines)


def divisions_table(rows: dict[str, dict[str, float]]) -> str:
    """Many divisions."""
    keys = ("mean", "deviation", "least", "most")
    lines = [[name, *(fine(row[key]) for key in keys)] for name, row in rows.items()]
    return markdown(["emulator", *keys], lines)


def chosen_list(kinds: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"- {_count(one)} terms: {', '.join(one)}" for one in kinds)


def _terms(row: dict[str, Any]) -> str:
    """Number of terms, from the fewest to the most where folds chose their own."""
    counts = sorted({_count(one) for one in row.get("kinds", ())}) or [row["terms"]]
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"


def _count(kinds: Sequence[str]) -> int:
    return replace(SMOOTHED, kinds=tuple(kinds)).terms().count


def registration_table(found: dict[str, Any]) -> str:
    """Shift of each pair and their medians and spreads."""
    each, bright = np.array(found["each"]), np.array(found["crystalline"])
    lines = [
        [name, "crystal" if sort else "", *(f"{value:.3f}" for value in shift)]
        for name, sort, shift in zip(found["names"], bright, each, strict=True)
    ]
    for word, chosen in (("all", bright | True), ("crystals", bright), ("others", ~bright)):
        middle, spread = np.median(each[chosen], axis=0), each[chosen].std(axis=0, ddof=1)
        said = [f"{m:.3f} ± {s:.3f}" for m, s in zip(middle, spread, strict=True)]
        lines.append([f"**{word}**", "median ± spread", *said])
    return markdown(["pair", "", "y, px", "x, px"], lines)


def terms_table(table: Any) -> str:
    """A scan of plans."""
    lines = []
    for row in table.itertuples():
        grid = row.features == "neighbourhood"
        shown = f"{row.size} × {row.size}" if grid else f"{len(row.plan.kinds)} smoothed"
        if row.plan == CHOSEN_ON_PLATINUM:
            shown += ", chosen on Pt"
        lines.append(
            [
                shown,
                str(row.degree),
                "yes" if row.log else "no",
                "yes" if row.interactions and row.degree > 1 else "no",
                str(row.terms),
                f"{row.one_minus_r2:.4f}",
                f"{row.fractional_rms:.3f}",
                f"{row.spread:.4f}",
            ]
        )
    headings = ["features", "degree", "log", "products", "terms", "1 − R²", "fractional r.m.s."]
    return markdown([*headings, "spread"], lines)


def folds_table(rows: dict[str, Any]) -> str:
    lines = []
    for name, row in rows.items():
        terms, kind = name.split()
        lines.append(
            [terms, kind, figure(row["one_minus_r2"]), figure(row["fractional_rms"], ".3f")]
        )
    return markdown(["terms", "folds of", "1 − R²", "fractional r.m.s."], lines)


def training_table(tables: dict[str, list[dict[str, Any]]], crystals: list[str]) -> str:
    """Leave-out-X of several plans beside each other."""
    headings = ["images", "crystals among them"]
    for name in tables:
        headings += [f"{name} terms", "median", "spread"]
    lines = []
    for held, *rows in zip(crystals, *tables.values(), strict=True):
        line = [str(rows[0]["images"]), held]
        for row in rows:
            line += [figure(row[key]) for key in ("one_minus_r2", "median", "spread")]
        lines.append(line)
    return markdown(headings, lines)


def draws_table(tables: dict[str, list[dict[str, Any]]]) -> str:
    """Quantiles over many draws of several plans beside each other."""
    headings = ["images", "draws with 2 crystals"]
    for name in tables:
        headings += [f"{name}: median", "90 %", "with 2 crystals", "90 %"]
    lines = []
    for rows in zip(*tables.values(), strict=True):
        line = [str(rows[0]["images"]), str(rows[0]["draws"])]
        for row in rows:
            line += [figure(value) for value in (*row["all"], *row["several"])]
        lines.append(line)
    return markdown(headings, lines)


def by_value_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        [
            f"{row['low']:.3f}–{row['high']:.3f}",
            f"{row['pixels']:,}",
            f"{row['rms']:.5f}",
            f"{row['bias']:+.5f}",
            percent(row["share"]),
        ]
        for row in rows
    ]
    return markdown(["multislice value", "pixels", "r.m.s. error", "bias", "share"], lines)


def shown_table(shown: dict[str, dict[str, Any]]) -> str:
    lines = [
        [
            name.replace("_", " "),
            row["pair"],
            figure(row["fractional_rms"], ".3f"),
            figure(row["one_minus_r2"]),
            f"{row['mean_error']:+.5f}",
        ]
        for name, row in shown.items()
    ]
    headings = ["image", "pair", "fractional r.m.s.", "1 − R² in its own variance", "mean error"]
    return markdown(headings, lines)


def probe_table(rows: dict[str, dict[str, float]]) -> str:
    names = list(next(iter(rows.values())))
    lines = [[name, *(figure(row[one]) for one in names)] for name, row in rows.items()]
    return markdown(["convolution image", *(f"{name} terms" for name in names)], lines)


def widths_table(found: dict[str, dict[str, Any]]) -> str:
    """Fitted widths."""
    words = {"gaussian": "σ of a Gaussian probe", "optics": "vibration beside the optics' probe"}
    lines = [
        [
            words[name],
            f"{row['width']:.3f}",
            figure(row["width_error"], ".3f"),
            figure(row["one_minus_r2_before"]),
            figure(row["one_minus_r2"]),
            "; ".join(remark for remark in row["remarks"] if "one element" not in remark),
        ]
        for name, row in found.items()
    ]
    headings = ["width", "Å", "standard error", "1 − R² before", "after", "remarks"]
    return markdown(headings, lines)


def domain_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        [
            row["asked"],
            str(row["images"]),
            str(row["flagged"]),
            percent(row["share_outside"]),
            row["said"],
        ]
        for row in rows
    ]
    return markdown(["asked", "images", "flagged", "outside", "in its words, the first"], lines)


def disorder_table(rows: list[dict[str, Any]]) -> str:
    lines = [
        [
            percent(row["disorder"]),
            str(row["particles"]),
            figure(row["one_minus_r2"]),
            percent(row["share"]),
            figure(row["floor"]),
        ]
        for row in rows
    ]
    headings = ["amorphous", "particles", "1 − R²", "share of squared errors", "phonon noise"]
    return markdown(headings, lines)


def depth_table(rows: list[dict[str, Any]]) -> str:
    lines = [[row["told"], str(row["terms"]), figure(row["one_minus_r2"])] for row in rows]
    return markdown(["beside the features", "terms", "1 − R²"], lines)
