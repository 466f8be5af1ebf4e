"""Conventions: what the numbers in masks mean, as an option of the command line."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cardioseg.errors import UsageError

if TYPE_CHECKING:
    from cardioseg.image.labels import Label

CONVENTION = "acdc (1 RV, 2 myocardium, 3 LV); mnms or ukbb (1 LV, 2 myocardium, 3 RV)."


def convention_of(name: str | None) -> "Mapping[int, Label] | None":
    """The meaning of numbers by its name; None where it is left to the data.

    Raises:
        UsageError: there is none of that name.
    """
    from cardioseg.image.labels import CONVENTIONS

    if name is None:
        return None
    if name not in CONVENTIONS:
        raise UsageError(f"no label convention {name}", f"the conventions are {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name]
