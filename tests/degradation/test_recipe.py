import pytest
import yaml

from crewe.degradation import read_chain, shipped_recipes
from crewe.errors import RecipeError
from crewe.recipes import parse_yaml, read_yaml

INSTRUMENTS = ("hrstem", "lrstem", "hrtem", "lrtem", "hrsem", "lrsem")


def written(tmp_path, text, name="own.yaml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def effects(chain):
    return [name for step in chain.instrument for name in step.effects]


def step_of(name, effect, section="instrument"):
    steps = getattr(read_chain(name), section)
    return next(step.plain() for step in steps if effect in step.effects)


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_shipped_recipes_load_and_stand_for_themselves(name):
    chain = read_chain(name)
    assert name in shipped_recipes()
    assert chain.name == name
    plain = yaml.safe_load(yaml.safe_dump(chain.plain()))
    assert read_chain(plain) == chain
    assert chain.instrument[-1].effects == ("quantisation",)
    assert chain.post_processing[-1].effects == ("count_scale",)


def test_instruments_follow_the_order_of_the_paper():
    order = ["scan_jitter", "dose", "photomultiplier", "detector_response", "readout_response"]
    order += ["row_lines", "black_pixels", "zingers", "upper_clip", "quantisation"]
    assert list(dict.fromkeys(effects(read_chain("hrstem")))) == order
    assert "black_pixels" not in effects(read_chain("hrsem"))
    assert len(effects(read_chain("hrsem"))) == len(effects(read_chain("hrstem"))) - 1
    assert effects(read_chain("lrtem")) == [
        *("modulation_transfer", "dose", "shot_noise", "fixed_pattern", "dark_current"),
        *("thermal_noise", "flicker_noise", "reset_noise", "black_pixels", "zingers"),
        *("upper_clip", "quantisation"),
    ]


def test_the_numbers_of_the_paper_stand_in_the_recipes():
    jitter = step_of("hrstem", "scan_jitter")
    assert jitter["probability"] == 0.9
    assert [way["weight"] for way in jitter["one_of"]] == [0.25, 0.25, 0.5]
    ranges = [way["parameters"] for way in jitter["one_of"]]
    x = {"sigma_x_angstrom": [0.0025, 0.8], "phi_x": [0.0, 0.7]}
    y = {"sigma_y_angstrom": [0.0025, 0.8], "phi_y": [0.0, 0.7]}
    assert ranges == [x, y, {**x, **y}]
    dose = step_of("hrtem", "dose")["parameters"]["mean_electrons_per_pixel"]
    assert dose == {"log_uniform": [0.5, 750.0]}
    lines = step_of("hrsem", "row_lines")["parameters"]
    assert (lines["lowest_factor"], lines["highest_factor"]) == (0.5, 1.5)
    blur = step_of("hrtem", "gaussian_blur", "post_processing")
    assert blur["parameters"]["sigma_px"] == [0, 1]
    assert step_of("hrtem", "crop", "post_processing")["parameters"]["spared_area"] == 0.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("instrument:\n- effect: scan_jiter\n", "line 2: no effect .*did you mean scan_jitter"),
        ("instrument:\n- probability: 2\n  effect: dose\n", "line 2: instrument.0.probability"),
        ("instrument:\n- probability: 0.5\n", "line 2: a step has either an effect or one_of"),
        ("instrument:\n- effect: dose\n  parameters: {}\n", "line 3: dose needs mean_electrons"),
        (
            "instrument:\n- effect: gaussian_blur\n  parameters:\n    sigma: 1\n",
            "line 4: gaussian_blur has no parameter 'sigma'.*did you mean sigma_px",
        ),
        (
            "instrument:\n- effect: gaussian_blur\n  parameters:\n    sigma_px: [-1, 1]\n",
            "line 4: sigma_px: sigma_px lies in",
        ),
        (
            "instrument:\n- effect: row_lines\n  parameters:\n    lines: [1, 5]\n"
            "    longest_fraction: 0.5\n",
            "line 4: lines: is a whole number",
        ),
        (
            "instrument:\n- effect: modulation_transfer\n  parameters: {a: 2, b: 0.1, c: 1}\n",
            "line 3: no parameters of modulation_transfer",
        ),
        (
            "instrument:\n- one_of:\n  - {effect: dose, weight: 1, parameters: {mean: 1}}\n",
            "line 3: dose has no parameter 'mean'",
        ),
        ("instrument: []\ninstruments: []\n", "line 2: unknown key instruments"),
        ("based_on: stem\nwithout:\n- dose\n- thermal_noise\n", "line 4: there is no thermal"),
        ("based_on: other\n", "line 1: no instrument recipe is called 'other'"),
        ("based_on: own.yaml\n", "is based on itself"),
        ("instrument: [", "not valid YAML"),
        ("based_on: 3\n", "line 1: based_on names one instrument recipe, not 3"),
        ("instrument:\n- effect: dose\n  parameters: {mean_electrons_per_pixel: .inf}\n", "line 3"),
        ("instrument:\n- effect: dose\n  probability: .nan\n", "line 3.*finite"),
    ],
)
def test_mistakes_are_named_with_file_and_line(tmp_path, text, said):
    path = written(tmp_path, text)
    with pytest.raises(RecipeError, match=said) as error:
        read_chain(path)
    assert "own.yaml" in str(error.value)


