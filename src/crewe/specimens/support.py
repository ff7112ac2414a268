"""The layer that carries a specimen."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from crewe.specimens.cloud import AtomCloud, Box
from crewe.specimens.layer import Facts, draw_defects, draw_layer, draw_wedge
from crewe.specimens.specimen_parts import RandomSpecimen

_NO_SUPPORT: Facts = {
    "support_kind": "none",
    "support_elements": "",
    "support_space_group": 0,
    "support_zone_axis": "none",
    "support_mistilt_deg": 0.0,
    "support_minimum_distance_angstrom": 0.0,
    "support_wedge": "none",
    "support_wedge_angle_deg": 0.0,
    "support_defects": "none",
    "support_defect_atoms": 0,
    "support_thickness_nm": 0.0,
    "support_below": False,
}


def draw_support(
    part: RandomSpecimen, box: Box, rng: Generator, pixel_size_angstrom: float
) -> tuple[AtomCloud | None, bool, Facts]:
    """Draw a support as wide as a box, or None; whether it lies below; and what it is.

    It is made as a specimen is, with a wedge and defects, but without a shape.
    """
    chosen = part.support
    if not chosen.chance("probability", rng):
        return None, False, dict(_NO_SUPPORT)
    kind = chosen.draw("kind", rng)
    thickness_nm = chosen.draw("thickness_nm", rng)
    slab = (box[0], box[1], 10 * thickness_nm)
    cloud, facts = draw_layer(part, kind, slab, rng, pixel_size_angstrom)
    facts["thickness_nm"] = cloud.box[2] / 10
    cloud, wedge_facts = draw_wedge(part.wedge, cloud, rng)
    cloud, defect_facts = draw_defects(part.defects, cloud, rng)
    below = chosen.chance("below_probability", rng)
    told = facts | wedge_facts | defect_facts | {"below": below}
    return cloud, below, {f"support_{name}": fact for name, fact in told.items()}


def with_support(cloud: AtomCloud, support: AtomCloud, below: bool = True) -> AtomCloud:
    """Put a support under a specimen, at greater z and met by the beam later, or over it.

    The boxes are stacked along z; that of the result is as wide as the specimen's.
    """
    first, second = (cloud, support) if below else (support, cloud)
    positions = np.concatenate([first.positions, second.positions])
    positions[len(first) :, 2] += first.box[2]
    numbers = np.concatenate([first.numbers, second.numbers])
    return AtomCloud(numbers, positions, (cloud.box[0], cloud.box[1], first.box[2] + second.box[2]))
