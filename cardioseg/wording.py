"""Wording: counts, lists and numbers as people write them."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

UNKNOWN = "–"
"""Instead of a value that is not known."""


def counted(count: int, noun: str) -> str:
    """`1 slice`, `1,512 slices`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(words: Sequence[str], at_most: int | None = None) -> str:
    """`A`, `A and B`, `A, B and C`; with `at_most` 2, `A, B and 3 more`. Nothing without words."""
    rest = len(words) - at_most if at_most is not None else 0
    shown = [*words[:at_most], f"{rest:,} more"] if rest > 0 else list(words)
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


def decimal(value: float, digits: int, *, sign: bool = False) -> str:
    """A number with so many decimals: `62.3`, `−3.1`, with `sign` also `+1.2`.

    Halves go away from zero, as in JavaScript, which shows the curves of the page. A value that rounds to zero has no
    sign.
    """
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    plus = "+" if sign and rounded > 0 else ""
    return plus + f"{rounded:z.{digits}f}".replace("-", "\N{MINUS SIGN}")
