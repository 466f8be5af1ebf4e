"""Nearest name: which name a person may have meant who gave one that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches


def with_nearest(name: str, names: Iterable[str]) -> str:
    """`name`, followed in brackets by the most similar of `names`, if one is similar; capitals do not count."""
    by_letters = {other.casefold(): other for other in names}
    similar = get_close_matches(name.casefold(), by_letters, n=1)
    return f"{name} (the nearest name is {by_letters[similar[0]]})" if similar else name
