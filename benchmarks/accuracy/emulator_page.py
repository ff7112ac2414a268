"""The sections of the emulator benchmark's page, each measured where it is not yet."""

from pathlib import Path
from typing import Any

from benchmarks.accuracy import emulator_depth as depth
from benchmarks.accuracy import emulator_divisions as divisions
from benchmarks.accuracy import emulator_domain as domain
from benchmarks.accuracy import emulator_own as own_parts
from benchmarks.accuracy import emulator_paper as paper_parts
from benchmarks.accuracy import emulator_pictures as pictures
from benchmarks.accuracy import emulator_tables as tables
from benchmarks.accuracy import emulator_words as words
from benchmarks.accuracy.emulator_plans import NESTED, plans_of_fig_4
from benchmarks.accuracy.emulator_scores import CALLS, accuracy
from benchmarks.accuracy.emulator_store import Measured

PAPER_FIGURE = "0.012"


def table(paper: Measured) -> list[str]:
    """A: the paper's pairs."""
    rows = accuracy(paper, paper_parts.is_bright)
    first = next(iter(rows.values()))
    return [
        "## The paper's Pt–Mo pairs",
        words.TABLE.format(crystals=first["crystals"]),
        tables.accuracy_table(rows, ("crystals", "others"), PAPER_FIGURE),
        words.TIMES.format(images=first["fit_images"], calls=CALLS),
        *_divisions(paper),
        words.CHOSEN,
        tables.chosen_list(rows[NESTED]["kinds"]),
    ]


def registration(paper: Measured) -> list[str]:
    """F: shifts."""
    found = paper_parts.registration(paper)
    return ["## Registration", words.REGISTRATION, tables.registration_table(found)]


def terms(paper: Measured, folder: Path | None, most: int, largest: bool) -> list[str]:
    """B: Fig. 4."""
    scanned = paper_parts.number_of_terms(paper, most)
    pictures.number_of_terms(scanned, folder)
    text = ["## Number of terms", words.TERMS, _picture("terms", "1 − R² against terms")]
    text.append(tables.terms_table(scanned))
    left_out = [plan.terms().count for plan in plans_of_fig_4() if plan.terms().count > most]
    if left_out:
        text.append(words.LEFT_OUT.format(terms=" and ".join(map(str, left_out))))
    found = paper_parts.largest(paper, largest)
    if found is not None:
        said = ", ".join(f"{name} terms {value:.4f}" for name, value in found.items())
        text += [words.LARGEST.rstrip() + f" {said}."]
    return text


def folds(paper: Measured) -> list[str]:
    """C: kinds of folds."""
    rows = paper_parts.kinds_of_folds(paper)
    return ["## Folds of images, blocks, pixels", words.FOLDS, tables.folds_table(rows)]


def training(paper: Measured, folder: Path | None) -> list[str]:
    """D: leave-out-X."""
    import pandas as pd

    rows = paper_parts.training_images(paper)
    for name, one in rows.items():
        pictures.training_images(pd.DataFrame(one), name, folder)
    shown = [_picture(f"training_{name}", f"1 − R² against images, {name} terms") for name in rows]
    return [
        "## Number of training images",
        words.TRAINING,
        tables.training_table(rows, paper_parts.crystals_drawn(paper)),
        *shown,
        words.DRAWS.format(draws=divisions.DIVISIONS),
        tables.draws_table(paper_parts.many_draws(paper)),
    ]


def images(paper: Measured, folder: Path | None) -> list[str]:
    """E: parity, errors, images."""
    found = pictures.images(paper, folder)
    within = {
        f"within_{name}": " and ".join(tables.percent(one) for one in found[name]["coverage"])
        for name in ("378", "364")
    }
    return [
        "## Parity, errors, images",
        words.PICTURES.format(crystals=sum(map(paper_parts.is_bright, paper.pairs))),
        tables.shown_table(found["shown"]),
        *(_picture(name, name.replace("_", " ")) for name in found["shown"]),
        _picture("parity_378", "Parity with 378 terms"),
        _picture("parity_364", "Parity with 364 smoothed terms"),
        words.INTENSITY,
        tables.by_value_table(found["364"]["by_value"]),
        words.COVERAGE.format(**within),
        _picture("error_364", "Error against emulated value"),
    ]


def own(measured: Measured, paper: Measured) -> list[str]:
    """G: our own pairs."""
    facts = own_parts.facts(measured)
    rows = accuracy(measured, own_parts.ordered(measured))
    found = own_parts.probes(measured)
    first = next(iter(rows.values()))
    return [
        "## Our own platinum pairs",
        words.OWN.format(
            pairs=facts["pairs"],
            configurations=_configurations(facts["configurations"]),
            floor=tables.figure(first["phonon_floor"]),
            shift=max(abs(value) for each in rows["5 × 5"]["shifts_px"] for value in each),
        ),
        tables.accuracy_table(rows, ("ordered", "others"), None),
        *_divisions(measured),
        words.CHOSEN,
        tables.chosen_list(rows[NESTED]["kinds"]),
        "### Exponent and probe",
        words.PROBE.format(divisions=divisions.DIVISIONS),
        tables.widths_table(found),
        tables.probe_table(own_parts.probe_table(measured, found)),
        words.EXPONENT,
        "### What it was not taught",
        words.DOMAIN,
        tables.domain_table(domain.domain_table(measured, paper)),
    ]


def floor(measured: Measured) -> list[str]:
    """H: what cannot be known."""
    kinds = own_parts.noise_by_disorder(measured)
    return [
        "## Where the floor is",
        words.FLOOR,
        tables.disorder_table(kinds),
        words.DEPTH.format(divisions=divisions.DIVISIONS),
        tables.depth_table(depth.depth_table(measured)),
    ]


def _divisions(measured: Measured) -> list[str]:
    text = words.DIVISIONS.format(divisions=divisions.DIVISIONS)
    return [text, tables.divisions_table(divisions.divisions_table(measured))]


def _configurations(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _picture(name: str, said: str) -> str:
    return f"![{said}](../images/emulator/{name}.png)"


def joined(parts: list[Any]) -> str:
    """Paragraphs as text."""
    return "\n\n".join(part.strip() for part in parts)
