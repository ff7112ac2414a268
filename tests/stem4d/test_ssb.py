import numpy as np
import pytest

from crewe.errors import CalibrationError, PlanError
from crewe.physics.optics import Optics
from crewe.simulation.phase_object import PhaseScan, as_events, with_dose
from crewe.sources import Events, Frames, Scan
from crewe.stem4d.ssb import SingleSideband

OPTICS = Optics(200, 12)
PIXEL = 0.25
SIDE = 96
PERIOD = SIDE * PIXEL
STEP = (0.5, 0.5)
DETECTOR = (32, 36)


def weak_phase(y, x, strength=0.02):
    """Three smooth bumps in a period of 24 Å, at places in Å."""
    result = np.zeros(np.broadcast(y, x).shape)
    for y0, x0, height in ((8.0, 10.0, 1.0), (14.0, 7.0, 0.6), (13.0, 16.0, -0.4)):
        dy, dx = ((d + PERIOD / 2) % PERIOD - PERIOD / 2 for d in (y - y0, x - x0))
        result += strength * height * np.exp(-(dy**2 + dx**2) / (2 * 1.3**2))
    return result


def simulated(scan, optics=OPTICS, strength=0.02, window=SIDE):
    y, x = np.arange(SIDE)[:, None] * PIXEL, np.arange(SIDE)[None, :] * PIXEL
    return PhaseScan(weak_phase(y, x, strength), PIXEL, optics, scan, DETECTOR, window)


def reducer(simulation, **options):
    return SingleSideband(
        simulation.scan,
        DETECTOR,
        simulation.optics,
        simulation.centre_px,
        simulation.radius_px,
        **options,
    )


def reconstructed(simulation, patterns=None, **options):
    method = reducer(simulation, **options)
    patterns = simulation.patterns() if patterns is None else patterns
    method.add(method.measure(frames(patterns)))
    return {name: image.values for name, image in method.images().items()}


def frames(patterns, positions=None):
    flat = patterns.reshape(-1, *DETECTOR)
    return Frames(np.arange(len(flat)) if positions is None else positions, flat)


def zero_mean(image):
    return image - image.mean()


def truth(simulation):
    places = simulation.places_angstrom()
    return zero_mean(weak_phase(places[..., 0], places[..., 1]))


WHOLE = Scan((48, 48), step_angstrom=STEP)


# The simulated aperture falls over one pixel; a hard rim leaves that out of account.
@pytest.mark.parametrize(("edge", "tolerance"), [(None, 0.002), (0.0, 0.07)])
def test_a_weak_phase_comes_out_in_rad(edge, tolerance):
    simulation = simulated(WHOLE)
    images = reconstructed(simulation, edge_px=edge)
    error = images["ssb_phase"] - truth(simulation)
    assert np.abs(error).max() < tolerance * np.ptp(truth(simulation))
    assert images["ssb_amplitude"] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    "turned",
    [
        {"rotation_degrees": 90.0},
        {"rotation_degrees": 180.0, "mirrored": True},
        {"rotation_degrees": -90.0, "mirrored": True},
    ],
)
def test_rotation_and_handedness_are_undone(turned):
    simulation = simulated(Scan((48, 48), step_angstrom=STEP, **turned))
    phase = reconstructed(simulation)["ssb_phase"]
    assert np.abs(phase - truth(simulation)).max() < 0.002 * np.ptp(phase)


def test_any_angle_is_undone_and_a_wrong_one_is_not():
    # The turned scan does not repeat: it steps over two periods, so its ends are apart.
    scan = Scan((96, 96), step_angstrom=STEP, rotation_degrees=30.0)
    simulation = simulated(scan)
    method = reducer(simulation)
    method.add(method.measure(frames(simulation.patterns())))
    middle = (slice(16, -16),) * 2
    phase, expected = (
        im[middle].ravel() for im in (method.images()["ssb_phase"].values, truth(simulation))
    )
    assert np.corrcoef(phase, expected)[0, 1] > 0.995
    assert np.polyfit(expected, phase, 1)[0] == pytest.approx(1, abs=0.03)
    for off, slope in ((90.0, 0.0), (180.0, -1.0)):
        method.scan = Scan((96, 96), step_angstrom=STEP, rotation_degrees=30.0 + off)
        wrong = method.images()["ssb_phase"].values[middle].ravel()
        assert np.polyfit(expected, wrong, 1)[0] == pytest.approx(slope, abs=0.03)


