"""Numbers as people read them."""

from cardioseg.evaluation.wording import interval, number, probability, several, signed
from cardioseg.measure.significance import Interval


def test_numbers() -> None:
    assert [number(value, 2) for value in (1.005, -0.5, 0.0, None)] == ["1.00", "−0.50", "0.00", "–"]
    assert [signed(value) for value in (1.26, -0.31, 0.0, -0.04, None)] == ["+1.3", "−0.3", "0.0", "0.0", "–"]
    assert interval(Interval(-2.04, -3.0, 1.25, 8)) == "−2.0 [−3.0, 1.2]"
    assert interval(None) == "–"
    assert [probability(p) for p in (0.04, 0.0009, 1.0)] == ["0.040", "< 0.001", "1.000"]
    assert [several(count, "slice") for count in (0, 1, 1512)] == ["0 slices", "1 slice", "1,512 slices"]