def test_a_section_of_its_own_replaces_that_of_the_base(tmp_path):
    written(tmp_path, "instrument:\n- {effect: shot_noise}\n", "base.yaml")
    path = written(tmp_path, "based_on: base.yaml\npost_processing: []\n")
    chain = read_chain(path)
    assert effects(chain) == ["shot_noise"]
    assert chain.post_processing == ()
    mistaken = written(tmp_path, "based_on: base.yaml\ninstrument:\n- effect: x\n", "third.yaml")
    with pytest.raises(RecipeError, match=r"third\.yaml, line 3"):
        read_chain(mistaken)


def test_mistakes_of_the_base_name_the_base(tmp_path):
    written(tmp_path, "\n\ninstrument:\n- effect: x\n", "base.yaml")
    with pytest.raises(RecipeError, match=r"own\.yaml, line 1: .*base\.yaml, line 4"):
        read_chain(written(tmp_path, "based_on: base.yaml\n"))


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(RecipeError, match=r"did you mean hrstem\? there are hrsem, .*yaml file"):
        read_chain("hrstm")


def test_a_chain_inside_another_recipe_names_the_lines_of_that_recipe():
    text = "name: mine\ndegradation:\n  instrument:\n  - effect: rain\n"
    settings, lines = parse_yaml(text, "mine.yaml")
    with pytest.raises(RecipeError, match=r"^mine\.yaml, line 4: no effect is called 'rain'"):
        read_chain(settings["degradation"], lines.inside("degradation"))


def test_a_chain_that_another_recipe_names_lies_in_the_folder_of_that_recipe(tmp_path, monkeypatch):
    chain = "instrument:\n- {effect: shot_noise}\n"
    written(tmp_path, chain, "chain.yaml")
    inner = "name: mine\ndegradation: {based_on: chain.yaml, post_processing: []}\n"
    for text in ("name: mine\ndegradation: chain.yaml\n", inner):
        settings, lines = read_yaml(written(tmp_path, text, "mine.yaml"))
        assert effects(read_chain(settings["degradation"], lines.inside("degradation"))) == [
            "shot_noise"
        ]
    with pytest.raises(RecipeError, match=r"mine\.yaml, line 2: no .*did you mean hrtem"):
        read_chain("hrtm", lines.inside("degradation"))
    monkeypatch.chdir(tmp_path)
    assert effects(read_chain("chain.yaml")) == ["shot_noise"]
