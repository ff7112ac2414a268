import numpy as np
import pytest

from crewe.cli import phase_words
from crewe.errors import PlanError


@pytest.mark.parametrize("text", ["256x128", "256X128", "256 × 128", "256,128"])
def test_scan_shapes(text):
    assert phase_words.scan_shape(text) == (256, 128)


@pytest.mark.parametrize(
    ("text", "us"),
    [("1us", 1), ("1µs", 1), ("800ns", 0.8), ("0.5 ms", 500), ("2", 2), ("1e-6s", 1)],
)
def test_times(text, us):
    assert phase_words.time_us(text, "--dwell") == us


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("0.2A", (0.2, 0.2)),
        ("0.2", (0.2, 0.2)),
        ("0.02,0.03nm", (0.2, 0.3)),
        ("20 pm", (0.2, 0.2)),
        ("1e-1Å", (0.1, 0.1)),
    ],
)
def test_steps(text, steps):
    assert phase_words.step_angstrom(text) == steps


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("0.02:0.2", (0.02, 0.2, "1/step")),
        (":0.1", (0.0, 0.1, "1/step")),
        ("12:px", (12, None, "px")),
        ("0.1:1/A", (0.1, 1, "1/A")),
        ("0.1:1 1/Å", (0.1, 1, "1/A")),
    ],
)
def test_bands(text, limits):
    assert tuple(phase_words.band(text).values()) == limits


@pytest.mark.parametrize(
    ("text", "name", "ring"),
    [
        ("adf=1.1:2x", "adf", (1.1, 2, "x")),
        ("adf=1.1:2", "adf", (1.1, 2, "x")),
        ("haadf=60:mrad", "haadf", (60, None, "mrad")),
        ("haadf=60:inf mrad", "haadf", (60, None, "mrad")),
        ("bf=:12.5px", "bf", (0, 12.5, "px")),
    ],
)
def test_detectors(text, name, ring):
    found, settings = phase_words.detector(text)
    assert (found, tuple(settings.values())) == (name, ring)


@pytest.mark.parametrize(
    ("text", "value"),
    [("a=dwell", "dwell"), ("a=4", 4), ("a = 0.5", 0.5), ("a=True", True), ("a=x=y", "x=y")],
)
def test_options_of_a_source(text, value):
    assert phase_words.source_option(text) == ("a", value)


def test_bad_pixels(tmp_path):
    assert phase_words.bad_pixels(" Auto ") == "auto"
    assert phase_words.bad_pixels("none") == "none"
    assert phase_words.bad_pixels("3,20; 0,1;") == {"pixels": [(3, 20), (0, 1)]}
    mask = np.zeros((4, 5), np.uint8)
    mask[2, 3] = 1
    np.save(tmp_path / "mask.npy", mask)
    read = phase_words.bad_pixels(str(tmp_path / "mask.npy"))
    assert (read.pixels, read.detector_shape) == (((2, 3),), (4, 5))
    np.save(tmp_path / "mask.npy", np.ones((4, 5)))
    (tmp_path / "empty.npy").touch()
    np.savez(tmp_path / "mask.npz", mask=mask)
    for name in ("mask.npy", "empty.npy", "gone.npy", "mask.npz", ""):
        with pytest.raises(PlanError, match=r"--bad-pixels .*give auto, none"):
            phase_words.bad_pixels(str(tmp_path / name))


def test_places_and_numbers():
    assert phase_words.pair_px("127.5,128", "--centre") == (127.5, 128)
    assert phase_words.number_or_auto("Auto", "--radius") == "auto"
    assert phase_words.number_or_auto("-12.5", "--rotation") == -12.5
    assert phase_words.names(["ricom,ADF", "com"]) == ["ricom", "adf", "com"]


def test_what_is_not_said_has_a_meaning():
    assert phase_words.methods(None, None) == ["ricom"]
    assert phase_words.methods(None, ["adf=1:2"]) == []
    assert phase_words.methods(["com,SSB"], ["adf=1:2"]) == ["com", "ssb"]
    assert list(phase_words.detectors(["adf=1:2", "bf=:1"])) == ["adf", "bf"]
    assert phase_words.detectors(None) == {}
    assert phase_words.place_or_auto("auto", "--centre") == "auto"
    assert phase_words.place_or_auto("3,4", "--centre") == (3, 4)
    assert phase_words.time_or_none(None, "--dwell") is None
    assert phase_words.time_or_none("1ms", "--dwell") == 1000
    assert phase_words.band(None) is phase_words.step_angstrom(None) is None


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: phase_words.scan_shape("256"), "--scan 256: give rows and columns"),
        (lambda: phase_words.time_us("1m", "--dwell"), "'m' is no unit of time"),
        (lambda: phase_words.time_us("fast", "--dwell"), "--dwell fast: give 1us"),
        (lambda: phase_words.step_angstrom("0.2mrad"), "'mrad' is no unit of length"),
        (lambda: phase_words.step_angstrom("x"), "give the scan step"),
        (lambda: phase_words.pair_px("12", "--centre"), "--centre 12: give y,x"),
        (lambda: phase_words.source_option("dwell"), "give NAME=VALUE"),
        (lambda: phase_words.source_option("a b=1"), "give NAME=VALUE"),
        (lambda: phase_words.band("0.1"), "give LOW:HIGH"),
        (lambda: phase_words.band(":"), "give LOW:HIGH"),
        (lambda: phase_words.band("1:2parsec"), "give LOW:HIGH"),
        (lambda: phase_words.detector("adf"), "give NAME=INNER:OUTER"),
        (lambda: phase_words.detector("adf=1:2nm"), "give NAME=INNER:OUTER"),
        (lambda: phase_words.number_or_auto("about 3", "--radius"), "--radius about 3"),
    ],
)
def test_mistakes_are_explained(read, said):
    with pytest.raises(PlanError, match=said):
        read()
