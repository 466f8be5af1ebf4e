"""Numerals: the numbers in a tag's text, whatever kind of value the writer declared and whichever comma it used."""

import re
from math import isfinite
from typing import Any

_PADDING = " \t\r\n\0"
_BLANKS = re.compile(r"[\s;]+")


def numbers(text: str) -> list[int | float | None]:
    """The numbers of a text, in order; None stands for a part that is no number.

    DICOM separates values by backslashes. Without one, blanks and semicolons separate them, and commas do where the
    numbers have decimal points. Any other comma is a decimal comma.
    """
    text = text.strip(_PADDING)
    if not text:
        return []
    return [_number(part.strip(_PADDING)) for part in _parts(text)]


def number(value: Any) -> float | None:  # noqa: ANN401 - whatever a tag holds
    """A tag's value as one finite number; None where it is absent, empty, several values or no number."""
    try:
        result = float(value)
    except (TypeError, ValueError):
        return None
    return result if isfinite(result) else None


def _parts(text: str) -> list[str]:
    if "\\" in text:
        return text.split("\\")
    blanks = _BLANKS.split(text)
    return text.split(",") if len(blanks) == 1 and "." in text else blanks


def _number(text: str) -> int | float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    if "_" in text:  # Python's own way to group digits
        return None
    return int(value) if value.is_integer() else value
