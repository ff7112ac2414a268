"""From counted columns and a unit cell to atoms in three dimensions."""

from crewe.atoms.volume.build import build_volume
from crewe.atoms.volume.coordination import coordination_numbers
from crewe.atoms.volume.results import VolumeModel

__all__ = ["VolumeModel", "build_volume", "coordination_numbers"]
