"""Slices that were acquired more than once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioseg.errors import UnusableError
from cardioseg.image.flag import Flag
from cardioseg.ingest.cine.stack import stack
from cardioseg.ingest.dicom.slice_header import SliceHeader

Plane = Callable[..., SliceHeader]


def film(plane: Plane, index: int, phases: int = 10, **fields: Any) -> list[SliceHeader]:
    """A slice: its files are named by the acquisition and number on from `first`."""
    name, first, step_ms = fields.pop("name", "a"), fields.pop("first", 1), fields.pop("step_ms", 40.0)
    return [
        plane(
            index,
            phase,
            path=Path(name, f"{index}-{phase}"),
            instance_number=first + phase,
            **{"trigger_ms": phase * step_ms, "acquisition_s": 100.0 + index} | fields,
        )
        for phase in range(phases)
    ]


def cine(plane: Plane, slices: int = 5, **fields: Any) -> list[SliceHeader]:
    return [header for index in range(slices) for header in film(plane, index, **fields)]


def folders(headers: list[SliceHeader], index: int) -> set[str]:
    return {str(row[index].path.parent) for row in stack(headers).headers if row[index] is not None}  # type: ignore[union-attr]


def flags(headers: list[SliceHeader]) -> list[Flag]:
    return list(stack(headers).flags)


LATER = {
    "another acquisition time": {"acquisition_s": 900.0},
    "another acquisition number": {"acquisition_number": 2.0, "acquisition_s": 900.0},
    "another series": {"series_uid": "9", "acquisition_s": 900.0},
    "higher instance numbers": {"first": 101},
}


@pytest.mark.parametrize(
    ("later", "step_ms"),
    [(later, step_ms) for later in LATER.values() for step_ms in (40.0, 43.7)],
)
def test_the_newest_acquisition_of_a_slice_counts(plane: Plane, later: dict[str, Any], step_ms: float) -> None:
    headers = cine(plane) + film(plane, 2, name="again", step_ms=step_ms, **later)
    assert folders(headers, 2) == {"again"}
    assert folders(headers, 1) == {"a"}
    assert flags(headers) == [Flag("repeated slice", "2 acquisitions: the newest complete one is used", slice=2)]
    assert stack(headers[::-1]) == stack(headers)


def test_an_acquisition_that_was_broken_off_does_not_count(plane: Plane) -> None:
    broken = film(plane, 2, phases=4, name="broken", acquisition_s=900.0)
    assert folders(cine(plane) + broken, 2) == {"a"}
    assert [flag.kind for flag in flags(cine(plane) + broken)] == ["repeated slice"]


def test_images_with_times_of_their_own(plane: Plane) -> None:
    """GE scanners that share views give each phase its own acquisition time."""

    def timed(headers: list[SliceHeader], start_s: float) -> list[SliceHeader]:
        return [replace(header, acquisition_s=start_s + 0.04 * phase) for phase, header in enumerate(headers)]

    headers = timed(cine(plane), 100.0)
    assert not flags(headers)
    assert folders(headers + timed(film(plane, 0, name="again"), 900.0), 0) == {"again"}
    partly = headers + timed(film(plane, 0, phases=3, name="again"), 900.0)
    assert folders(partly, 0) == {"a"}
    assert [flag.kind for flag in flags(partly)] == ["repeated slice"]


def test_a_flag_says_where_only_numbers_tell_which_acquisition_is_newer(plane: Plane) -> None:
    headers = [replace(header, acquisition_s=None) for header in woven(plane, first=101)]
    assert folders(headers, 2) == {"again"}
    reason = "2 acquisitions, without times: the complete one with the higher acquisition or image numbers is used"
    assert flags(headers) == [Flag("repeated stack", reason)]


def test_a_higher_acquisition_number_is_newer_than_higher_image_numbers(plane: Plane) -> None:
    first = [replace(header, acquisition_s=None) for header in cine(plane, acquisition_number=1.0, first=1001)]
    again = [replace(header, acquisition_s=None) for header in cine(plane, name="again", acquisition_number=2.0)]
    assert all(folders(first + again, index) == {"again"} for index in range(5))


def test_acquisitions_are_never_mixed_where_nothing_says_which_is_newer(plane: Plane) -> None:
    """Neither by the order of their files, nor by image numbers that contradict each other from slice to slice."""
    headers = [replace(header, acquisition_s=None) for header in woven(plane, nominal_interval_ms=800.0)]
    with pytest.raises(
        UnusableError, match="slice 0 was acquired more than once, and nothing shows which acquisition is the newest"
    ):
        stack(headers)
    swapped = [
        replace(header, instance_number=1000 + (header.instance_number or 0))
        if header.path.name.startswith("0-") == (header.path.parent.name == "again")
        else header
        for header in headers
    ]
    with pytest.raises(UnusableError, match="its slices were acquired more than once, and nothing shows which"):
        stack(swapped)


def test_numbers_that_do_not_part_acquisitions(plane: Plane) -> None:
    headers = [replace(header, acquisition_number=index % 2) for index, header in enumerate(cine(plane))]
    again = [
        replace(header, acquisition_number=index % 2)
        for index, header in enumerate(film(plane, 1, name="again", acquisition_s=900.0))
    ]
    assert not flags(headers)
    assert folders(headers + again, 1) == {"again"}


def test_a_stack_that_was_acquired_again_as_a_whole(plane: Plane) -> None:
    headers = cine(plane) + cine(plane, name="again", acquisition_s=900.0)
    assert all(folders(headers, index) == {"again"} for index in range(5))
    assert flags(headers) == [Flag("repeated stack", "2 acquisitions: the newest complete one is used")]


def test_a_second_that_passes_is_no_second_acquisition(plane: Plane) -> None:
    headers = [
        replace(header, acquisition_s=np.floor(100.6 + header.trigger_ms / 1000))
        for header in cine(plane, phases=20)
        if header.trigger_ms is not None
    ]
    arranged = stack(headers)
    assert len({header.acquisition_s for header in headers}) == 2
    assert (len(arranged.headers), arranged.flags) == (20, ())


def test_a_copied_file_changes_nothing_but_a_flag(plane: Plane) -> None:
    headers = cine(plane)
    copied = replace(headers[14], path=Path("z", "copy"))
    assert [flag.kind for flag in flags([*headers, copied])] == ["repeated slice"]
    assert stack([*headers, copied]).places() == stack(headers).places()


def test_without_a_clock_of_the_heart_only_series_tell(plane: Plane) -> None:
    headers = [replace(header, trigger_ms=None) for header in cine(plane)]
    again = [replace(header, trigger_ms=None) for header in film(plane, 3, name="again", first=50, series_uid="9")]
    assert folders(headers + again, 3) == {"again"}


def test_other_kinds_of_image_are_not_repeats(plane: Plane) -> None:
    kinds = [
        cine(plane, name=name, image_type=("ORIGINAL", "PRIMARY", name), acquisition_number=number)
        for number, name in enumerate("MP")
    ]
    with pytest.raises(UnusableError, match=r"slice 0 has the same phase twice: .*, as different kinds of image"):
        stack(kinds[0] + kinds[1])


def woven(plane: Plane, **second: Any) -> list[SliceHeader]:
    """A cine acquired twice in one series, at trigger times that never coincide; the second one is named `again`."""
    first = cine(plane, phases=20, step_ms=46.0, acquisition_s=50.0)
    later = cine(plane, phases=20, **{"name": "again", "step_ms": 40.0, "acquisition_s": 50.0} | second)
    return first + [replace(header, trigger_ms=(header.trigger_ms or 0) + 3) for header in later]


def timed(headers: list[SliceHeader], start_s: float) -> list[SliceHeader]:
    """Each image with an acquisition time of its own."""
    return [replace(header, acquisition_s=start_s + 0.5 * place) for place, header in enumerate(headers)]


TWICE = {
    "acquisition number": {"acquisition_number": 2.0, "first": 21},
    "acquisition time": {"acquisition_s": 900.0},
    "RR interval": {"nominal_interval_ms": 800.0, "first": 21},
    "heart rate": {"heart_rate_bpm": 75.0, "first": 21},
    "numbers in blocks": {"first": 101},
    "numbers in blocks, half a step later": {"first": 101, "step_ms": 46.0},
}


@pytest.mark.parametrize("second", TWICE.values(), ids=TWICE)
def test_two_acquisitions_at_other_times_are_not_woven_into_one(plane: Plane, second: dict[str, Any]) -> None:
    headers = woven(plane, **second)
    assert all(folders(headers, index) == {"again"} for index in range(5))
    assert len(stack(headers).headers) == 20
    assert flags(headers) == [Flag("repeated stack", "2 acquisitions: the newest complete one is used")]
    assert stack(headers[::-1]) == stack(headers)


def test_a_faster_heart_with_fewer_phases_is_complete(plane: Plane) -> None:
    first = cine(plane, phases=20, step_ms=46.0, nominal_interval_ms=920.0)
    later = cine(plane, phases=17, step_ms=46.5, nominal_interval_ms=800.0, name="again", first=101)
    assert all(folders(first + later, index) == {"again"} for index in range(5))
    broken = [header for header in later if (header.trigger_ms or 0) < 600]
    assert all(folders(first + broken, index) == {"a"} for index in range(5))


def test_interleaved_numbers_do_not_hide_two_rates(plane: Plane) -> None:
    headers = woven(plane, nominal_interval_ms=800.0)
    ordered = sorted(headers, key=lambda header: (header.position_mm, header.trigger_ms))
    numbered = [replace(header, instance_number=number) for number, header in enumerate(ordered)]
    assert {len(folders(numbered, index)) for index in range(5)} == {1}
    assert len(stack(numbered).headers) == 20


def test_images_with_times_of_their_own_in_two_acquisitions(plane: Plane) -> None:
    headers = woven(plane)
    both = timed(headers[:100], 100.0) + timed(headers[100:], 4000.0)
    assert all(folders(both, index) == {"again"} for index in range(5))
    broken = timed(headers[:100], 100.0) + timed(headers[100:106], 4000.0)
    assert folders(broken, 0) == {"a"}
    assert flags(broken) == [Flag("repeated slice", "2 acquisitions: the newest complete one is used", slice=0)]


def alternating(plane: Plane, **second: Any) -> list[SliceHeader]:
    """Two films of 10 phases, 92 ms apart, of one time and R-R interval; the second one runs 40 ms later."""
    later = cine(plane, **{"name": "again", "step_ms": 92.0} | second)
    return cine(plane, step_ms=92.0) + [replace(header, trigger_ms=(header.trigger_ms or 0) + 40) for header in later]


def test_numbers_that_all_come_twice_are_two_acquisitions(plane: Plane) -> None:
    """Nothing says which one is newer, so neither is taken, and they are not mixed."""
    headers = alternating(plane)
    for timeless in (headers, [replace(header, acquisition_s=None) for header in headers]):
        with pytest.raises(
            UnusableError,
            match="slice 0 was acquired more than once, and nothing shows which acquisition is the newest",
        ):
            stack(timeless)
    halves = [replace(h, instance_number=(h.instance_number or 0) % 10) for h in cine(plane, phases=20)]
    assert (len(stack(halves).headers), stack(halves).flags) == (20, ())


def test_times_that_alternate_are_told(plane: Plane) -> None:
    """Where not even the numbers tell two acquisitions apart."""
    ordered = sorted(alternating(plane), key=lambda header: (header.position_mm, header.trigger_ms))
    headers = [replace(header, instance_number=number) for number, header in enumerate(ordered)]
    reason = "40 to 52 ms apart: phases may be missing or belong to another acquisition; check the cine"
    assert flags(headers) == [Flag("uneven phase times", reason)]
    gone = [header for header in cine(plane, phases=20) if header.trigger_ms != 400]
    assert [flag.kind for flag in flags(gone)] == ["uneven phase times"]
    for step_ms, rounded_to_ms in ((42.5, 1), (23.75, 2.5), (30.2, 2.5)):
        film_of_one = [
            replace(header, trigger_ms=rounded_to_ms * round((header.trigger_ms or 0) / rounded_to_ms))
            for header in cine(plane, phases=20, step_ms=step_ms)
        ]
        assert not flags(film_of_one)


def test_one_film_is_not_taken_apart(plane: Plane) -> None:
    headers = cine(plane, phases=25)
    rng = np.random.default_rng(0)
    uneasy = [replace(header, nominal_interval_ms=float(rng.choice([800, 801]))) for header in headers]
    any_number = [replace(header, acquisition_number=float(rng.integers(1, 4))) for header in headers]
    any_second = [replace(header, acquisition_s=float(rng.integers(1, 4))) for header in headers]
    begun_late = [
        replace(h, instance_number=(h.instance_number or 0) + 25 * ((h.trigger_ms or 0) < 400)) for h in headers
    ]
    swapped = [
        replace(h, instance_number={24: 22, 22: 24}.get(h.instance_number or 0, h.instance_number)) for h in headers
    ]
    backwards = [replace(header, instance_number=-(header.instance_number or 0)) for header in headers]
    for film_of_one in (uneasy, any_number, any_second, begun_late, swapped, backwards):
        arranged = stack(film_of_one)
        assert (len(arranged.headers), arranged.flags) == (25, ())
