"""Degraded image to restored image, and a map of how far to trust it."""

from crewe.restoration.restoring import Restored, restore
from crewe.restoration.trust import TrustMap, trust_map

__all__ = ["Restored", "TrustMap", "restore", "trust_map"]
