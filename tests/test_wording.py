"""Counts, lists and numbers as people write them."""

import pytest

from cardioseg.wording import counted, decimal, listed


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(62.25, 1, "62.3"), (-62.25, 1, "−62.3"), (-0.04, 1, "0.0"), (2.5, 0, "3"), (0.125, 2, "0.13"), (7, 1, "7.0")],
)
def test_halves_go_away_from_zero_and_zero_has_no_sign(value: float, digits: int, text: str) -> None:
    assert decimal(value, digits) == text
    assert decimal(value, digits, sign=True) == ("+" if value > 0 else "") + text


def test_words_are_counted_and_listed() -> None:
    assert [counted(number, "slice") for number in (0, 1, 1512)] == ["0 slices", "1 slice", "1,512 slices"]
    assert [listed(list("ABC")[:number]) for number in range(4)] == ["", "A", "A and B", "A, B and C"]
    assert listed(list("ABCDE"), 2) == "A, B and 3 more"
    assert listed(list("AB"), 2) == "A and B"
