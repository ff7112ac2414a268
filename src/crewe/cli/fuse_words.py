"""What is written on the command line for element maps."""

from pathlib import Path

from crewe.errors import PlanError


def element_maps(texts: list[str] | None) -> dict[str, Path]:
    """Read maps given as ELEMENT=FILE, in their order. Raises PlanError."""
    maps: dict[str, Path] = {}
    for text in texts or []:
        element, equals, file = text.partition("=")
        symbol = element.strip().capitalize()
        if not equals or not symbol or not file.strip():
            raise PlanError(f"--map {text}: give ELEMENT=FILE, as in --map Co=co.tif")
        if symbol in maps:
            raise PlanError(f"--map {text}: there is a map of {symbol} already, give one of each")
        maps[symbol] = Path(file.strip())
    return maps


def elements(texts: list[str] | None) -> list[str]:
    """Read elements, given one by one or together with commas."""
    names = [name.strip() for text in texts or [] for name in text.split(",")]
    return [name.capitalize() for name in names if name]


def by_element(texts: list[str] | None, option: str, example: str) -> dict[str, str]:
    """Read what is given by element, as ELEMENT=VALUE. Raises PlanError."""
    values: dict[str, str] = {}
    for text in texts or []:
        element, _, value = (part.strip() for part in text.partition("="))
        if not element or not value:
            raise PlanError(f"{option} {text}: give ELEMENT=VALUE, as in {option} {example}")
        values[element.capitalize()] = value
    return values
