"""From ideal images to what an instrument delivers: scan, detector, electronics, and people."""

from crewe.degradation.compose import Applied, Chain, Degraded, read_chain
from crewe.degradation.degrade import degrade
from crewe.degradation.displacement import Displacement, displace, undo
from crewe.degradation.effects import EFFECTS, Effect
from crewe.degradation.parameters import Parameters
from crewe.degradation.recipe import shipped_recipes

__all__ = [
    "EFFECTS",
    "Applied",
    "Chain",
    "Degraded",
    "Displacement",
    "Effect",
    "Parameters",
    "degrade",
    "displace",
    "read_chain",
    "shipped_recipes",
    "undo",
]
