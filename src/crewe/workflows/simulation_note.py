"""With what a simulated image was made: plan, versions, checksums."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

from crewe.workflows.provenance import sha256, versions
from crewe.workflows.simulate_plan import EMULATOR, SimulationPlan

SIMULATORS = ("ase", "abtem")


def simulation_versions() -> dict[str, str]:
    """Return the versions of crewe, Python and the libraries that make the numbers."""
    found = versions()
    for name in SIMULATORS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def file_facts(plan: SimulationPlan) -> dict[str, str]:
    """Return the checksums of the plan's files. Raises ReadError for a missing one."""
    found = {"specimen_sha256": sha256(plan.specimen)}
    if plan.kind == EMULATOR:
        found["emulator_sha256"] = sha256(Path(plan.model))
    return found


def simulation_note(plan: SimulationPlan, summary: dict[str, Any]) -> dict[str, Any]:
    """Return all that a simulated image carries of its making, as plain values."""
    return {
        "plan": plan.settings(),
        "versions": simulation_versions(),
        **file_facts(plan),
        # The same image has the same note, however long it took.
        "result": {key: value for key, value in summary.items() if key != "seconds"},
    }
