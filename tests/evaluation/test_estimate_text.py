"""Numbers as people read them."""

from cardioseg.evaluation.estimate_text import interval, limits, mean, number, probability, signed
from cardioseg.measure.significance import Interval
from cardioseg.measure.spread import Spread


def test_numbers() -> None:
    assert [number(value, 2) for value in (1.005, -0.5, 0.0, None)] == ["1.00", "−0.50", "0.00", "–"]
    assert [signed(value) for value in (1.26, -0.31, 0.0, -0.04, None)] == ["+1.3", "−0.3", "0.0", "0.0", "–"]
    assert interval(Interval(-2.04, -3.0, 1.25, 8)) == "−2.0 [−3.0, 1.3]"
    assert interval(None) == "–"
    assert [probability(p) for p in (0.04, 0.0009, 1.0)] == ["0.040", "< 0.001", "1.000"]
    low, high = Interval(-3.14, -4.0, -2.0, 8), Interval(4.2, 3.0, 5.0, 8)
    assert [limits(low, high), limits(None, None)] == ["−3.1 to 4.2", "– to –"]
    spreads = (Spread(160, 0.9124, 0.0341), Spread(1, -2.0, None), Spread(0, None, None), None)
    assert [mean(spread, 2) for spread in spreads] == ["0.91 ± 0.03 (160)", "−2.00 (1)", "–", ""]


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert [number(-0.0001, 3), number(-0.0), number(-0.04)] == ["0.000", "0.0", "0.0"]
    assert interval(Interval(-0.0004, -0.5, -0.0001, 3), 3) == "0.000 [−0.500, 0.000]"
    assert limits(Interval(-0.01, -1, 1, 3), Interval(0.01, -1, 1, 3)) == "0.0 to 0.0"
    assert mean(Spread(3, -0.0001, 0.1), 2) == "0.00 ± 0.10 (3)"
