"""Where slices lie: along their normal, in one line, in one regular stack."""

from collections.abc import Callable

import numpy as np
import pytest

from cardioseg.errors import UnusableError
from cardioseg.ingest.cine.series import judge
from cardioseg.ingest.cine.slice_positions import (
    along,
    by_orientation,
    by_position,
    in_line,
    normal_of,
    out_of_line,
    regular_places,
    require_in_line,
    require_same_geometry,
    same_pixels,
    same_plane_direction,
)
from cardioseg.ingest.dicom.slice_header import SliceHeader

Plane = Callable[..., SliceHeader]
STEP_MM = 8.0  # of `plane`
ROWS, COLUMNS = np.array([0.0, 0.0, -1.0]), np.array([0.8, 0.6, 0.0])  # the directions of `plane`
TURNED = (0.6, -0.8, 0.0, 0.0, 0.0, -1.0)


def moved(header: SliceHeader, by_mm: np.ndarray) -> tuple[float, ...]:
    return tuple((np.asarray(header.position_mm) + by_mm).tolist())


def stack_at(plane: Plane, *places: float) -> list[list[SliceHeader]]:
    return [[plane(place)] for place in places]


def test_the_normal_is_row_times_column_direction(plane: Plane) -> None:
    np.testing.assert_allclose(normal_of(plane()), np.cross(COLUMNS, ROWS))
    stretched = plane(orientation=(1.6, 1.2, 0.0, 0.0, 0.0, -3.0))
    np.testing.assert_allclose(np.linalg.norm(normal_of(stretched)), 1)


def test_slices_come_in_order_along_their_normal(plane: Plane) -> None:
    groups = by_position([plane(index, phase) for index in (3, 0, 2) for phase in (1, 0)])
    assert [[header.path.name for header in group] for group in groups] == [
        [f"{index}-0.dcm", f"{index}-1.dcm"] for index in (0, 2, 3)
    ]
    assert np.diff([along(normal_of(group[0]), group[0]) for group in groups]) == pytest.approx([2 * STEP_MM, STEP_MM])


@pytest.mark.parametrize(("apart_mm", "places"), [(0.09, 1), (0.11, 2)])
def test_one_place_is_a_tenth_of_a_millimetre(plane: Plane, apart_mm: float, places: int) -> None:
    assert len(by_position([plane(0), plane(apart_mm / STEP_MM)])) == places


def test_orientations_are_told_apart(plane: Plane) -> None:
    printed = plane(1, orientation=(0.8004, 0.5995, 0.0, 0.0, 0.0, -1.0))
    turned = plane(2, orientation=TURNED)
    assert by_orientation([plane(0), turned, printed]) == [[plane(0), printed], [turned]]
    assert same_plane_direction(plane(0), printed)
    assert not same_plane_direction(plane(0), turned)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"orientation": TURNED}, "not parallel"),
        ({"shape": (7, 6)}, "differ in rows or columns"),
        ({"pixel_mm": (1.5, 1.26)}, "differ in pixel spacing"),
    ],
)
def test_slices_of_two_kinds_are_no_stack(plane: Plane, fields: dict[str, object], reason: str) -> None:
    with pytest.raises(UnusableError, match=reason):
        require_same_geometry([plane(0), plane(1), plane(2, **fields)])
    require_same_geometry([plane(0), plane(1), plane(2, pixel_mm=(1.5, 1.2501))])


def test_pixels_are_the_same_up_to_rounding(plane: Plane) -> None:
    assert same_pixels(plane(0), plane(1, pixel_mm=(1.501, 1.25)))
    assert not same_pixels(plane(0), plane(1, pixel_mm=(1.503, 1.25)))
    assert not same_pixels(plane(0), plane(1, shape=(6, 8)))


def test_a_regular_stack_has_a_place_for_each_slice(plane: Plane) -> None:
    places, step_mm = regular_places(stack_at(plane, 0, 1, 2, 4, 5))
    assert places == [0, 1, 2, 4, 5]
    assert step_mm == pytest.approx(STEP_MM)


