import numpy as np
import pytest

from crewe.degradation import Chain, displace, read_chain
from crewe.errors import ImageError, PlanError

Y, X = np.mgrid[:96, :96]
IDEAL = (1 + 0.5 * np.sin(Y / 4) * np.cos(X / 5)).astype(np.float32)
SCAN = {"sigma_x_angstrom": 0.1, "sigma_y_angstrom": 0.1}


def chain(*names, section="instrument", **parameters):
    """A chain of certain steps; parameters by the name of the effect."""
    steps = [{"effect": name, "parameters": parameters.get(name, {})} for name in names]
    return read_chain({section: steps})


def test_repeats_itself_and_differs_elsewhere():
    stem = read_chain("hrstem")
    same = [stem.apply(IDEAL, 3, (5,), pixel_size_angstrom=0.1, margin=8) for _ in range(2)]
    assert np.array_equal(same[0].image, same[1].image)
    assert same[0].applied == same[1].applied
    for seed, place in ((4, (5,)), (3, (6,))):
        other = stem.apply(IDEAL, seed, place, pixel_size_angstrom=0.1, margin=8)
        assert not np.array_equal(other.image, same[0].image)


def test_a_step_more_changes_no_other():
    few = chain(
        "scan_jitter", "thermal_noise", scan_jitter=SCAN, thermal_noise={"sigma_of_mean": 0.1}
    )
    more = chain(
        *("flicker_noise", "scan_jitter", "thermal_noise"),
        scan_jitter=SCAN,
        thermal_noise={"sigma_of_mean": 0.1},
        flicker_noise={"sigma_of_mean": 0.0},
    )
    first, second = (one.record(IDEAL, 1, pixel_size_angstrom=0.2) for one in (few, more))
    assert np.array_equal(first.displacement.dx, second.displacement.dx)
    assert np.allclose(first.image, second.image, atol=1e-5)


def test_displacements_of_several_steps_add_up_to_one_field():
    parameters = {
        "scan_jitter": SCAN,
        "drift": {"drift_x_angstrom": 2.0, "walk_y_angstrom": 0.3},
        "line_frequency": {"sigma_angstrom": 0.1, "frequency_hz": 50, "line_time_ms": 3},
    }
    degraded = chain(*parameters, **parameters).record(IDEAL, 2, pixel_size_angstrom=0.2)
    assert np.array_equal(degraded.image, displace(IDEAL, degraded.displacement))
    assert np.array_equal(degraded.ideal, IDEAL)
    parts = [
        chain(name, **parameters).record(IDEAL, 2, pixel_size_angstrom=0.2).displacement
        for name in parameters
    ]
    assert np.allclose(sum(part.dx for part in parts), degraded.displacement.dx, atol=1e-5)
    assert np.ptp(degraded.displacement.dx) > 5


def test_a_linear_transform_takes_the_displacement_along():
    slow = {"drift_x_angstrom": 1.0, "drift_y_angstrom": -0.6}
    turn = {"rotation_deg": 25, "magnification_x": 1.2, "shear": 0.1}
    steps = [
        {"effect": "drift", "parameters": slow},
        {"effect": "linear_transform", "parameters": turn},
    ]
    degraded = read_chain({"instrument": steps}).record(IDEAL, 0, pixel_size_angstrom=0.2)
    again = displace(degraded.ideal, degraded.displacement)
    inner = (slice(25, -25), slice(25, -25))
    moved = np.std((degraded.image - degraded.ideal)[inner])
    assert np.std((degraded.image - again)[inner]) < 0.02 * moved


def test_the_paper_s_blur_of_the_camera_is_in_the_ideal_image_too():
    parameters = {"modulation_transfer": {"a": 0.5, "b": 0.5, "c": 0.2}}
    degraded = chain("modulation_transfer", **parameters).record(IDEAL, 0)
    assert degraded.image is degraded.ideal
    assert degraded.ideal.std() < 0.98 * IDEAL.std()


@pytest.mark.parametrize("name", ["hrstem", "hrtem", "hrsem"])
def test_both_images_stay_on_one_scale(name):
    slopes = []
    for seed in range(12):
        degraded = read_chain(name).record(IDEAL, seed, pixel_size_angstrom=1.0)
        slopes.append(degraded.image.mean() / degraded.ideal.mean())
    assert np.median(slopes) == pytest.approx(1, abs=0.02)


def test_final_counts_are_whole_and_fit_in_16_bits():
    for seed in range(12):
        degraded = read_chain("lrtem").apply(IDEAL, seed, pixel_size_angstrom=5)
        assert np.array_equal(degraded.image, np.rint(degraded.image))
        assert min(degraded.image.min(), degraded.ideal.min()) == 0
        assert max(degraded.image.max(), degraded.ideal.max()) <= 65535.5
        assert degraded.image.dtype == degraded.ideal.dtype == np.float32


def test_a_margin_is_taken_off_all_round():
    stem = chain("scan_jitter", scan_jitter=SCAN)
    whole = stem.record(IDEAL, 1, pixel_size_angstrom=0.2)
    inner = stem.apply(IDEAL, 1, pixel_size_angstrom=0.2, margin=10)
    assert np.array_equal(inner.image, whole.image[10:-10, 10:-10])
    assert np.array_equal(inner.displacement.dy, whole.displacement.dy[10:-10])
    with pytest.raises(ImageError, match="leaves nothing"):
        whole.cropped(48)


def test_what_happened_is_told_with_its_parameters():
    degraded = chain("dose", "shot_noise", dose={"mean_electrons_per_pixel": [5, 6]}).record(
        IDEAL, 0
    )
    assert [one.effect for one in degraded.applied] == ["dose", "shot_noise"]
    assert degraded.applied[0].parameters.mean_electrons_per_pixel == pytest.approx(
        degraded.ideal.mean()
    )


def test_the_callers_arrays_are_left_alone():
    before = IDEAL.copy()
    for seed in range(10):
        read_chain("hrtem").apply(IDEAL, seed, ideal=IDEAL)
    assert np.array_equal(IDEAL, before)


def test_nothing_to_do_gives_the_image_back():
    degraded = Chain().apply(IDEAL, 0)
    assert np.array_equal(degraded.image, IDEAL)
    assert degraded.displacement.is_none


def test_pairs_and_pixel_sizes_are_checked():
    with pytest.raises(ImageError, match="no ideal partner"):
        Chain().record(IDEAL, 0, ideal=IDEAL[1:])
    with pytest.raises(PlanError, match="pixel_size_angstrom"):
        chain("scan_jitter", scan_jitter=SCAN).record(IDEAL, 0)
