import json

import numpy as np
import pytest
from test_pair_set_plan import SMALL, changed

from crewe.errors import PlanError, ReadError, WriteError
from crewe.physics.optics import Optics
from crewe.simulation.emulator.pairs import read_pairs
from crewe.simulation.field import Field
from crewe.simulation.multislice_detectors import AnnularDetector
from crewe.simulation.multislice_settings import MultisliceSettings
from crewe.specimens.nanoparticles import nanoparticle
from crewe.specimens.orientation import near_zone_axis, random_rotation
from crewe.workflows.observer import Recorder
from crewe.workflows.pair_set import KEPT, field_of, one_image, particle, rounded, run_pair_set
from crewe.workflows.pair_set_plan import pair_set_plan

pytest.importorskip("abtem")

PARTICLES = {"number": 2, "disorders": [0, 1], "zone_axes": [[1, 1, 0]], "largest_tilt_deg": 4}
PLAN = pair_set_plan(changed("particles", **PARTICLES))


def unheard(done, steps):
    pass


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A set made in one go, and its folder of single configurations."""
    place = tmp_path_factory.mktemp("made")
    summary = run_pair_set(PLAN, place / "pairs.npz")
    return place / "pairs.npz", place / "pairs.npz.part", summary


@pytest.mark.parametrize("axis", [[1, 1, 0], "random"])
def test_structures_and_images_are_those_of_their_seeds(axis):
    """The recipe of the shipped set, written out."""
    from crewe.simulation.multislice import annular_image

    settings = {**PARTICLES, "zone_axes": [axis], "disorders": ["1/2"]}
    plan = pair_set_plan(changed("particles", **settings))
    rng = np.random.default_rng([4, 1, 0])
    if axis == "random":
        turn = random_rotation(rng)
    else:
        turn = near_zone_axis(np.eye(3), (1, 1, 0), 4.0 * np.sqrt(rng.random()), rng)
    cloud = nanoparticle({78: 13}, rng, 0.5, rotation=turn)
    np.testing.assert_array_equal(particle(plan, 1).positions, cloud.positions)
    lx, ly = cloud.box[:2]
    shape = (int(np.ceil((ly + 2.0) / 0.5)) + 1, int(np.ceil((lx + 2.0) / 0.5)) + 1)
    assert field_of(plan, cloud) == Field((-1.0, -1.0), shape, False)
    image = annular_image(
        cloud,
        Optics(200, 5),
        AnnularDetector(12, 30),
        0.5,
        np.random.default_rng([4, 1, 1, 7]),
        settings=MultisliceSettings(2.0, 0.1, 1),
        field=field_of(plan, cloud),
    )
    np.testing.assert_array_equal(one_image(plan, 1, 7, unheard), image.values.astype(np.float32))


def test_a_pair_holds_means_errors_and_atoms(made):
    path, folder, summary = made
    pairs = read_pairs(path)
    assert len(pairs) == summary["pairs"] == 2
    for number, pair in enumerate(pairs):
        single = np.stack([np.load(folder / f"{number:02d}_{c:02d}.npy") for c in range(2)])
        single = single.astype(np.float64)
        assert pair.multislice == pytest.approx(single.mean(axis=0), rel=2**-10, abs=2**-18)
        error = np.abs(single[0] - single[1]) / 2
        assert pair.phonon_error == pytest.approx(error, rel=2**-5, abs=2**-18)
        assert pair.numbers.tolist() == [78] * 13


def test_atoms_stand_where_the_images_show_them(made):
    pairs = read_pairs(made[0])
    for pair in pairs:
        linear = PLAN.convolution.image(pair.numbers, pair.positions, pair.linear.shape)
        assert pair.linear == pytest.approx(linear, rel=2**-14, abs=2**-22)
        # The probe of these optics is far wider than the convolution's, but in the same place.
        both = np.fft.fft2(pair.linear) * np.conj(np.fft.fft2(pair.multislice))
        matched = np.fft.ifft2(both).real
        assert np.unravel_index(matched.argmax(), matched.shape) == (0, 0)


def test_the_set_says_how_it_was_made(made):
    path, _, summary = made
    about = read_pairs(path).about
    assert pair_set_plan(about["plan"]) == PLAN
    assert about["convolution"]["exponent"] == 1.7
    assert about["configurations"] == summary["configurations"] == [2, 2]
    assert {"crewe", "abtem"} <= set(about["versions"])
    assert about["rounding"]["linear"] == "14 significant bits, no finer than 2^-21"
    assert 0 < summary["phonon_share_of_variance"] < 1
    assert json.loads(json.dumps(summary)) == summary


def test_stopped_at_any_time_all_particles_have_about_as_many(made, tmp_path):
    class Stopping(Recorder):
        def advanced(self, stage, fraction):
            if fraction > 0.6:
                raise KeyboardInterrupt

    listener = Stopping()
    output = tmp_path / "pairs.npz"
    with pytest.raises(KeyboardInterrupt):
        run_pair_set(PLAN, output, listener)
    there = {path.name for path in (tmp_path / "pairs.npz.part").glob("*.npy")}
    assert there == {"00_00.npy", "01_00.npy"}
    assert any("run the same command again" in text for _, text in listener.heard)
    summary = run_pair_set(PLAN, output, as_is=True)
    assert summary["configurations"] == [1, 1]
    assert read_pairs(output)[0].phonon_error is None
    run_pair_set(PLAN, output, overwrite=True)
    assert_same(output, made[0])


def test_processes_make_the_same_set(made, tmp_path):
    run_pair_set(PLAN, tmp_path / "pairs.npz", workers=2)
    assert_same(tmp_path / "pairs.npz", made[0])


def test_images_made_elsewhere_are_taken_over(made, tmp_path):
    _, folder, _ = made
    other = tmp_path / "other"
    other.mkdir()
    for name in ("00_00.npy", "01_00.npy", "00_01.npy"):
        (other / name).write_bytes((folder / name).read_bytes())
    np.save(other / "77_00.npy", np.zeros((2, 2)))
    listener = Recorder()
    output = tmp_path / "pairs.npz"
    run_pair_set(PLAN, output, listener, take_over=other)
    assert ("message", "3 configurations taken over") in listener.heard
    assert ("message", "3 of 4 configurations are there already") in listener.heard
    assert_same(output, made[0])


def test_what_is_no_image_of_the_plan_is_not_taken_over(made, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(ReadError, match="holds no image named"):
        run_pair_set(PLAN, tmp_path / "a.npz", take_over=other)
    np.save(other / "00_00.npy", np.zeros((5, 5), np.float32))
    with pytest.raises(ReadError, match="it belongs to another plan"):
        run_pair_set(PLAN, tmp_path / "b.npz", take_over=other)
    with pytest.raises(ReadError, match="no folder"):
        run_pair_set(PLAN, tmp_path / "c.npz", take_over=tmp_path / "none")


def test_a_folder_of_another_plan_is_refused(made, tmp_path):
    _, folder, _ = made
    other = pair_set_plan({**changed("particles", **PARTICLES), "seed": 5})
    with pytest.raises(PlanError, match="seed is 4 there, 5 here"):
        run_pair_set(other, tmp_path / "pairs.npz", checkpoint=folder)


def test_more_configurations_and_another_convolution_go_on_with_what_is_there(made, tmp_path):
    _, folder, _ = made
    settings = {**changed("particles", **PARTICLES), "exponent": 2.0}
    settings["multislice"] = {**SMALL["multislice"], "configurations": 1}
    listener = Recorder()
    run_pair_set(pair_set_plan(settings), tmp_path / "a.npz", listener, checkpoint=folder)
    assert ("message", "2 of 2 configurations are there already") in listener.heard


def test_where_nothing_can_be_written_nothing_is_simulated(made, tmp_path):
    path, _, _ = made
    with pytest.raises(WriteError, match="exists"):
        run_pair_set(PLAN, path)
    with pytest.raises(PlanError, match=r"pairs are written as \.npz"):
        run_pair_set(PLAN, tmp_path / "pairs.zarr")
    with pytest.raises(ReadError, match="no configuration of particle 0"):
        run_pair_set(PLAN, tmp_path / "empty.npz", as_is=True)


@pytest.mark.parametrize("kind", ["linear", "multislice", "phonon_error"])
def test_rounding_keeps_what_means_something(kind):
    bits, finest = KEPT[kind]
    values = np.random.default_rng(1).lognormal(-6, 3, size=1000).astype(np.float32)
    found = rounded(values, kind)
    large = values > 2.0 ** (finest + bits)
    assert large.any()
    assert np.abs(found / values - 1)[large].max() <= 2.0**-bits
    assert np.abs(found - values)[~large].max() <= 2.0 ** (finest - 1)
    np.testing.assert_array_equal(found, rounded(found, kind))
    assert not (found.view(np.uint32) & ((1 << (23 - bits)) - 1)).any()
    assert rounded(np.array([0.0, -1.5]), kind).tolist() == [0.0, -1.5]


def assert_same(one, other):
    for a, b in zip(read_pairs(one), read_pairs(other), strict=True):
        for kind in ("linear", "multislice", "phonon_error", "positions"):
            np.testing.assert_array_equal(getattr(a, kind), getattr(b, kind))
