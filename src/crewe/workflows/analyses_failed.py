"""What is left of a plan, and what is said, where some of its analyses fail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crewe.errors import CreweError
from crewe.workflows.plan_analyses import ANALYSES

if TYPE_CHECKING:
    from crewe.workflows.plan import QuantifyPlan

Failed = dict[str, CreweError]
"""Why an analysis failed, by its part of the plan, or by the table that strain lacks."""

WORDS = {
    "region": "choice of a region",
    "lattice": "lattice",
    "strain": "strain",
    "shifts": "shifts",
    "tilts": "tilts",
    "burgers": "Burgers vectors",
    "count": "atom counts",
    "volume": "model in three dimensions",
}
RESTING = {"region": ANALYSES, "lattice": ("strain", "volume"), "count": ("volume",)}
"""Parts of a plan that are nothing without another part."""
OF_STRAIN = ("shifts", "tilts", "burgers")


@contextmanager
def noted(part: str, failed: Failed | None) -> Iterator[None]:
    """Note why a part of a plan fails and go on; without `failed` the error is raised."""
    try:
        yield
    except CreweError as error:
        if failed is None:
            raise
        failed[part] = error


def without(plan: "QuantifyPlan", failed: Failed) -> "QuantifyPlan":
    """Return a plan without what failed and what rests on it; no region where nothing is left."""
    gone = {name for part in failed for name in (part, *RESTING.get(part, ()))}
    kept = plan.model_copy(update={name: None for name in ANALYSES if name in gone})
    if kept.strain is not None:
        lacking: dict[str, Any] = {name: () for name in OF_STRAIN if name in gone}
        kept = kept.model_copy(update={"strain": kept.strain.model_copy(update=lacking)})
    return kept if _left(kept) else kept.model_copy(update={"region": None})


def reasons(plan: "QuantifyPlan", failed: Failed) -> dict[str, str]:
    """Say of each part that failed why, and what else is therefore missing."""
    found = {}
    for part, error in failed.items():
        asked = [name for name in RESTING.get(part, ()) if getattr(plan, name) is not None]
        missing = "".join(f", and so no {WORDS[name]}" for name in asked if name not in failed)
        found[part] = f"{WORDS[part]} failed{missing}: {error}"
    return found


def what_is_kept(plan: "QuantifyPlan") -> str:
    """Name what a result holds whose plan is without the analyses that failed."""
    left = ", ".join(WORDS[name] for name in _left(plan))
    return f"the columns, with {left}," if left else "the columns, without analyses,"


def _left(plan: "QuantifyPlan") -> list[str]:
    return [name for name in ANALYSES if getattr(plan, name) is not None]
