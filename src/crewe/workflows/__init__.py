"""A run as a value: a typed plan goes in, results come out, an observer hears the progress."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crewe.workflows.analyse_stored import analyse_folder
    from crewe.workflows.carry_out import run, run_unless_finished
    from crewe.workflows.live import run_live
    from crewe.workflows.live_plan import LivePlan
    from crewe.workflows.many import Finished, Outcome, run_many
    from crewe.workflows.observer import Observer, Silent
    from crewe.workflows.phase import run_phase
    from crewe.workflows.phase_in_memory import phase_images
    from crewe.workflows.phase_plan import PhasePlan
    from crewe.workflows.plan import FindOptions, FitOptions, IntensityScale, QuantifyPlan, UnitCell
    from crewe.workflows.plan_analyses import (
        CountOptions,
        LatticeOptions,
        ScatteringLibrary,
        StrainOptions,
        VolumeOptions,
    )
    from crewe.workflows.plan_file import load_plan, plan_from, save_plan
    from crewe.workflows.plan_image_parts import BackgroundRemoval, RegionOptions, WeakColumnOptions
    from crewe.workflows.quantify import Quantification
    from crewe.workflows.repeat import Comparison, rerun

_FILE_OF = {
    "BackgroundRemoval": "plan_image_parts",
    "Comparison": "repeat",
    "CountOptions": "plan_analyses",
    "FindOptions": "plan",
    "Finished": "many",
    "FitOptions": "plan",
    "IntensityScale": "plan",
    "LatticeOptions": "plan_analyses",
    "LivePlan": "live_plan",
    "Observer": "observer",
    "Outcome": "many",
    "PhasePlan": "phase_plan",
    "Quantification": "quantify",
    "QuantifyPlan": "plan",
    "RegionOptions": "plan_image_parts",
    "ScatteringLibrary": "plan_analyses",
    "Silent": "observer",
    "StrainOptions": "plan_analyses",
    "UnitCell": "plan",
    "VolumeOptions": "plan_analyses",
    "WeakColumnOptions": "plan_image_parts",
    "analyse_folder": "analyse_stored",
    "load_plan": "plan_file",
    "phase_images": "phase_in_memory",
    "plan_from": "plan_file",
    "rerun": "repeat",
    "run": "carry_out",
    "run_live": "live",
    "run_many": "many",
    "run_phase": "phase",
    "run_unless_finished": "carry_out",
    "save_plan": "plan_file",
}

__all__ = [
    "BackgroundRemoval",
    "Comparison",
    "CountOptions",
    "FindOptions",
    "Finished",
    "FitOptions",
    "IntensityScale",
    "LatticeOptions",
    "LivePlan",
    "Observer",
    "Outcome",
    "PhasePlan",
    "Quantification",
    "QuantifyPlan",
    "RegionOptions",
    "ScatteringLibrary",
    "Silent",
    "StrainOptions",
    "UnitCell",
    "VolumeOptions",
    "WeakColumnOptions",
    "analyse_folder",
    "load_plan",
    "phase_images",
    "plan_from",
    "rerun",
    "run",
    "run_live",
    "run_many",
    "run_phase",
    "run_unless_finished",
    "save_plan",
]


# No file here has the name of a function: importing it would hide the function.
# A plan is read long before anything is computed with it, and a worker process
# sets its number of threads before numpy is loaded: import each name on first use.
def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _FILE_OF:
        raise AttributeError(f"module 'crewe.workflows' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"crewe.workflows.{_FILE_OF[name]}"), name)
    globals()[name] = value
    return value
