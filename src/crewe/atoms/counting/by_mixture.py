"""Count atoms by a Gaussian mixture of the cross-sections, its number of components by ICL.

S. Van Aert et al., Phys. Rev. B 87 (2013) 064107, doi:10.1103/PhysRevB.87.064107, and A. De Backer
et al., Ultramicroscopy 134 (2013) 23, doi:10.1016/j.ultramic.2013.05.003: the k-th component is
taken for k atoms, so every count up to the largest must occur. Where electrons are counted the
widths grow with the mean, as Poisson's law has it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from crewe.atoms.counting.criteria import criteria, mixture_posterior
from crewe.atoms.counting.mixture_advice import advise, candidates_of
from crewe.atoms.counting.mixture_em import COMMON, DOSE_FITTED, DOSE_GIVEN, variances_of
from crewe.atoms.counting.mixture_error import standard_errors
from crewe.atoms.counting.mixture_path import mixture_path
from crewe.atoms.counting.outcome import cross_sections, spread_out, sums_of
from crewe.atoms.counting.results import AtomCounts
from crewe.atoms.counting.sensitivity import single_atom_sensitivity
from crewe.errors import PlanError

Array = NDArray[np.float64]
Progress = Callable[[str, float], None]

CRITERIA = ("icl", "bic", "aic")
WIDTHS = ("common", "dose")
FEWEST_PER_COMPONENT = 5


def count_by_mixture(
    columns: pd.DataFrame,
    *,
    components: int | None = None,
    criterion: str = "icl",
    most_components: int = 60,
    offset: int = 0,
    width: str = "common",
    electrons_per_unit: float | None = None,
    progress: Progress | None = None,
) -> AtomCounts:
    """Count atoms by a mixture of `components` Gaussians, or of as many as the criterion chooses.

    `columns` has `scs`; rows without one get NaN. The lowest component is taken for 1 + `offset`
    atoms, −1 for columns that may be empty. `width` "common" is one standard deviation for all;
    "dose" a variance σ² + mean/D with D the electrons per unit of cross-section (e/Å² for a
    fraction of the beam), given as `electrons_per_unit` or fitted too. More components than a
    fifth of the columns are not tried. `curve` is NaN for counts below the lowest component.

    The summary tells `criteria` (lists over all mixtures), `candidates` (component numbers at local
    minima, best first), `advice` (sentences), `single_atom_sensitivity` and `width` (its numbers).
    Raises PlanError for settings that cannot be, NoColumnsError for fewer than 20 columns.
    """
    _check(components, criterion, most_components, offset, width, electrons_per_unit)
    values, known = cross_sections(columns)
    mode = _mode(width, electrons_per_unit, values[known])
    most = _most(int(known.sum()), components, most_components)
    tell = progress or (lambda stage, fraction: None)
    gain = 1 / electrons_per_unit if electrons_per_unit and mode == DOSE_GIVEN else 0.0
    thetas, likelihoods = mixture_path(
        values[known], most, mode, gain, lambda fraction: tell("fitting mixtures", fraction)
    )
    table = criteria(values[known], thetas, likelihoods, mode)
    chosen = components or int(np.argmin(table[criterion])) + 1
    theta = thetas[chosen - 1]
    posterior = spread_out(mixture_posterior(values[known], theta), known, offset + 1)
    summary = sums_of(posterior) | _report(theta, table, criterion, offset, components is None)
    errors = standard_errors(values[known], theta, mode)
    return _counts(theta, errors, posterior, offset, summary)


def _check(
    components: int | None,
    criterion: str,
    most: int,
    offset: int,
    width: str,
    electrons: float | None,
) -> None:
    if criterion not in CRITERIA:
        raise PlanError(f"criterion={criterion!r}: choose one of {', '.join(CRITERIA)}")
    if width not in WIDTHS:
        raise PlanError(f"width={width!r}: choose one of {', '.join(WIDTHS)}")
    if most < 1 or (components is not None and components < 1):
        raise PlanError(
            "a mixture has at least 1 component; give components or most_components ≥ 1"
        )
    if offset < -1:
        raise PlanError(f"offset={offset}: the lowest component has at least 0 atoms, offset −1")
    if electrons is not None and not (np.isfinite(electrons) and electrons > 0):
        raise PlanError(f"electrons_per_unit={electrons}: give a positive number or none")
    if electrons is not None and width == "common":
        raise PlanError("electrons_per_unit was given but width is 'common': choose width='dose'")


def _mode(width: str, electrons: float | None, values: Array) -> int:
    if width == "common":
        return COMMON
    if values.min() < 0:
        raise PlanError(
            f"{(values < 0).sum()} columns have a negative cross-section, for which electrons "
            "cannot be counted: leave them out, or choose width='common'"
        )
    return DOSE_FITTED if electrons is None else DOSE_GIVEN


def _most(columns: int, components: int | None, most: int) -> int:
    allowed = columns // FEWEST_PER_COMPONENT
    if components is not None and components > allowed:
        raise PlanError(
            f"{components} components need {FEWEST_PER_COMPONENT * components} columns or more, "
            f"there are {columns}"
        )
    return max(components or 1, min(most, allowed))


def _report(
    theta: Array, table: dict[str, list[float]], criterion: str, offset: int, chosen_here: bool
) -> dict[str, Any]:
    count = (len(theta) - 2) // 2
    advice = advise(theta, table, criterion, offset, chosen_here)
    lead = f"{criterion.upper()} chose" if chosen_here else "Given were"
    doubt = "their counts cannot be trusted" if chosen_here else "one thing speaks against them"
    verdict = f"{lead} {count} component{'s' if count > 1 else ''}; " + (
        f"{doubt}: {advice.objections[0]}."
        if advice.objections
        else "nothing speaks against their counts."
    )
    return {
        "method": "mixture",
        # Who names the number of components has decided, and reads the warnings.
        "decided": not (advice.objections and chosen_here),
        "verdict": verdict,
        "warnings": advice.objections,
        "components": count,
        "offset": offset,
        "criterion": criterion,
        "criteria": table,
        "candidates": candidates_of(table, criterion),
        "advice": advice.sentences,
        "single_atom_sensitivity": single_atom_sensitivity(theta),
        "width": {
            "common": float(np.sqrt(max(theta[-2], 0.0))),
            "electrons_per_unit": float(1 / theta[-1]) if theta[-1] > 0 else None,
        },
    }


def _counts(
    theta: Array, errors: Array, posterior: Array, offset: int, summary: dict[str, Any]
) -> AtomCounts:
    count = (len(theta) - 2) // 2
    unknown = np.full(offset + 1, np.nan)
    curve = np.concatenate([unknown, theta[count : 2 * count]])
    errors = np.concatenate([unknown, errors])
    if offset >= 0:
        curve[0], errors[0] = 0.0, 0.0
    return AtomCounts(
        posterior=posterior,
        curve=curve,
        curve_std=errors,
        spread=np.concatenate([unknown, np.sqrt(variances_of(theta, 0.0))]),
        weights=np.concatenate([np.zeros(offset + 1), theta[:count] / theta[:count].sum()]),
        summary=summary,
    )
