import pytest

from crewe.errors import PlanError
from crewe.sources import Known, Scan
from crewe.workflows.live_plan import live_change, live_plan

SETTINGS = {"address": "merlin://localhost", "scan": (4, 5)}


@pytest.mark.parametrize(
    ("address", "kind", "place"),
    [
        ("merlin://192.168.0.5", "merlin", "192.168.0.5:6342"),
        ("merlin://detector:7000", "merlin", "detector:7000"),
        ("timepix3://", "timepix3", "127.0.0.1:8451"),
        ("timepix3://:9000", "timepix3", "127.0.0.1:9000"),
        ("timepix3://0.0.0.0:8451", "timepix3", "0.0.0.0:8451"),
        ("merlin://[::1]:7000", "merlin", "[::1]:7000"),
    ],
)
def test_addresses(address, kind, place):
    plan = live_plan({**SETTINGS, "address": address})
    assert (plan.detector, plan.place) == (kind, place)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"address": "http://localhost"}, "give merlin://HOST"),
        ({"address": "merlin://"}, "give merlin://HOST"),
        ({"address": "merlin://host:99999"}, "give merlin://HOST"),
        ({"address": "scan.mib"}, "give merlin://HOST"),
        ({"methods": ["ricm"]}, "no method 'ricm'"),
        ({"kernel": 60}, "odd"),
        ({"scan": (0, 5)}, "greater than 0"),
        ({"counter_depth": 16}, "counter_depth = 16"),
        ({"trigger": "soft"}, "trigger = 'soft'"),
        ({"record": "out.tif"}, "on .zarr"),
        ({"address": "timepix3://", "record": "out.zarr"}, "on .tpx3"),
        ({"scans": 0}, "greater than 0"),
        ({"patience_s": -1}, "greater than 0"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_followed(change, words):
    with pytest.raises(PlanError, match="cannot be followed") as raised:
        live_plan({**SETTINGS, **change})
    assert words in str(raised.value)


def test_the_scan_and_what_is_known():
    plan = live_plan(
        {**SETTINGS, "flyback_per_line": 2, "rotation_degrees": 30, "semi_angle_mrad": 20}
    )
    assert plan.scan_record == Scan((4, 5), 2, rotation_degrees=30)
    assert plan.known(Known((0.1, 0.1), 300.0, 10.0)) == Known((0.1, 0.1), 300.0, 20.0)


def test_a_change_says_what_is_wrong():
    assert live_change({"band": None}).model_fields_set == {"band"}
    assert live_change({"centre": "auto"}).centre == "auto"
    for wrong in (
        {"kernel_size": "big"},
        {"kernel": 3},
        {"centre": [1]},
        {"centre": [1, None]},
        {"radius_px": 0},
        {"rotation_degrees": float("nan")},
        {"detectors": {"adf": [-1, 2]}},
        {"band": [1, 0]},
    ):
        with pytest.raises(PlanError, match="not changed"):
            live_change(wrong)
