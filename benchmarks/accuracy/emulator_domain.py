"""Whether an emulator of our own pairs says so when it is asked for what it has not learned."""

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.accuracy.emulator_own import convolution_of
from benchmarks.accuracy.emulator_plans import SMOOTHED
from benchmarks.accuracy.emulator_scores import FOLDS, SEED
from benchmarks.accuracy.emulator_store import Measured
from crewe.simulation.emulator.domain import DomainReport
from crewe.simulation.emulator.model import Emulator
from crewe.simulation.emulator.splits import Chosen, image_splits
from crewe.simulation.emulator.suitability import brightness_reasons, suitability, training_facts
from crewe.simulation.emulator.validation import cross_validate, final_emulator
from crewe.specimens.cloud import AtomCloud
from crewe.specimens.nanoparticles import nanoparticle
from crewe.workflows.pair_set import particle
from crewe.workflows.pair_set_plan import PairSetPlan, pair_set_plan

# What the paper's convolution images must be divided by to be fractions of the beam.
PAPER_SCALE = 0.05148
OTHER_SIGMAS_ANGSTROM = (0.34, 0.42, 0.5, 0.6)
NEW_PARTICLES = 8
PLATINUM, GOLD, MOLYBDENUM = 78, 79, 42


def domain_table(own: Measured, paper: Measured) -> list[dict[str, Any]]:
    """Rows of what was asked for, how often, how often it was flagged, and with which words."""
    rows = own.value("domain", lambda: _rows(own))
    if paper.found:
        rows = [*rows, own.value("domain paper", lambda: _row(*_paper_images(own, paper)))]
    return rows


def _rows(own: Measured) -> list[dict[str, Any]]:
    plan = pair_set_plan(own.about["plan"])
    emulator = _emulator(own, own.pairs)
    fresh = plan.model_copy(update={"seed": plan.seed + 1})
    new = [particle(fresh, number) for number in range(NEW_PARTICLES)]
    rng = np.random.default_rng(SEED)

    def particles(counts: dict[int, int]) -> list[AtomCloud]:
        return [nanoparticle(counts, rng, disorder) for disorder in (0.0, 0.3, 0.7, 1.0)]

    asked = {
        "new particles of the same plan": [_asked(emulator, cloud, plan) for cloud in new],
        "29 of 586 atoms are Mo": [
            _asked(emulator, cloud, plan) for cloud in particles({PLATINUM: 557, MOLYBDENUM: 29})
        ],
        "gold instead of platinum": [
            _asked(emulator, cloud, plan) for cloud in particles({GOLD: 561})
        ],
        "1415 atoms instead of 561": [
            _asked(emulator, cloud, plan) for cloud in particles({PLATINUM: 1415})
        ],
        "300 kV": [
            _asked(emulator, new[0], plan, optics=replace(plan.optics, beam_energy_kev=300.0))
        ],
        "detector from 60 mrad": [
            _asked(emulator, new[0], plan, detector=replace(plan.detector, inner_mrad=60.0))
        ],
        "pixels of 0.2 Å": [_asked(emulator, new[0], plan, pixel_size_angstrom=0.2)],
        **{
            f"convolution images with σ = {sigma} Å": _blurred(own, emulator, sigma)
            for sigma in OTHER_SIGMAS_ANGSTROM
        },
    }
    return [_row("held-out images", _held_out(own, plan)), *(_row(*one) for one in asked.items())]


def _held_out(own: Measured, plan: PairSetPlan) -> list[DomainReport]:
    """Each particle by an emulator of the other half, its limits from that half alone, too."""
    reports = []
    for split in image_splits(len(own.pairs), FOLDS, 1, np.random.default_rng(SEED)):
        emulator = _emulator(own, Chosen(own.pairs, split.training))
        for index in split.validation:
            number = int(own.pairs[index].name)
            reports.append(_asked(emulator, particle(plan, number), plan))
    return reports


def _emulator(own: Measured, pairs: Any) -> Emulator:
    """As `crewe emulator fit` makes it."""
    validation = cross_validate(pairs, SMOOTHED, rng=np.random.default_rng(SEED))
    facts = training_facts(pairs)
    return final_emulator(pairs, SMOOTHED, validation, convolution=convolution_of(own), about=facts)


def _asked(emulator: Emulator, cloud: AtomCloud, plan: PairSetPlan, **changed: Any) -> DomainReport:
    known = {
        "optics": plan.optics,
        "detector": plan.detector,
        "pixel_size_angstrom": plan.pixel_size_angstrom,
    }
    return suitability(emulator, cloud.to_atoms(), **{**known, **changed})


def _blurred(own: Measured, emulator: Emulator, sigma: float) -> list[DomainReport]:
    """The training particles' own convolution images by another probe; nothing tells of it."""
    how = replace(convolution_of(own), probe_sigma_angstrom=sigma)
    return [
        _shown(emulator, how.image(pair.numbers, pair.positions, pair.linear.shape))
        for pair in own.pairs
    ]


def _paper_images(own: Measured, paper: Measured) -> tuple[str, list[DomainReport]]:
    emulator = _emulator(own, own.pairs)
    images = [pair.linear / np.float32(PAPER_SCALE) for pair in paper.pairs]
    name = "the paper's Pt–Mo convolution images, nothing said of their atoms"
    return name, [_shown(emulator, image) for image in images]


def _shown(emulator: Emulator, linear: np.ndarray) -> DomainReport:
    """As `crewe emulator check` judges a convolution image."""
    report = emulator.check(linear)
    reasons = (*brightness_reasons(emulator, linear), *report.reasons)
    return DomainReport(not reasons, reasons, report.share_outside, report.outside)


def _row(name: str, reports: list[DomainReport]) -> dict[str, Any]:
    first = next((report.reasons for report in reports if report.reasons), ())
    return {
        "asked": name,
        "images": len(reports),
        "flagged": sum(not report.inside for report in reports),
        "share_outside": float(np.median([report.share_outside for report in reports])),
        "said": "; ".join(first),
    }
