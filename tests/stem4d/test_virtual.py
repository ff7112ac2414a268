import numpy as np
import pytest
from batches import as_events, as_frames, counts, shuffled, stored_upside_down

from crewe.errors import PlanError
from crewe.sources import Scan
from crewe.stem4d.detectors import Annulus, usual_detectors
from crewe.stem4d.virtual import VirtualDetectors

SCAN = Scan((5, 7), step_angstrom=(0.2, 0.25))
CENTRE = (3.4, 4.6)


def taken(batches, detectors):
    virtual = VirtualDetectors(SCAN, (8, 10), detectors, CENTRE)
    for batch in batches:
        virtual.add(virtual.measure(batch))
    return virtual.images()


def naive(data, inner, outer):
    """Sum of a ring, pixel by pixel."""
    total = np.zeros(data.shape[:2])
    for ky in range(8):
        for kx in range(10):
            distance = np.hypot(ky - CENTRE[0], kx - CENTRE[1])
            if inner <= distance < outer:
                total += data[:, :, ky, kx]
    return total


@pytest.mark.parametrize(
    "arranged",
    [
        as_frames,
        as_events,
        stored_upside_down,
        lambda data: shuffled(as_frames(data)),
        lambda data: shuffled(as_events(data)),
        lambda data: as_frames(data.astype(">u2")),
        lambda data: as_frames(data.astype(np.float64)),
    ],
)
def test_rings_are_summed_pixel_by_pixel(arranged):
    data = counts()
    rings = {"bf": Annulus(0, 2.5), "adf": Annulus(2.5, 4.5)}
    images = taken(arranged(data), rings)
    np.testing.assert_array_equal(images["bf"], naive(data, 0, 2.5))
    np.testing.assert_array_equal(images["adf"], naive(data, 2.5, 4.5))
    assert images["adf"].attrs["units"] == "counts"
    np.testing.assert_allclose(images["adf"].x[1], 0.25)


def test_segments_share_the_ring_without_rest():
    data = counts()
    parts = taken(as_frames(data), {"q": Annulus(0, 4, segments=4, start_degrees=20)})
    whole = taken(as_frames(data), {"q": Annulus(0, 4)})
    assert list(parts) == ["q_0", "q_1", "q_2", "q_3"]
    np.testing.assert_array_equal(sum(parts.values()), whole["q"])


def test_the_first_segment_lies_right_and_below():
    masks = Annulus(0, 20, segments=4).masks((9, 9), (4, 4))
    assert masks[0, 6, 6]
    assert masks[1, 6, 2]
    assert masks[2, 2, 2]
    assert masks[3, 2, 6]


@pytest.mark.parametrize("arranged", [as_frames, as_events])
def test_any_weights_are_taken(arranged):
    data = counts()
    weights = np.random.default_rng(0).normal(size=(8, 10))
    images = taken(arranged(data), {"own": weights})
    np.testing.assert_allclose(images["own"], (data * weights).sum((2, 3)), atol=1e-12)


def test_other_radii_begin_where_they_are_chosen():
    data = counts()
    batches = as_frames(data, size=7)
    virtual = VirtualDetectors(SCAN, (8, 10), {"bf": Annulus(0, 2)}, CENTRE)
    under_way = [virtual.measure(batch) for batch in batches[:3]]
    virtual.add(under_way[0])
    virtual.add(under_way[1])
    virtual.choose({"bf": Annulus(0, 4)}, CENTRE)
    virtual.add(under_way[2])
    for batch in batches[3:]:
        virtual.add(virtual.measure(batch))
    image = virtual.images()["bf"].values
    assert np.isnan(image[:3]).all()
    np.testing.assert_array_equal(image[3:], naive(data, 0, 4)[3:])


def test_usual_radii_follow_the_disk():
    found = usual_detectors(["bf", "haadf", "segments"], 10.0)
    assert found["bf"] == Annulus(0, 10)
    assert found["haadf"].inner_px == 25
    assert found["segments"].segments == 4
    with pytest.raises(PlanError, match="no detector 'xyz'"):
        usual_detectors(["xyz"], 10.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"a": Annulus(3, 2)},
        {"a": Annulus(-1, 2)},
        {"a": Annulus(50, 60)},
        {"a": np.zeros((8, 10))},
        {"a": np.ones((3, 3))},
        {"a": np.full((8, 10), np.nan)},
    ],
)
def test_detectors_that_see_nothing_are_refused(wrong):
    with pytest.raises(PlanError):
        VirtualDetectors(SCAN, (8, 10), wrong, CENTRE)
