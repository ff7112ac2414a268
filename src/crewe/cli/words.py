"""Arguments that are a number or a word."""


def number_or_word(text: str | None) -> int | float | str | None:
    """Read a number where there is one: 'pixel', 'mean' and names stay words."""
    if text is None:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
