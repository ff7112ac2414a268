import numpy as np
import pytest
from phase_data import CENTRE, RADIUS, TICKS_PER_US, as_electrons, phantom, plan_of

from crewe.errors import ReadError
from crewe.sources import Counters
from crewe.testing.timepix3_encoding import RISING_1, encode_tpx3, write_tpx3
from crewe.workflows.phase import make_images
from crewe.workflows.phase_faults import reasons


def test_the_most_frequent_fault_is_named():
    counters = Counters(received=9)
    assert reasons(counters) == "9 received, 0 used, 0 dropped"
    counters.fault("seldom", "here", 2)
    counters.fault("often", "there", 3)
    assert reasons(counters).endswith("most often: often (3 times, the latest: there)")
    counters.fault("seldom", "again", 2)
    assert reasons(counters).endswith("most often: seldom (4 times, the latest: again)")
    counters.fault("often", times=2000)
    assert reasons(counters).endswith("most often: often (2,003 times)")


def test_lines_that_only_begin_are_told_with_what_helps(tmp_path):
    counts = phantom(scan_shape=(12, 14), electrons=40)
    times, pixels = as_electrons(counts)
    edges = np.arange(12) * 14 * TICKS_PER_US
    kinds, numbers = np.full(12, RISING_1), np.arange(12)
    write_tpx3(tmp_path / "a.tpx3", encode_tpx3(times, pixels, (edges, kinds, numbers)))
    settings = {"scan": (12, 14), "centre": CENTRE, "radius_px": RADIUS, "methods": ("total",)}
    plan = plan_of(tmp_path / "a.tpx3", source={"chips": 1}, **settings)
    with pytest.raises(ReadError, match=r"the end of a line is missing .*--source line_end=next"):
        make_images(plan)
    helped = plan.model_copy(update={"source": {"chips": 1, "line_end": "next"}})
    assert make_images(helped).images["total"].notnull().any()
