"""Sphinx configuration; build with `sphinx-build -n -W --keep-going docs docs/_build`."""

import os
import subprocess
import sys
from pathlib import Path

import crewe

project = "crewe"
author = "The crewe developers"
copyright = "The crewe developers, GPL-3.0-or-later"
release = version = crewe.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax"]
exclude_patterns = ["_build", "reference/generated/*.txt", "reference/generated/cards.md"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = f"crewe {release}"

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]

default_role = "code"
autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
# The build needs no network, so types of other packages are named but not linked.
# Of our own, only what a signature names but its room does not offer may stay unlinked.
nitpick_ignore_regex = [
    ("py:.*", r"(?!crewe\.).*"),
    ("py:class", r"crewe\.workflows\.(plan\.Provenance|many\.Item|quantify_restored\.Restoration)"),
    ("py:class", r"crewe\.workflows\.analysed\.Analyses"),
    ("py:class", r"crewe\.workflows\.(live_session\.\w+|live_result\.\w+|phase\.PhaseImages)"),
    ("py:class", r"crewe\.(degradation|networks|recipes|specimens|stem4d|training_sets)\.\w+\.\w+"),
]

SET_COMMANDS = ("make", "list", "recipe", "find", "preview", "export", "check")
COMMANDS = (
    "",
    *("quantify", "count", "strain", "volume", "map-atoms", "restore", "fuse", "phase", "live"),
    *("rerun", "info", "convert"),
    *("simulate", "train"),
    *("networks", "networks show", "networks export"),
    *("emulator pairs", "emulator fit", "emulator check"),
    *(f"training-set {command}" for command in SET_COMMANDS),
)


def write_command_help() -> None:
    """Keep what each command says of itself, for the reference page to include."""
    folder = Path(__file__).parent / "reference" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    plain = {**os.environ, "COLUMNS": "92", "NO_COLOR": "1", "TERM": "dumb"}
    program = Path(sys.executable).with_name("crewe")
    for command in COMMANDS:
        arguments = [program, *command.split(), "--help"]
        said = subprocess.run(arguments, check=True, capture_output=True, text=True, env=plain)
        lines = [line.rstrip() for line in said.stdout.strip("\n").splitlines()]
        (folder / f"{command.replace(' ', '-') or 'crewe'}.txt").write_text("\n".join(lines) + "\n")


def write_network_cards() -> None:
    """Keep the cards of the shipped networks, for the reference page to include."""
    from crewe.networks.zoo import card_of, shipped_networks
    from crewe.recipes import to_yaml

    folder = Path(__file__).parent / "reference" / "generated"
    cards = [card_of(name) for name in shipped_networks()]
    parts = [f"## {card.name}\n\n```yaml\n{to_yaml(card)}```\n" for card in cards]
    (folder / "cards.md").write_text("\n".join(parts), encoding="utf-8")


def keep_drawings(app, what, name, module, options, lines) -> None:
    """Show an indented drawing in a docstring line by line instead of as flowing text."""
    for index in range(len(lines) - 1, 0, -1):
        begins = lines[index].startswith("    ") and not lines[index - 1].strip()
        previous = next((line for line in reversed(lines[:index]) if line.strip()), "")
        if begins and not previous.startswith(" ") and not previous.endswith("::"):
            lines[index:index] = ["::", ""]


def setup(app) -> None:
    """Prepare what the pages include."""
    write_command_help()
    write_network_cards()
    app.connect("autodoc-process-docstring", keep_drawings)