def test_the_step_is_the_mean_over_the_stack(plane: Plane) -> None:
    places, step_mm = regular_places(stack_at(plane, 0, 1.004, 2))
    assert (places, step_mm) == ([0, 1, 2], pytest.approx(STEP_MM))


@pytest.mark.parametrize(("first", "count"), [(4, 8), (2, 8), (6, 8)])
def test_one_sideways_jump_is_named_with_the_slices_beside_it(plane: Plane, first: int, count: int) -> None:
    stack = [
        [plane(index, position_mm=moved(plane(index), 6.0 * (index >= first) * COLUMNS))] for index in range(count)
    ]
    before, after = f"slices 0 to {first - 1}", f"slices {first} to {count - 1}"
    with pytest.raises(UnusableError) as refusal:
        require_in_line(stack)
    assert refusal.value.message == f"{before} are shifted sideways from {after} by 6.0 mm"


@pytest.mark.parametrize("aside", [0, 3, 7])
def test_a_single_slice_off_the_line_is_named_alone(plane: Plane, aside: int) -> None:
    stack = [[plane(index, position_mm=moved(plane(index), 6.0 * (index == aside) * COLUMNS))] for index in range(8)]
    with pytest.raises(UnusableError, match=rf"slice {aside} is shifted sideways from the others by 6\.0 mm"):
        require_in_line(stack)


def test_a_single_slice_has_no_step(plane: Plane) -> None:
    with pytest.raises(UnusableError, match="a single slice position"):
        regular_places(stack_at(plane, 0))


def test_uneven_slices_are_refused(plane: Plane) -> None:
    with pytest.raises(UnusableError, match=r"slices 2 and 3 are 12\.0 mm apart, others 8\.0 mm"):
        regular_places(stack_at(plane, 0, 1, 2, 3.5, 4.5))


def test_a_stack_with_more_than_a_third_missing_is_refused(plane: Plane) -> None:
    reason = r"3 of 8 slices are missing, more than a third: slices 2 and 3 are 32\.0 mm apart, others 8\.0 mm"
    with pytest.raises(UnusableError, match=reason):
        regular_places(stack_at(plane, 0, 1, 2, 6, 7))
    assert regular_places(stack_at(plane, 0, 1, 2, 5, 6, 7))[0] == [0, 1, 2, 5, 6, 7]


def test_a_shift_of_half_a_pixel_is_out_of_line(plane: Plane) -> None:
    straight = [plane(index) for index in range(5)]
    half_mm = min(straight[0].pixel_mm) / 2
    near, far = (plane(5, position_mm=moved(plane(5), share * half_mm * COLUMNS)) for share in (0.98, 1.02))
    assert in_line(straight[0], near)
    assert not in_line(straight[0], far)
    assert out_of_line([*straight, near]) == []
    assert out_of_line([*straight, far]) == [far]
    require_in_line([[header] for header in (*straight, near)])
    with pytest.raises(UnusableError, match=r"slice 5 is shifted sideways from the others by 0\.6 mm"):
        require_in_line([[header] for header in (*straight, far)])


@pytest.mark.parametrize("per_slice_mm", [0.6, -0.6])
def test_a_sheared_stack_is_called_sheared(plane: Plane, per_slice_mm: float) -> None:
    sheared = [
        [plane(index, position_mm=moved(plane(index), per_slice_mm * index * COLUMNS))] for index in (0, 1, 2, 4, 5, 6)
    ]
    with pytest.raises(UnusableError) as refusal:
        require_in_line(sheared)
    reason = "each slice is shifted sideways by 0.6 mm from the one before: the stack leans by 4.3 degrees"
    assert refusal.value.message == reason
    series = judge([header for group in sheared for header in group])
    assert (series.reason, series.remedy) == (reason, "resample it to slices that lie straight above each other")
    one_more = plane(7, position_mm=moved(plane(7), 9 * COLUMNS))
    with pytest.raises(UnusableError, match="slice 0 is shifted sideways from the others by"):
        require_in_line([*sheared, [one_more]])
