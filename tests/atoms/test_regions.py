import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crewe import axes
from crewe.atoms.regions import Region, parse_region, points_in_polygon, read_region, region_mask
from crewe.errors import CreweError, ImageError, PlanError, ReadError

SQUARE = ((1.0, 1.0), (4.0, 1.0), (4.0, 3.0), (1.0, 3.0))
HOOK = ((0.0, 0.0), (6.0, 0.0), (6.0, 6.0), (4.0, 6.0), (4.0, 2.0), (0.0, 2.0))


def table(x, y, **more):
    return pd.DataFrame({"x": np.array(x, float), "y": np.array(y, float), **more})


def test_points_inside_on_the_edge_and_outside():
    columns = table([2, 1, 4, 2.5, 0.99, 4.01, 2], [2, 2, 3, 1, 2, 2, 3.01])
    inside = [True, True, True, True, False, False, False]
    assert Region(SQUARE).contains(columns).tolist() == inside
    assert Region(SQUARE, inside=False).contains(columns).tolist() == [not i for i in inside]


def test_a_column_without_a_place_belongs_to_neither_side():
    columns = table([np.nan, 2], [2, 2])
    assert Region(SQUARE).contains(columns).tolist() == [False, True]
    assert Region(SQUARE, inside=False).contains(columns).tolist() == [False, False]


@given(
    st.integers(3, 12),
    st.integers(0, 2**32 - 1),
    st.floats(-50, 50),
    st.floats(0.1, 20),
    st.booleans(),
)
@settings(max_examples=50, deadline=None)
def test_a_star_holds_what_its_radius_says(corners, seed, centre, size, backwards):
    """A star about a point is asked by angle and radius, which shares nothing with the ray."""
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * (np.arange(corners) + rng.uniform(-0.2, 0.2, corners)) / corners
    radius = size * rng.uniform(0.5, 1.5, corners)
    x, y = centre + radius * np.cos(angle), -centre + radius * np.sin(angle)
    polygon = np.stack([x, y], axis=1)[:: -1 if backwards else 1]
    Region(tuple(map(tuple, polygon)))  # a star does not cross itself
    place = rng.uniform(-2 * size, 2 * size, (200, 2))
    turned = np.arctan2(place[:, 1], place[:, 0])
    k = np.searchsorted(angle, np.where(turned < angle[0], turned + 2 * np.pi, turned)) - 1
    a = np.stack([radius[k] * np.cos(angle[k]), radius[k] * np.sin(angle[k])], axis=1)
    n = (k + 1) % corners
    b = np.stack([radius[n] * np.cos(angle[n]), radius[n] * np.sin(angle[n])], axis=1)
    turn = (b - a)[:, 0] * (place - a)[:, 1] - (b - a)[:, 1] * (place - a)[:, 0]
    clear = np.abs(turn) > 1e-6 * size**2
    found = points_in_polygon(centre + place[:, 0], -centre + place[:, 1], polygon)
    assert np.array_equal(found[clear], (turn > 0)[clear])


def test_the_mask_has_the_polygons_area():
    image = axes.calibrated_image(np.arange(4800.0).reshape(60, 80), (0.1, 0.1))
    image = image.assign_coords(x=image["x"] + 0.05, y=image["y"] + 0.05)
    assert region_mask(image, Region(HOOK)).sum() == 2000  # 20 Å² of 0.01 Å² pixels
    assert region_mask(image, Region(HOOK, inside=False)).sum() == 2800
    assert region_mask(image, Region()).all()


def test_a_polygon_beside_the_image_is_told_where_the_image_is():
    image = axes.calibrated_image(np.arange(4800.0).reshape(60, 80), (0.1, 0.2))
    with pytest.raises(ImageError, match=r"x = 0 to 15\.8 and y = 0 to 5\.9 Å"):
        region_mask(image, Region(((50, 50), (60, 50), (60, 60))))


@pytest.mark.parametrize(
    "polygon",
    [
        (),
        ((0, 0), (1, 1)),
        ((0, 0), (1, 1), (0, 0)),
        ((0, 0), (1, 1), (2, 2)),
        ((0, 0), (0, 0), (1, 1), (0, 1)),
        ((0, 0), (np.nan, 1), (2, 0)),
        ((0, 0), (2, 2), (2, 0), (0, 2)),
        ((0, 0), (4, 0), (4, 2), (2, 0), (0, 2)),
        ((0, 0), (2, 0), (1, 0), (1, 2)),
        ((0, 0, 0), (1, 0, 0), (1, 1, 1)),
        "abc",
    ],
)
def test_polygons_that_enclose_nothing_are_refused(polygon):
    with pytest.raises(PlanError):
        Region(polygon)


def test_a_closed_polygon_is_the_open_one():
    assert Region((*SQUARE, SQUARE[0])) == Region(SQUARE)
    with_flat_corner = ((1, 1), (2, 1), (4, 1), (4, 3), (1, 3))
    assert Region(with_flat_corner).contains(table([3], [2])).all()


def test_types_and_site_names_pick_columns():
    columns = table([2, 2, 9], [2, 2, 9], type=[0, 1, 0], site_name=["Sr", "Ti", "Sr"])
    assert Region(types=(0,)).contains(columns).tolist() == [True, False, True]
    assert Region(types=("Ti",)).contains(columns).tolist() == [False, True, False]
    assert Region(SQUARE, types=("Sr",)).contains(columns).tolist() == [True, False, False]
    for unknown in ((7,), ("O",)):
        with pytest.raises(PlanError, match="no column has"):
            Region(types=unknown).contains(columns)


def test_regions_are_read_from_text_and_file(tmp_path):
    assert parse_region("1,1 4,1  4,3 1,3") == Region(SQUARE)
    path = tmp_path / "region.csv"
    path.write_text("x,y\n1,1\n4,1\n\n4,3\n1, 3\n")
    assert read_region(path) == Region(SQUARE)


@given(st.text(alphabet="0123456789.,- e\nxy;", max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_polygon_or_an_error_of_ours(text):
    try:
        corners = parse_region(text).polygon
    except CreweError:
        return
    assert len(corners) >= 3
    assert np.isfinite(corners).all()


def test_other_files_are_errors(tmp_path):
    path = tmp_path / "region.csv"
    for content in (b"", b"x,y\n", b"1,2\n3\n5,6\n", b"\xff\xfe\x00"):
        path.write_bytes(content)
        with pytest.raises(ReadError, match=r"region\.csv"):
            read_region(path)
    with pytest.raises(ReadError):
        read_region(tmp_path / "absent.csv")
