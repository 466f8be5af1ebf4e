"""Cines whose slices are separate series."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioseg.ingest.cine.continued_stacks import join_continued_stacks
from cardioseg.ingest.cine.series import Kind, Series, judge
from cardioseg.ingest.cine.split_series import join_split_series
from cardioseg.ingest.dicom.slice_header import SliceHeader

Plane = Callable[..., SliceHeader]
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def part(plane: Plane, index: float, number: float, phases: int = 10, **fields: Any) -> Series:
    """A series of one slice, the `number`-th that was acquired."""
    usual = {"series_uid": f"1.{number}", "series_number": number, "acquisition_s": 100.0 + number}
    return judge(
        [
            plane(index, phase, path=Path(f"s{number}", f"{phase}"), instance_number=phase, **usual | fields)
            for phase in range(phases)
        ]
    )


def parts(plane: Plane, order: list[float], first: int = 0, **fields: Any) -> list[Series]:
    return [part(plane, index, number, **fields) for number, index in enumerate(order, start=first)]


def verdicts(found: list[Series]) -> list[tuple[Kind, str]]:
    return [(series.kind, series.reason) for series in found]


def series_at(series: Series, index: int) -> str | None:
    assert series.stack is not None
    header = series.stack.headers[0][index]
    return header.series_uid if header else None


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [0, 2, 4, 1, 3, 5]])
def test_a_series_a_slice_becomes_one_cine(plane: Plane, order: list[float]) -> None:
    (joined,) = join_split_series(parts(plane, order))
    assert verdicts([joined]) == [
        (Kind.SHORT_AXIS_CINE, "6 parallel planes of 10 phases; joined from 6 series"),
    ]
    assert joined.stack is not None
    assert joined.stack.flags == ()
    assert [series_at(joined, index) for index in range(6)] == [f"1.{order.index(index)}" for index in range(6)]


def test_what_is_no_slice_of_it_stays_out(plane: Plane) -> None:
    stack = parts(plane, [0, 1, 2, 3, 4], echo_ms=1.2, flip_degrees=50.0, thickness_mm=8.0, sequence=("SSFP", ""))
    others = [
        part(plane, 5, 11, echo_ms=1.2, study_uid="another"),
        part(plane, 5, 12, orientation=CORONAL),
        part(plane, 5, 13, shape=(7, 6)),
        part(plane, 5, 14, pixel_mm=(1.6, 1.25)),
        part(plane, 5, 15, echo_ms=3.0),
        part(plane, 5, 16, image_type=("ORIGINAL", "PRIMARY", "P")),
        part(plane, 5, 17, phases=20),
        part(plane, 5, 18, phases=9, position_mm=(60.0, 20.0, 30.0)),
        part(plane, 5, 19, phases=1),
        part(plane, 5, 20, flip_degrees=12.0),
        part(plane, 5, 21, thickness_mm=6.0),
        part(plane, 5, 22, sequence=("GRE", "")),
    ]
    joined, *rest = join_split_series([*others, *stack])
    assert (joined.slices, joined.reason) == (5, "5 parallel planes of 10 phases; joined from 5 series")
    assert rest == others


def test_two_patients_and_two_whole_stacks_stay_two(plane: Plane) -> None:
    patients = [one for study in "ab" for one in parts(plane, [0, 1, 2, 3, 4], study_uid=study)]
    assert [one.slices for one in join_split_series(patients)] == [5, 5]
    whole = [
        judge([header for one in parts(plane, [0, 1, 2, 3, 4], series_uid=uid) for header in one.headers])
        for uid in "ab"
    ]
    assert join_split_series(whole) == whole


def test_a_stack_acquired_twice_slice_by_slice_stays_two(plane: Plane) -> None:
    joined = join_split_series(parts(plane, [0, 1, 2, 3, 4] * 2))
    assert [one.reason for one in joined] == ["5 parallel planes of 10 phases; joined from 5 series"] * 2
    assert [series_at(one, 0) for one in joined] == ["1.5", "1.0"]
    again = join_split_series(parts(plane, [0, 1, 2, 3, 4, 3, 0, 1, 2, 3, 4]))  # the first one's slice 3 was repeated
    assert [series_at(one, 3) for one in again] == ["1.9", "1.5"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 4, 5, 6, 7]),  # it ends sooner
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 3, 4, 5, 6]),
        ([8, 7, 6, 5, 4, 3, 2, 1, 0], [7, 6, 5, 4, 3, 2, 1, 0]),  # it begins later
        ([8, 7, 6, 5, 4, 3, 2, 1, 0], [8, 7, 6, 5, 4, 3, 2, 1]),
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], [8, 7, 6, 5, 4, 3, 2, 1]),
        ([0, 1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7, 8]),  # it was planned one slice higher
        ([8, 7, 6, 5, 4, 3, 2, 1], [7, 6, 5, 4, 3, 2, 1, 0]),
        ([0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_no_slice_is_taken_from_another_acquisition(plane: Plane, first: list[float], second: list[float]) -> None:
    earlier, later = parts(plane, first), parts(plane, second, first=40)
    joined = join_split_series([*later, *earlier])
    used = [{header.series_uid for header in stack.headers} for stack in joined]
    assert used == [{part.headers[0].series_uid for part in acquisition} for acquisition in (later, earlier)]
    assert all(stack.stack and stack.stack.flags == () for stack in joined)


def test_slices_under_stress_are_no_repetition(plane: Plane) -> None:
    rest = parts(plane, [0, 1, 2, 3, 4, 5], nominal_interval_ms=920.0)
    stress = parts(plane, [2, 3, 4], first=10, nominal_interval_ms=630.0)
    joined, *left = join_split_series([*stress, *rest])
    assert (joined.slices, joined.reason) == (6, "6 parallel planes of 10 phases; joined from 6 series")
    assert left == stress
    again = parts(plane, [2, 3, 4], first=10, nominal_interval_ms=850.0)
    assert len(join_split_series([*rest, *again])) == 1


def test_a_single_slice_at_another_heart_rate_is_not_lost(plane: Plane) -> None:
    rest = [part(plane, index, index, heart_rate_bpm=80.0 if index == 5 else 60.0) for index in range(7)]
    stress = part(plane, 3, 20, heart_rate_bpm=82.0)
    cine, left = join_continued_stacks(join_split_series([*rest, stress]))
    assert (cine.slices, series_at(cine, 3), left) == (7, "1.3", stress)
    assert cine.stack is not None
    assert [(flag.kind, flag.slice) for flag in cine.stack.flags] == [("unused repeat", 3)]


@pytest.mark.parametrize("echoes_ms", [[1.24, 1.26] * 3, [1.24] * 3 + [1.26] * 3])
def test_an_echo_time_that_hardly_varies_is_one(plane: Plane, echoes_ms: list[float]) -> None:
    (joined,) = join_split_series([part(plane, index, index, echo_ms=echo) for index, echo in enumerate(echoes_ms)])
    assert (joined.slices, joined.phases) == (6, 10)


@pytest.mark.parametrize(
    ("order", "repeated", "newest"),
    [
        ([0, 1, 2, 3, 4, 2], [2], {2: "1.5", 3: "1.3"}),
        ([0, 0, 1, 2, 3, 4], [0], {0: "1.1", 1: "1.2"}),
        ([0, 1, 2, 2, 2, 3, 4], [2], {2: "1.4"}),
        ([8, 7, 6, 5, 4, 3, 2, 1, 0, 5, 4, 3], [3, 4, 5], {3: "1.11", 5: "1.9", 6: "1.2"}),
    ],
)
def test_the_newest_of_repeated_slices_counts(
    plane: Plane, order: list[float], repeated: list[int], newest: dict[int, str]
) -> None:
    (joined,) = join_split_series(parts(plane, order))
    assert joined.stack is not None
    assert [(flag.kind, flag.slice) for flag in joined.stack.flags] == [("repeated slice", index) for index in repeated]
    assert {index: series_at(joined, index) for index in newest} == newest
    plural = "s" if len(repeated) > 1 else ""
    assert joined.reason.endswith(
        f"joined from {len(order)} series; repeated slice{plural} {', '.join(map(str, repeated))}"
    )


def test_too_few_slices_are_left_as_they_are(plane: Plane) -> None:
    found = [*parts(plane, [0, 1, 2, 3]), *parts(plane, [0, 0], first=10, orientation=CORONAL)]
    assert join_split_series(found) == found


def test_a_single_slice_between_the_others_stays_out(plane: Plane) -> None:
    found = [*parts(plane, [0, 1, 2, 3, 4]), part(plane, 2.4, 9)]
    joined, odd = join_split_series(found)
    assert (joined.slices, joined.stack is None, odd.kind) == (5, False, Kind.SINGLE_SLICE_CINE)
    uneven = join_split_series(parts(plane, [0, 1, 2.4, 3.7, 5.2]))
    assert [(one.kind, one.stack) for one in uneven] == [(Kind.SHORT_AXIS_CINE, None)]
    assert "unevenly spaced" in uneven[0].reason


def test_a_stack_that_was_planned_again_a_little_higher(plane: Plane) -> None:
    low, high = join_split_series(parts(plane, [0, 1, 2, 3, 4, 5, 0.4, 1.4, 2.4, 3.4, 4.4]))
    assert (low.slices, high.slices) == (6, 5)
    assert [series_at(low, 0), series_at(high, 0)] == ["1.0", "1.6"]


def test_a_slice_that_lost_a_file_still_belongs(plane: Plane) -> None:
    found = parts(plane, [0, 1, 2, 3, 4, 5])
    found[2] = judge([header for header in found[2].headers if header.trigger_ms != 80])
    (joined,) = join_split_series(found)
    assert joined.reason == "6 parallel planes of 10 phases; joined from 6 series; missing phase (slice 2, phase 2)"


def test_a_slice_that_lost_most_files_does_not(plane: Plane) -> None:
    found = parts(plane, [0, 1, 2, 3, 4])
    odd = [part(plane, 5, 8, phases=8), part(plane, 2, 9, phases=8)]  # one too few to place, one not missed
    odd[0] = judge([replace(header, trigger_ms=(header.trigger_ms or 0) ** 1.3) for header in odd[0].headers])
    assert [one.slices for one in join_split_series([*found, *odd])] == [5, 1, 1]


def test_groups_of_few_slices_are_joined_too(plane: Plane) -> None:
    two = [judge([*one.headers, *other.headers]) for one, other in
           zip(parts(plane, [0, 2, 4], first=1), parts(plane, [1, 3, 5], first=1), strict=True)]  # fmt: skip
    assert {one.kind for one in two} == {Kind.SHORT_CINE}
    (joined,) = join_split_series(two)
    assert (joined.slices, joined.reason.split("; ")[1]) == (6, "joined from 3 series")


def test_order_of_series_changes_nothing(plane: Plane) -> None:
    found = parts(plane, [0, 1, 2, 3, 4, 2])
    shuffled = [found[index] for index in np.random.default_rng(3).permutation(len(found))]
    assert join_split_series(shuffled) == join_split_series(found)


def test_without_times_the_series_number_tells_age(plane: Plane) -> None:
    found = [
        judge([replace(header, acquisition_s=None) for header in one.headers])
        for one in parts(plane, [0, 1, 2, 3, 4, 1])
    ]
    (joined,) = join_split_series(found)
    assert series_at(joined, 1) == "1.5"


@pytest.mark.parametrize("counts", [[12, 12, 13, 12, 12, 12, 12], [12, 13, 12, 14, 12, 13, 13, 12]])
def test_slices_that_end_with_each_r_wave_are_one_cine(plane: Plane, counts: list[int]) -> None:
    found = [part(plane, index, index, phases=count) for index, count in enumerate(counts)]
    (joined,) = join_split_series(found)
    assert (joined.slices, joined.phases) == (len(counts), 12)
    assert joined.stack is not None
    more = [index for index, count in enumerate(counts) if count > 12]
    assert [(flag.kind, flag.slice) for flag in joined.stack.flags] == [("surplus phase", index) for index in more]


def test_another_film_of_the_heart_is_not_joined(plane: Plane) -> None:
    found = [part(plane, index, index, phases=count) for index, count in enumerate([12, 20, 30, 45, 70, 110])]
    assert len(join_split_series(found)) == 6
