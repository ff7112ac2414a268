"""Recipes: what is drawn at random, written down in YAML, strict and with line numbers."""

from crewe.recipes.bases import Shelf
from crewe.recipes.forms import Distribution, distribution
from crewe.recipes.lines import Lines, parse_yaml, read_yaml
from crewe.recipes.part import RecipePart, to_yaml
from crewe.recipes.seeds import child_generator

__all__ = [
    "Distribution",
    "Lines",
    "RecipePart",
    "Shelf",
    "child_generator",
    "distribution",
    "parse_yaml",
    "read_yaml",
    "to_yaml",
]
