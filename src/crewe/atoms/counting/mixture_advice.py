"""What speaks against a mixture as a count of atoms, in sentences."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from crewe.atoms.counting.criteria import local_minima
from crewe.atoms.counting.mixture_em import variances_of

Array = NDArray[np.float64]

VERY_STRONG = 10.0
"""Difference of a criterion that counts as very strong evidence: R. E. Kass and A. E. Raftery,
J. Am. Stat. Assoc. 90 (1995) 773, doi:10.1080/01621459.1995.10476572."""
WIDEST = 0.25
"""Width of the components in steps from which on criteria choose at random."""
LONG_STEP, SHORT_STEP = 1.6, 0.5
"""Steps between means, over their neighbours', that no thickness curve makes."""


@dataclass
class Advice:
    """What was seen, in sentences, and which of them forbid to trust the counts."""

    sentences: list[str] = field(default_factory=list)
    objections: list[str] = field(default_factory=list)

    def add(self, sentence: str, forbids: bool = True) -> None:
        """Take in one more."""
        self.sentences.append(sentence)
        if forbids:
            self.objections.append(sentence)


def candidates_of(table: dict[str, list[float]], criterion: str) -> list[int]:
    """Component numbers at local minima of the criterion, the lowest first."""
    values = table[criterion]
    return sorted(
        (int(table["components"][place]) for place in local_minima(values)),
        key=lambda number: values[number - 1],
    )


def advise(
    theta: Array, table: dict[str, list[float]], criterion: str, offset: int, chosen_here: bool
) -> Advice:
    """Look at a mixture θ and at the criteria of all; `chosen_here` if the criterion chose it."""
    advice = Advice()
    count = (len(theta) - 2) // 2
    if count == 1:
        advice.add(
            "all columns are of one component, which shows no step from one count to the next: "
            "count with by='curve', or with a library"
        )
    if chosen_here:
        _competitors(advice, table, criterion, count)
    _widths(advice, theta, offset)
    if count > 2:
        _steps(advice, theta, offset)
    _first_mean(advice, theta, offset)
    return advice


def typical_step(theta: Array, offset: int) -> float:
    """Median distance between the means; of a single mean, its part per atom."""
    count = (len(theta) - 2) // 2
    means = theta[count : 2 * count]
    if count > 1:
        return float(np.median(np.diff(means)))
    return float(abs(means[0]) / max(1 + offset, 1))


def _competitors(advice: Advice, table: dict[str, list[float]], criterion: str, count: int) -> None:
    name, values = criterion.upper(), np.array(table[criterion])
    minima = candidates_of(table, criterion)
    lowest = values[count - 1]
    near = [
        other for other in minima if other != count and values[other - 1] < lowest + VERY_STRONG
    ]
    if near:
        advice.add(
            f"{name} has competing minima: {count} components are better than {_listed(near)} by "
            f"less than {VERY_STRONG:g}, which is no strong evidence"
        )
    flat = [k for k in (count - 1, count + 1) if 0 < k <= len(values)]
    flat = [k for k in flat if values[k - 1] < lowest + VERY_STRONG and k not in near]
    if flat:
        advice.add(
            f"{name} is flat: {_listed(flat)} components are worse than {count} by less than "
            f"{VERY_STRONG:g}; a count may be one too many or too few"
        )
    if count == len(values) > 1:
        advice.add(f"{name} still falls at {count} components: raise most_components")
    others = [other for other in minima if other != count and other not in near]
    if others:
        advice.add(f"{name} has further local minima at {_listed(others)}", forbids=False)


def _widths(advice: Advice, theta: Array, offset: int) -> None:
    ratio = float(np.sqrt(np.median(variances_of(theta, 0.0)))) / typical_step(theta, offset)
    if ratio > WIDEST:
        advice.add(
            f"the components are {ratio:.2f} steps wide; above {WIDEST:g} no criterion finds their "
            "number: count with by='curve', or with a library"
        )


def _steps(advice: Advice, theta: Array, offset: int) -> None:
    count = (len(theta) - 2) // 2
    steps = np.diff(theta[count : 2 * count])
    for place, step in enumerate(steps):
        others = np.delete(steps, place)
        around = np.median(others[max(place - 2, 0) : place + 2])
        atoms = place + 1 + offset
        if step > LONG_STEP * around:
            advice.add(
                f"from {atoms} to {atoms + 1} atoms the mean rises by {step / around:.1f} usual "
                "steps: a count in between is missing, and larger counts are too small"
            )
        elif step < SHORT_STEP * around:
            advice.add(
                f"from {atoms} to {atoms + 1} atoms the mean rises by {step / around:.1f} usual "
                "steps: one count was split in two, and larger counts are too large"
            )


def _first_mean(advice: Advice, theta: Array, offset: int) -> None:
    count = (len(theta) - 2) // 2
    atoms = theta[count] / typical_step(theta, offset)
    if abs(atoms - (1 + offset)) > 0.75:
        advice.add(
            f"the lowest mean is {atoms:.1f} steps above zero but was counted as {1 + offset}: "
            f"offset={max(round(atoms) - 1, -1)} would fit better, unless the background is wrong"
        )


def _listed(numbers: list[int]) -> str:
    words = [str(number) for number in sorted(numbers)]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
