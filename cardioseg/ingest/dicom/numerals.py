"""Numerals: the numbers in a tag's text, whatever value representation and decimal comma the writer used."""

import re
from math import isfinite
from typing import Any

_PADDING = " \t\r\n\0"
_BLANKS = re.compile(r"[\s;]+")


def numbers(text: str) -> list[int | float | None]:
    """The numbers of a text, in order; None for a part that is not a number.

    DICOM separates values by backslashes. Without a backslash, blanks and semicolons separate them, and so do commas if
    the numbers have decimal points. Any other comma is a decimal comma.
    """
    text = text.strip(_PADDING)
    if not text:
        return []
    return [_number(part.strip(_PADDING)) for part in _parts(text)]


def number(value: Any) -> float | None:  # noqa: ANN401 - whatever a tag holds
    """A tag's value as one finite number; None if it is absent, empty, several values or not a number."""
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
