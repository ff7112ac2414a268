"""Diffraction patterns to images: each method is one reducer."""

from crewe.stem4d.calibration import BrightField, bright_field
from crewe.stem4d.com import CentreOfMass
from crewe.stem4d.detectors import Annulus, usual_detectors
from crewe.stem4d.field import ElectricField, FieldDivergence
from crewe.stem4d.icom import IntegratedCentreOfMass
from crewe.stem4d.mean_pattern import MeanPattern
from crewe.stem4d.methods import METHODS, Methods, MethodSettings
from crewe.stem4d.moments import Moments
from crewe.stem4d.reduction import Reduction, reduce
from crewe.stem4d.ricom import Ricom
from crewe.stem4d.ricom_kernel import Band, ricom_kernel
from crewe.stem4d.rotation import ScanOrientation, scan_orientation
from crewe.stem4d.ssb import SingleSideband
from crewe.stem4d.total import TotalIntensity
from crewe.stem4d.virtual import VirtualDetectors

__all__ = [
    "METHODS",
    "Annulus",
    "Band",
    "BrightField",
    "CentreOfMass",
    "ElectricField",
    "FieldDivergence",
    "IntegratedCentreOfMass",
    "MeanPattern",
    "MethodSettings",
    "Methods",
    "Moments",
    "Reduction",
    "Ricom",
    "ScanOrientation",
    "SingleSideband",
    "TotalIntensity",
    "VirtualDetectors",
    "bright_field",
    "reduce",
    "ricom_kernel",
    "scan_orientation",
    "usual_detectors",
]
