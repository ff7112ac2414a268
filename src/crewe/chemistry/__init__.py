"""Element maps and elastic images to better element maps, with error bars.

`fuse` is the door: noisy maps and a HAADF image go in, fused maps on the same scale come out.
`element_maps` makes maps from spectrum images, `onto_grid` and `register` bring HAADF onto them;
`repeated_error` and `hessian_error` say how far to trust the result, `atomic_fractions` and
`phases` what it consists of.
"""

from crewe.chemistry.files import FusionInputs, open_fusion_inputs
from crewe.chemistry.fusion import fuse
from crewe.chemistry.grids import onto_grid
from crewe.chemistry.operators import ElasticModel, ElasticRow
from crewe.chemistry.registration import align, register
from crewe.chemistry.results import FusedMaps
from crewe.chemistry.spectra import ElementMaps, element_maps
from crewe.chemistry.standard_error import average_standard_error, hessian_error, repeated_error
from crewe.chemistry.stoichiometry import atomic_fractions, phases

__all__ = [
    "ElasticModel",
    "ElasticRow",
    "ElementMaps",
    "FusedMaps",
    "FusionInputs",
    "align",
    "atomic_fractions",
    "average_standard_error",
    "element_maps",
    "fuse",
    "hessian_error",
    "onto_grid",
    "open_fusion_inputs",
    "phases",
    "register",
    "repeated_error",
]
