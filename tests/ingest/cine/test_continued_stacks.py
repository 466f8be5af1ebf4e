"""Short-axis cines that were exported as several series, and slices that were acquired again as a series."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioseg.ingest.cine.continued_stacks import join_continued_stacks
from cardioseg.ingest.cine.series import Kind, Series, judge
from cardioseg.ingest.cine.split_series import join_split_series
from cardioseg.ingest.dicom.slice_header import SliceHeader

Plane = Callable[..., SliceHeader]

USUAL = {
    "echo_ms": 1.53,
    "flip_degrees": 45.0,
    "sequence": ("GR", "tfi2d1_15"),
    "thickness_mm": 8.0,
    "nominal_interval_ms": 900.0,
}


def series(plane: Plane, places: Iterable[float], number: int = 1, phases: int = 10, **fields: Any) -> Series:
    """A series of slices at these places, acquired as the `number`-th."""
    step_ms = fields.pop("step_ms", 40.0)
    usual = USUAL | {"series_uid": f"1.{number}", "series_number": number, "acquisition_s": 100.0 * number}
    return judge(
        [
            plane(
                place,
                path=Path(f"s{number}", f"{place}-{phase}"),
                instance_number=phase,
                **usual | {"trigger_ms": phase * step_ms} | fields,
            )
            for place in places
            for phase in range(phases)
        ]
    )


def joined(*found: Series) -> list[Series]:
    return join_continued_stacks(join_split_series(found))


def flags(cine: Series) -> list[tuple[str, int | None]]:
    assert cine.stack is not None
    return [(flag.kind, flag.slice) for flag in cine.stack.flags]


def reasons(cine: Series) -> list[str]:
    assert cine.stack is not None
    return [flag.reason for flag in cine.stack.flags]


def numbers(cine: Series) -> list[str]:
    """The series of each slice."""
    assert cine.stack is not None
    return [header.series_uid.removeprefix("1.") if header else "" for header in cine.stack.headers[0]]


SPLITS = {
    "10 + 2": [range(10), range(10, 12)],
    "11 + 1": [range(11), [11]],
    "8 + 4": [range(8), range(8, 12)],
    "6 + 6": [range(6), range(6, 12)],
    "7 + 5": [range(7), range(7, 12)],
    "apex first": [range(2, 12), range(2)],
    "both ends": [range(2, 10), range(2), [10, 11]],
    "both ends, slice by slice": [range(2, 10), [0], [1], [11], [10]],
    "odd and even": [range(0, 12, 2), range(1, 12, 2)],
    "every third": [range(0, 18, 3), range(1, 18, 3), range(2, 18, 3)],
    "slices between, one by one": [range(0, 10, 2), [1], [3], [5], [7]],
    "one in the middle": [[0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11], [6]],
    "five in the middle": [[0, 1, 2, 3, 9, 10, 11], range(4, 9)],
    "three thirds": [range(5), range(5, 10), range(10, 15)],
}


@pytest.mark.parametrize("split", SPLITS.values(), ids=SPLITS)
@pytest.mark.parametrize("order", [1, -1])
def test_a_stack_of_several_series_is_that_of_one(plane: Plane, split: list[Iterable[int]], order: int) -> None:
    """Whichever of them was acquired first."""
    found = [series(plane, places, number) for number, places in enumerate(split[::order], start=1)]
    (cine,) = joined(*found)
    whole = series(plane, range(sum(len(list(places)) for places in split)))
    assert cine.stack is not None
    assert whole.stack is not None
    assert (cine.stack.grid, cine.stack.flags) == (whole.stack.grid, ())
    assert cine.reason == f"{whole.slices} parallel planes of 10 phases; joined from {len(split)} series"
    assert joined(*found[::-1]) == [cine]


def test_one_missing_slice_between_two_series_is_flagged(plane: Plane) -> None:
    (cine,) = joined(series(plane, range(8)), series(plane, [9, 10], 2))
    assert (cine.slices, flags(cine)) == (10, [("missing slice", 8)])


def test_two_acquisitions_of_a_stack_stay_two(plane: Plane) -> None:
    """As rest and stress, or before and after contrast, even if each of them is two series."""
    twice = [series(plane, range(10)), series(plane, range(1, 11), 2)]
    assert joined(*twice) == twice
    rest = [series(plane, range(7)), series(plane, range(7, 12), 2)]
    stress = [series(plane, range(7), 3), series(plane, range(7, 12), 4)]
    assert sorted(map(numbers, joined(*rest, *stress))) == [["1"] * 7 + ["2"] * 5, ["3"] * 7 + ["4"] * 5]
    added = [series(plane, range(7)), series(plane, [7, 8], 2), series(plane, range(7), 3), series(plane, [7, 8], 4)]
    assert sorted(map(numbers, joined(*added))) == [["1"] * 7 + ["2"] * 2, ["3"] * 7 + ["4"] * 2]
    most = [series(plane, range(5)), series(plane, range(4), 2)]
    first, again = joined(*most)
    assert (numbers(first), again) == (["1"] * 5, most[1])
    assert flags(first) == [("unused repeat", index) for index in range(4)]


def test_a_stack_planned_again_between_the_slices_stays_apart(plane: Plane) -> None:
    """Its slices would overlap with those of the first stack."""
    twice = [series(plane, range(8)), series(plane, np.arange(8) + 0.5, 2)]
    assert joined(*twice) == twice


def test_another_patient_or_plane_is_not_joined(plane: Plane) -> None:
    stack = series(plane, range(8))
    others = [
        series(plane, [8, 9], 2, study_uid="another"),
        series(plane, [8, 9], 3, orientation=(1.0, 0.0, 0.0, 0.0, 0.0, -1.0)),
        series(plane, [8, 9], 4, phases=1),
        series(plane, [14, 15], 5),
        series(plane, [8, 9], 6, patient_id="another"),
    ]
    found = joined(stack, *others)
    assert found[0] == stack
    assert {id(entry) for entry in found[1:]} == {id(entry) for entry in others}


UNFIT = {
    "its rows or columns differ": {"shape": (7, 6)},
    "its pixel spacing differs": {"pixel_mm": (1.6, 1.25)},
    "it has 20 phases instead of 10": {"phases": 20},
    "it has 9 phases instead of 10": {"phases": 9, "step_ms": 47.0},
    "its echo time differs": {"echo_ms": 3.0},
    "its flip angle differs": {"flip_degrees": 20.0},
    "its sequence is of another kind": {"sequence": ("SE", "tfi2d1_15")},
    "its sequence has another name": {"sequence": ("GR", "fl2d1_tag")},
    "its slice thickness differs": {"thickness_mm": 6.0},
    "its images are of another type": {"image_type": ("ORIGINAL", "PRIMARY", "P")},
    "its phases have times of another kind": {"trigger_ms": None},
}


@pytest.mark.parametrize(("why", "fields"), UNFIT.items(), ids=UNFIT)
def test_a_series_that_continues_a_stack_and_does_not_fit_is_told(
    plane: Plane, why: str, fields: dict[str, Any]
) -> None:
    for places in ([8, 9], range(8, 14)):
        stack, other = series(plane, range(8)), series(plane, places, 2, **fields)
        cine = next(entry for entry in joined(stack, other) if entry.headers == stack.headers)
        assert flags(cine) == [("slices not joined", None)]
        count = len(list(places))
        text = f"another series of the study continues this stack (by {count} slices) and is not part of it: {why}"
        assert reasons(cine) == [text]
        assert cine.reason == f"{stack.reason}; slices not joined"


@pytest.mark.parametrize(("why", "fields"), UNFIT.items(), ids=UNFIT)
def test_a_slice_of_another_kind_replaces_none(plane: Plane, why: str, fields: dict[str, Any]) -> None:
    stack, other = series(plane, range(8)), series(plane, [5], 2, **fields)
    cine, rest = joined(stack, other)
    assert (cine.headers, rest) == (stack.headers, other)
    if why.startswith(("its echo", "its sequence")):  # tagging or flow, not the slice again
        assert flags(cine) == []
    else:
        assert flags(cine) == [("unused repeat", 5)]
        assert reasons(cine) == [f"a later series shows this slice again and is not used: {why}"]


def test_uneven_or_shifted_slices_are_told(plane: Plane) -> None:
    stack = series(plane, range(8))
    cine, _ = joined(stack, series(plane, [8.3, 9.3], 2))
    assert [reason.rpartition(": ")[2] for reason in reasons(cine)] == ["the slices are unevenly spaced"]
    x, y, z = series(plane, [8]).headers[0].position_mm
    cine, _ = joined(stack, series(plane, [8], 2, position_mm=(x, y, z - 2.0)))
    assert [reason.rpartition(": ")[2] for reason in reasons(cine)] == ["it is shifted sideways"]
    cine, _ = joined(stack, series(plane, [5.2], 2))
    assert flags(cine) == [("unused repeat", 5)]


def test_a_name_that_differs_by_the_echo_train_is_no_other_sequence(plane: Plane) -> None:
    (cine,) = joined(series(plane, range(8)), series(plane, [8], 2, sequence=("GR", "tfi2d1_13")))
    assert cine.slices == 9


def test_a_slice_acquired_again_as_a_series_is_used(plane: Plane) -> None:
    (cine,) = joined(series(plane, range(8)), series(plane, [5], 2))
    assert (numbers(cine), flags(cine)) == (list("11111211"), [("repeated slice", 5)])
    assert reasons(cine) == ["2 acquisitions: the newest complete one is used"]
    (cine,) = joined(series(plane, range(8)), series(plane, [5], 2), series(plane, [2, 3], 3), series(plane, [5], 4))
    assert numbers(cine) == list("11331411")
    (cine,) = joined(series(plane, range(10)), series(plane, [9, 10, 11], 2))
    assert (numbers(cine), flags(cine)) == (list("111111111222"), [("repeated slice", 9)])


def test_many_slices_acquired_again_as_a_stack_are_told(plane: Plane) -> None:
    again = series(plane, range(3, 8), 2)
    cine, rest = joined(series(plane, range(12)), again)
    assert (numbers(cine), numbers(rest)) == (["1"] * 12, ["2"] * 5)
    assert flags(rest) == [("slices not joined", None)]
    assert flags(cine) == [("unused repeat", index) for index in range(3, 8)]
    assert reasons(cine)[0].endswith("is not used: it is another acquisition of the stack")


def test_without_times_and_numbers_a_repetition_is_told(plane: Plane) -> None:
    timeless = {"acquisition_s": None, "series_number": None}
    cine, _ = joined(series(plane, range(8), **timeless), series(plane, [5], 2, **timeless))
    assert (numbers(cine), flags(cine)) == (list("11111111"), [("unused repeat", 5)])
    (cine,) = joined(series(plane, range(8), acquisition_s=None), series(plane, [5], 2, acquisition_s=None))
    assert numbers(cine) == list("11111211")


def test_equal_flags_are_one(plane: Plane) -> None:
    other_kinds = [series(plane, [5], number, flip_degrees=20.0) for number in (2, 3)]
    cine = joined(series(plane, range(8)), *other_kinds)[0]
    assert cine.reason == "8 parallel planes of 10 phases; unused repeat 5"
    other_kinds = [series(plane, [place], place, flip_degrees=20.0) for place in (8, 9)]
    text = (
        "2 other series of the study continue this stack (by 2 slices) and are not part of it: its flip angle differs"
    )
    assert reasons(joined(series(plane, range(8)), *other_kinds)[0]) == [text]


def test_an_older_slice_does_not_replace_the_one_of_the_stack(plane: Plane) -> None:
    (cine,) = joined(series(plane, range(8), 2), series(plane, [5], 1))
    assert (numbers(cine), flags(cine)) == (list("22222222"), [("repeated slice", 5)])


def test_a_later_slice_that_is_incomplete_is_told(plane: Plane) -> None:
    cine, _ = joined(series(plane, range(8)), series(plane, [5], 2, phases=8))
    assert (numbers(cine), flags(cine)) == (list("11111111"), [("unused repeat", 5)])


def test_slices_under_stress_do_not_replace_those_at_rest(plane: Plane) -> None:
    cine, _ = joined(series(plane, range(8)), series(plane, [2, 4, 6], 2, nominal_interval_ms=500.0))
    assert (numbers(cine), flags(cine)) == (list("11111111"), [("unused repeat", index) for index in (2, 4, 6)])
    assert reasons(cine)[0].endswith("its heart rate is 120 per minute instead of 67, as under stress or at rest")


def test_a_part_belongs_to_the_last_stack_before_it(plane: Plane) -> None:
    found = [series(plane, range(8)), series(plane, [5], 2), series(plane, range(8), 3), series(plane, [6], 4)]
    assert sorted(map(numbers, joined(*found))) == [list("11111211"), list("33333343")]


def test_images_of_one_measurement_in_two_series_are_no_repetition(plane: Plane) -> None:
    phase_images = {"image_type": ("ORIGINAL", "PRIMARY", "P"), "acquisition_s": 100.0}
    cine, _ = joined(series(plane, range(8)), series(plane, [5], 2, **phase_images))
    assert flags(cine) == []


def test_series_with_the_ids_of_the_stack_are_another_scan(plane: Plane) -> None:
    """Folders that were taken apart since their images differ are not joined again."""
    found = [series(plane, range(8)), series(plane, [5], 2, series_uid="1.1")]
    assert joined(*found) == found


def test_without_short_axes_nothing_changes(plane: Plane) -> None:
    found = [series(plane, [0, 1]), series(plane, [2], 2)]
    assert joined(*found) == found
    assert {entry.kind for entry in found} == {Kind.SHORT_CINE, Kind.SINGLE_SLICE_CINE}


def turned(plane: Plane, place: float, degrees: float) -> dict[str, Any]:
    """Fields of an image with the same centre whose rows are swapped with columns, tilted about its columns."""
    usual = plane(place)
    across, down = np.array(usual.orientation[:3]), np.array(usual.orientation[3:])
    centre = usual.position_mm + across * 1.25 * 3 + down * 1.5 * 2.5
    angle = np.radians(degrees)
    tilted = np.cos(angle) * across + np.sin(angle) * np.cross(across, down)
    position = centre - down * 1.5 * 2.5 - tilted * 1.25 * 3
    if degrees == 0:  # turned by a right angle: pixels are 1.5 by 1.25 mm in any case
        tilted, down = down, -across
        position = centre - down * 1.5 * 2.5 - tilted * 1.25 * 3
    return {"orientation": (*tilted, *down), "position_mm": tuple(position)}


@pytest.mark.parametrize(
    ("degrees", "why"),
    [(0, "its images are turned within their plane"), (3, "its planes are tilted by 3.0 degrees")],
)
def test_a_missing_slice_that_exists_in_another_direction_is_told(plane: Plane, degrees: float, why: str) -> None:
    stack = series(plane, [0, 1, 2, 3, 5, 6, 7])
    cine, _ = joined(stack, series(plane, [4], 2, **turned(plane, 4, degrees)))
    assert flags(cine) == [("missing slice", 4), ("slices not joined", 4)]
    assert reasons(cine)[1].startswith(f"another series of the study shows this slice and is not used: {why}")
    cine, _ = joined(series(plane, range(8)), series(plane, [8], 2, **turned(plane, 8, degrees)))
    assert flags(cine) == [("slices not joined", None)]
    assert reasons(cine)[0].rpartition(": ")[2].startswith(why)


def test_long_axes_and_slices_again_in_another_direction_are_no_continuation(plane: Plane) -> None:
    for degrees, place in ((60, 4), (0, 5)):
        stack = series(plane, [0, 1, 2, 3, 5, 6, 7])
        cine, _ = joined(stack, series(plane, [place], 2, **turned(plane, place, degrees)))
        assert flags(cine) == [("missing slice", 4)]
