"""Which image is which phase: the clock that orders a slice, phases that it lacks, images that it has beyond most."""

from collections.abc import Callable

import pytest

from cardioseg.errors import UnusableError
from cardioseg.ingest.cine.phase_order import TRIGGERS, Film, film_of, heart_clock, single_step
from cardioseg.ingest.dicom.slice_header import SliceHeader

Plane = Callable[..., SliceHeader]
Row = Callable[..., list[SliceHeader]]
STEP_MS = 40.0
WITHOUT_TIMES = {"trigger_ms": None, "acquisition_s": None}


@pytest.fixture(scope="session")
def row(plane: Plane) -> Row:
    """row(index, phases, step_ms, **fields): the images of one slice, in the order of the phases."""

    def build(index: int, phases: range = range(10), step_ms: float = STEP_MS, **fields: object) -> list[SliceHeader]:
        return [plane(index, phase, **{"trigger_ms": phase * step_ms, **fields}) for phase in phases]

    return build


def phases_of(film: Film, slice_number: int) -> list[str]:
    """The phase that each image was made for, from its file's name."""
    return [header.path.stem.partition("-")[2] for header in film.images[slice_number]]


def refusal(slices: list[list[SliceHeader]]) -> str:
    with pytest.raises(UnusableError) as caught:
        film_of(slices)
    return caught.value.message


def test_images_in_any_order_are_sorted_by_the_trigger_time(row: Row) -> None:
    film = film_of([row(0)[::-1], row(1)])
    assert phases_of(film, 0) == phases_of(film, 1) == [str(phase) for phase in range(10)]
    assert (film.clock, film.filled_in, film.surplus) == (TRIGGERS[0], frozenset(), {})


def test_a_clock_that_most_slices_do_not_vary_in_is_passed_over(row: Row) -> None:
    constant = [row(index, trigger_ms=0.0) for index in range(3)]
    assert heart_clock(constant) is None
    assert heart_clock([*constant[:1], row(1), row(2)]) is TRIGGERS[0]
    assert heart_clock([*constant[:2], row(2)]) is None


def test_a_clock_that_one_image_lacks_is_passed_over(row: Row, plane: Plane) -> None:
    slices = [row(0), [*row(1)[:-1], plane(1, 9, trigger_ms=None)]]
    assert heart_clock(slices) is None


def test_one_image_a_slice_needs_no_clock(row: Row) -> None:
    film = film_of([row(index, range(1), **WITHOUT_TIMES) for index in range(3)])
    assert [len(images) for images in film.images] == [1, 1, 1]


def test_without_any_clock_nothing_is_guessed(row: Row) -> None:
    assert "its phases cannot be told apart" in refusal([row(0, **WITHOUT_TIMES), row(1, **WITHOUT_TIMES)])


def test_the_nearest_phase_stands_in_for_one_that_is_missing(row: Row) -> None:
    lacking = row(1)
    del lacking[4]
    film = film_of([row(0), lacking, row(2)])
    assert film.filled_in == {(1, 4)}
    assert phases_of(film, 1) == ["0", "1", "2", "3", "3", "5", "6", "7", "8", "9"]  # of two as near, the earlier


@pytest.mark.parametrize("step_ms", [30.0, 40.0, 55.0])
def test_a_slice_with_a_beat_of_its_own_is_placed_by_its_steps(row: Row, step_ms: float) -> None:
    lacking = row(1, step_ms=step_ms)
    del lacking[6]
    assert film_of([row(0), lacking, row(2)]).filled_in == {(1, 6)}


def test_of_too_many_images_those_furthest_from_the_usual_times_are_left_out(row: Row) -> None:
    film = film_of([row(0), row(1, range(12)), row(2)])
    assert film.surplus == {1: 2}
    assert phases_of(film, 1) == phases_of(film, 0)


@pytest.mark.parametrize(("phases", "what"), [(range(6), "missing"), (range(14), "surplus")])
def test_more_than_a_third_off_is_refused(row: Row, phases: range, what: str) -> None:
    said = f"slice 1 has {len(phases)} phases, the others have 10: more than a third is {what}"
    assert refusal([row(0), row(1, phases), row(2)]) == said


def numbered(slices: list[list[SliceHeader]], first: Callable[[int], int], plane: Plane) -> list[list[SliceHeader]]:
    """The slices without times; instance numbers run through each slice from `first(slice)`."""
    return [
        [plane(index, phase, instance_number=first(index) + phase, **WITHOUT_TIMES) for phase in range(len(images))]
        for index, images in enumerate(slices)
    ]


def test_instance_numbers_in_blocks_say_which_phase_is_missing(row: Row, plane: Plane) -> None:
    slices = numbered([row(index) for index in range(4)], lambda index: 1 + 10 * index, plane)
    del slices[2][7]
    assert film_of(slices).filled_in == {(2, 7)}


def test_instance_numbers_without_gaps_do_not(row: Row, plane: Plane) -> None:
    slices = numbered([row(0), row(1, range(9)), row(2)], lambda index: (1, 11, 20)[index], plane)
    assert refusal(slices).endswith("nothing shows which phases are missing")


def test_missing_neighbours_do_not_widen_the_step() -> None:
    assert single_step([8.0, 8.1, 24.0, 8.0]) == 8.0
    assert single_step([16.0, 8.0]) == 8.0
