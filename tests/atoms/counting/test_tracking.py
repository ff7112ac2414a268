import numpy as np
import pytest

from crewe.atoms.counting.tracking import find_shift, match, track_columns
from crewe.errors import NoColumnsError

SPACING = 2.0


def particle(rng, radius=7):
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    inside = np.hypot(x, y) < radius + 0.3
    places = SPACING * np.stack([x[inside], y[inside]], axis=1) + 40.0
    return places, rng.integers(1, 12, inside.sum()).astype(float)


def frames(rng, places, scs, shifts, missing=0.0):
    found, values, names = [], [], []
    for shift in shifts:
        kept = rng.permutation(np.flatnonzero(rng.random(len(places)) >= missing))
        found.append(places[kept] + shift + rng.normal(0, 0.05, (len(kept), 2)))
        values.append(scs[kept] + rng.normal(0, 0.3, len(kept)))
        names.append(kept)
    return found, values, names


@pytest.mark.parametrize("step", [(0.3, -0.2), (3.1, -1.4), (-7.3, 11.9)])
def test_columns_are_followed_through_drift(step):
    rng = np.random.default_rng(1)
    places, scs = particle(rng)
    shifts = np.outer(np.arange(6), step)
    points, values, names = frames(rng, places, scs, shifts, missing=0.05)
    tracks = track_columns(points, values)
    assert np.abs(tracks.shifts - shifts).max() < 0.1
    assert tracks.rows.shape == (6, len(places))
    for track in range(len(places)):
        seen = {names[t][row] for t, row in enumerate(tracks.rows[:, track]) if row >= 0}
        assert len(seen) == 1


def test_every_measured_column_is_in_one_track():
    rng = np.random.default_rng(2)
    places, scs = particle(rng)
    points, values, _ = frames(rng, places, scs, np.zeros((4, 2)), missing=0.2)
    rows = track_columns(points, values).rows
    for number, frame in enumerate(points):
        assert sorted(rows[number][rows[number] >= 0]) == list(range(len(frame)))


def test_a_shift_by_a_lattice_vector_is_told_by_the_brightness():
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:20, :20]
    places = SPACING * np.stack([x.ravel(), y.ravel()], axis=1).astype(float)
    scs = rng.integers(1, 12, 400).astype(float)
    # the field of view moves by two columns and a bit over a crystal without edges
    here, there = places[:, 0] < 32, places[:, 0] > 5
    frame = places[there] - (4.3, 0.1)
    shift = find_shift(places[here], scs[here], frame, scs[there], SPACING, np.zeros(2))
    assert shift == pytest.approx([-4.3, -0.1], abs=1e-9)


def test_matches_are_mutual_and_near():
    places = np.array([[0.0, 0.0], [2.0, 0.0], [9.0, 9.0]])
    frame = np.array([[0.1, 0.0], [0.3, 0.0], [2.1, 0.1]])
    own, there = match(places, frame, 0.7)
    assert list(own) == [0, 1]
    assert list(there) == [0, 2]


def test_a_frame_without_columns_is_refused():
    with pytest.raises(NoColumnsError, match="frame 1 has 2 columns"):
        track_columns([np.zeros((5, 2)), np.zeros((2, 2))], [np.ones(5), np.ones(2)])
