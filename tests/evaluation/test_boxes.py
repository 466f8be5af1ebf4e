"""Box plots as numbers."""

import numpy as np
import pytest

from cardioseg.evaluation.boxes import BoxPlot, Quartiles, box_plot
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.image.labels import Label
from cardioseg.measure.distance import Distances
from cardioseg.measure.overlap import Overlap

LV, RV = Label.LV_CAVITY, Label.RV_CAVITY
DICE = (0.90, 0.91, 0.92, 0.93, 0.94, 0.87)


def scores(values: tuple[float, ...], label: Label = LV, volume: str = "ed") -> list[VolumeScore]:
    return [
        VolumeScore(f"s{number}", f"c{number}", volume, label, Overlap(1000, 1000, round(1000 * value)),
                    Distances(hd95_mm=20 * (1 - value)), 9, None, ())
        for number, value in enumerate(values)
    ]  # fmt: skip


def drawn(found: list[VolumeScore], metric: str = "dice", least: tuple[float, float] = (0.8, 1.0)) -> BoxPlot:
    plot = box_plot("Dice", metric, found, least)
    assert plot is not None
    return plot


def values(plot: BoxPlot, places: list[float]) -> list[float]:
    ticks = [(tick.at, float(tick.text)) for tick in plot.y_ticks]
    slope, start = np.polyfit(*zip(*ticks, strict=True), 1)
    return [float(start + slope * place) for place in places]


def test_a_box_is_quartiles_and_whiskers() -> None:
    plot = drawn(scores(DICE))
    [box] = plot.boxes
    low, median, high = np.percentile(DICE, (25, 50, 75))
    places = [box.bottom, box.median, box.top, *box.whiskers]
    assert values(plot, places) == pytest.approx([low, median, high, 0.94, 0.87], abs=1e-3)
    assert box.title == "LV cavity ED: median 0.915, quartiles 0.903 and 0.927, n 6"
    assert plot.summary == f"Box plot of Dice: {box.title}"


def test_quartiles_are_numpys_and_whiskers_tukeys() -> None:
    sample = [1.0, 2.0, 3.0, 4.0, 50.0]
    assert Quartiles.of(sample) == Quartiles(2.0, 3.0, 4.0, (1.0, 4.0), (1.0, 50.0))
    assert Quartiles.of([7.0]) == Quartiles(7.0, 7.0, 7.0, (7.0, 7.0), (7.0, 7.0))


def test_every_volume_is_a_point_with_its_name() -> None:
    plot = drawn(scores((*DICE, 0.70)))
    points = plot.boxes[0].points
    assert values(plot, [point.y for point in points]) == pytest.approx([*DICE, 0.70], abs=1e-3)
    assert [point.kind for point in points] == ["inside"] * 6 + ["beyond"]
    assert points[-1].title == "c6 ed, LV cavity: 0.7"
    assert len({point.x for point in points}) == len(points)
    assert all(abs(point.x - plot.boxes[0].x) < plot.half_width for point in points)


def test_what_went_wrong_does_not_flatten_the_boxes() -> None:
    plot = drawn(scores((*DICE, 0.0)))
    lost = plot.boxes[0].points[-1]
    assert (lost.kind, lost.y) == ("below", plot.frame.bottom)
    assert lost.title.endswith(": 0")
    far = drawn(scores((*DICE, -9.0)), "hd95_mm", (0.0, 1.0)).boxes[0].points[-1]
    assert (far.kind, far.y) == ("above", pytest.approx(plot.frame.top, abs=5))
    assert plot.boxes[0].bottom - plot.boxes[0].top > 10


def test_labels_and_phases_stand_side_by_side() -> None:
    found = [*scores(DICE, LV, "es"), *scores(DICE, LV, "ed"), *scores(DICE, RV, "ed"), *scores(DICE, RV, "frame07")]
    plot = drawn(found)
    assert [(box.label, box.name) for box in plot.boxes] == [(RV, ""), (RV, "ED"), (LV, "ED"), (LV, "ES")]
    places = [box.x for box in plot.boxes]
    assert plot.frame.left < places[0] - plot.half_width
    assert places[-1] + plot.half_width < plot.frame.right
    assert min(np.diff(places)) > 2 * plot.half_width
    assert [(label, tick.text) for label, tick in plot.names] == [(RV, "RV cavity"), (LV, "LV cavity")]
    assert plot.names[0][1].at == pytest.approx((places[0] + places[1]) / 2, abs=0.01)


def test_perfect_and_unknown_values() -> None:
    perfect = drawn(scores((1.0, 1.0)), "hd95_mm", (0.0, 1.0))
    assert values(perfect, [perfect.boxes[0].median]) == pytest.approx([0], abs=1e-3)
    assert box_plot("ASSD", "assd_mm", scores(DICE), (0.0, 1.0)) is None