def test_no_specimen_gives_no_phase():
    simulation = simulated(WHOLE, strength=0.0)
    images = reconstructed(simulation)
    assert np.abs(images["ssb_phase"]).max() < 1e-6
    assert images["ssb_amplitude"] == pytest.approx(1, abs=1e-6)


def test_the_phase_is_linear_in_the_counts_and_free_of_their_scale():
    simulation = simulated(WHOLE)
    beam = simulation.patterns()
    rng = np.random.default_rng(2)
    noise = 1e-4 * beam.mean() * rng.standard_normal(beam.shape).astype(np.float32)
    noise -= noise.mean(axis=(0, 1))
    both, alone = (reconstructed(simulation, p)["ssb_phase"] for p in (beam + noise, beam))
    doubled = reconstructed(simulation, beam + 2 * noise)["ssb_phase"]
    assert np.abs(doubled - both - (both - alone)).max() < 1e-6
    assert np.abs(both - alone).max() > 1e-5
    assert reconstructed(simulation, 700 * beam)["ssb_phase"] == pytest.approx(alone, abs=1e-7)


def test_order_byte_order_and_single_electrons_do_not_matter():
    simulation = simulated(Scan((24, 20), step_angstrom=(1.0, 1.0)))
    rng = np.random.default_rng(5)
    counts = with_dose(simulation.patterns(), 300, rng)
    flat = counts.reshape(-1, *DETECTOR)
    expected = reconstructed(simulation, counts)["ssb_phase"]
    for dtype in (">u2", "<u2", "u1", "i4", ">f4", "f8"):
        method = reducer(simulation)
        for part in np.array_split(rng.permutation(len(flat)), 7):
            method.add(method.measure(frames(flat[part].astype(dtype), part)))
        assert np.array_equal(method.images()["ssb_phase"].values, expected)
    events = as_events(flat, rng)
    method = reducer(simulation)
    for part in np.array_split(np.arange(len(events.positions)), 5):
        batch = Events(events.positions[part], events.pixels[part], DETECTOR, 0, 0)
        method.add(method.measure(batch))
    assert np.array_equal(method.images()["ssb_phase"].values, expected)


def test_binning_leaves_a_weak_phase_as_it_is():
    # Each bin must be small beside the disk, or its rim blurs: here 23 pixels in 12 bins.
    simulation = simulated(WHOLE)
    phase = reconstructed(simulation, across=12)["ssb_phase"]
    expected = truth(simulation)
    assert np.corrcoef(phase.ravel(), expected.ravel())[0, 1] > 0.995
    assert np.polyfit(expected.ravel(), phase.ravel(), 1)[0] == pytest.approx(1, abs=0.05)
    assert reducer(simulation, across=12)._pixels.number < 180


def test_positions_not_measured_are_nan_and_disturb_the_others_little():
    simulation = simulated(WHOLE)
    patterns = simulation.patterns().reshape(-1, *DETECTOR)
    known = np.random.default_rng(1).permutation(len(patterns))[: int(0.97 * len(patterns))]
    method = reducer(simulation)
    method.add(method.measure(frames(patterns[known], known)))
    phase = method.images()["ssb_phase"].values
    assert np.array_equal(np.isfinite(phase), method.measured)
    found, expected = phase[method.measured], truth(simulation)[method.measured]
    assert np.corrcoef(found, expected)[0, 1] > 0.95


def test_nothing_measured_is_nan_everywhere():
    images = reducer(simulated(WHOLE)).images()
    assert np.isnan(images["ssb_phase"]).all()
    assert np.isnan(images["ssb_amplitude"]).all()


