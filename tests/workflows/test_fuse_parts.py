import itertools

import numpy as np
import pytest

from crewe.errors import PlanError
from crewe.workflows.fuse_parts import Parts, blend


def cut_out(parts, stack):
    return [(part, stack[:, part.frame, part.window[0], part.window[1]]) for part in parts.every]


@pytest.mark.parametrize(("shape", "tile"), [((40, 40), 64), ((150, 90), 64), ((65, 200), 64)])
def test_parts_become_what_they_were_cut_from(shape, tile):
    stack = np.random.default_rng(0).random((2, 3, *shape)).astype(np.float32)
    parts = Parts.of(3, shape, tile, 16)
    assert parts.shape == shape
    result = np.zeros_like(stack)
    blend(parts, cut_out(parts, stack), result)
    np.testing.assert_allclose(result, stack, rtol=1e-6)


def test_small_frames_are_one_part_each():
    parts = Parts.of(2, (30, 40), 64, 16)
    assert [part.frame for part in parts.every] == [0, 1]
    assert parts.every[1].window == (slice(0, 30), slice(0, 40))
    assert parts.of_frame(1) == parts.every[1:]


def test_tiles_overlap_by_what_was_asked_for():
    parts = Parts.of(1, (200, 50), 64, 16)
    starts = [part.window[0].start for part in parts.every]
    assert len(starts) == 4
    assert all(a + parts.rows.tile_px - b >= 16 for a, b in itertools.pairwise(starts))


def test_a_seam_is_where_neither_tile_is_near_its_border():
    parts = Parts.of(1, (200, 50), 64, 32)
    for part in parts.every[1:]:
        assert parts.weight(part)[:8].max() < 0.01
        assert parts.weight(part)[-33:-16].max() > 0.99


def test_tiles_without_room_between_overlaps_are_refused():
    with pytest.raises(PlanError, match="tile_px"):
        Parts.of(1, (200, 200), 16, 16)