def test_a_newer_scan_replaces_and_scans_can_be_added():
    simulation = simulated(Scan((12, 12), step_angstrom=(2.0, 2.0)))
    rng = np.random.default_rng(3)
    scans = [with_dose(simulation.patterns(), 200, rng) for _ in range(2)]
    batches = [Frames(np.arange(144), c.reshape(-1, *DETECTOR), n) for n, c in enumerate(scans)]
    for repeats, expected in (("newest", scans[1]), ("sum", scans[0] + scans[1])):
        for order in (batches, batches[::-1]):
            method = reducer(simulation, repeats=repeats)
            for batch in order:
                method.add(method.measure(batch))
            wanted = reconstructed(simulation, expected)["ssb_phase"]
            assert np.array_equal(method.images()["ssb_phase"].values, wanted)


@pytest.mark.parametrize(
    "spoiled",
    [
        {"defocus_angstrom": 150.0},
        {"c12_angstrom": 120.0, "phi12_deg": 30.0},
        {"c21_angstrom": 2e4, "phi21_deg": 70.0},
    ],
)
def test_known_aberrations_are_corrected(spoiled):
    optics = Optics(200, 12, **spoiled)
    simulation = simulated(WHOLE, optics)
    expected = truth(simulation)
    method = reducer(simulation)
    method.add(method.measure(frames(simulation.patterns())))
    corrected = method.images()["ssb_phase"].values
    method.optics = OPTICS
    spoilt = method.images()["ssb_phase"].values
    assert np.abs(corrected - expected).max() < 0.02 * np.ptp(expected)
    assert np.abs(spoilt - expected).max() > 0.06 * np.ptp(expected)


def test_natural_transfer_is_the_flat_one_times_the_overlap():
    simulation = simulated(WHOLE)
    flat, natural = (
        np.fft.rfft2(reconstructed(simulation, transfer=t)["ssb_phase"])
        for t in ("flat", "natural")
    )
    strong = np.abs(flat) > 1e-3 * np.abs(flat).max()
    transfer = (natural[strong] / flat[strong]).real
    assert transfer.min() > 0
    assert 0.3 < transfer.max() < 1
    slow = np.abs(natural[0, 1] / flat[0, 1])
    assert slow < 0.3 * transfer.max()


def test_images_carry_the_calibration_of_the_scan():
    simulation = simulated(Scan((12, 10), step_angstrom=(2.0, 1.5)))
    method = reducer(simulation)
    method.add(method.measure(frames(simulation.patterns())))
    phase = method.images()["ssb_phase"]
    assert phase.dims == ("y", "x")
    assert phase.attrs["units"] == "rad"
    assert float(phase.x[1]) == 1.5


@pytest.mark.parametrize(
    ("scan", "options", "error", "words"),
    [
        (Scan((4, 4)), {}, CalibrationError, "step"),
        (Scan((40000, 40000), step_angstrom=STEP), {}, PlanError, "across="),
        (WHOLE, {"memory_gib": 1e-4}, PlanError, "GiB"),
        (WHOLE, {"radius_px": 1.0}, PlanError, "radius"),
        (WHOLE, {"centre": (500.0, 3.0)}, PlanError, "centre"),
        (WHOLE, {"across": 1}, PlanError, "overlap"),
    ],
)
def test_what_cannot_be_is_refused(scan, options, error, words):
    given = {"centre": (16.0, 18.0), "radius_px": 11.5, **options}
    with pytest.raises(error, match=words):
        SingleSideband(scan, DETECTOR, OPTICS, **given)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("scan", Scan((24, 96), step_angstrom=STEP), "positions"),
        ("transfer", "sharp", "flat"),
        ("radius_px", 0.5, "radius"),
    ],
)
def test_settings_that_cannot_be_are_refused_when_images_are_made(name, value, words):
    method = reducer(simulated(WHOLE))
    setattr(method, name, value)
    with pytest.raises(PlanError, match=words):
        method.images()
