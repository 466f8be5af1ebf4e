from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardioseg.errors import UnusableError
from cardioseg.ingest.cine.stack import Stack, stack
from cardioseg.ingest.dicom.reader import read_headers
from cardioseg.ingest.dicom.slice_header import SliceHeader

Plane = Callable[..., SliceHeader]


@pytest.fixture(scope="session")
def planes(plane: Plane) -> Callable[..., list[SliceHeader]]:
    """planes(slices, phases): a complete cine in scanner order."""

    def build(slices: int = 6, phases: int = 4, **fields: Any) -> list[SliceHeader]:
        places = [(index, phase) for index in range(slices) for phase in range(phases)]
        return [
            plane(index, phase, **{"instance_number": number, **fields})
            for number, (index, phase) in enumerate(places, start=1)
        ]

    return build


@pytest.fixture(scope="session")
def cine(planes: Callable[..., list[SliceHeader]]) -> list[SliceHeader]:
    return planes()


def refusal(headers: list[SliceHeader]) -> str:
    with pytest.raises(UnusableError) as caught:
        stack(headers)
    return caught.value.message


@given(order=st.randoms(use_true_random=False))
def test_order_of_files_changes_nothing(cine: list[SliceHeader], order: Any) -> None:
    shuffled = list(cine)
    order.shuffle(shuffled)
    assert stack(shuffled) == stack(cine)


@given(
    angles=st.tuples(*[st.floats(-3, 3)] * 3),
    step_mm=st.floats(2, 12),
    origin=st.tuples(*[st.floats(-200, 200)] * 3),
)
def test_grid_puts_every_pixel_where_dicom_puts_it(plane: Plane, angles: Any, step_mm: float, origin: Any) -> None:
    axes = np.linalg.qr(np.array([[np.cos(a), np.sin(a), a] for a in angles]) + 4 * np.eye(3))[0].T
    normal = np.cross(axes[0], axes[1])
    headers = [
        plane(path=Path(str(k)), orientation=tuple(axes[:2].ravel()), position_mm=tuple(origin + k * step_mm * normal))
        for k in range(5)
    ]
    grid = stack(headers[::-1]).grid
    for k, row, column in ((0, 0, 0), (4, 5, 6), (2, 3, 1)):
        expected = headers[k].position_mm + row * 1.5 * axes[1] + column * 1.25 * axes[0]  # PS3.3 C.7.6.2.1.1
        np.testing.assert_allclose(grid.position_mm((k, row, column)), expected, atol=1e-6)
    assert grid.spacing_mm == pytest.approx((step_mm, 1.5, 1.25))


def test_times_are_medians_over_slices(plane: Plane) -> None:
    headers = [plane(index, phase, trigger_ms=phase * (30.0 + index)) for index in range(3) for phase in range(4)]
    assert stack(headers).times_ms == pytest.approx((0, 31, 62, 93))
    without = [replace(header, trigger_ms=None, temporal_position=phase % 4) for phase, header in enumerate(headers)]
    assert stack(without).times_ms == ()


def test_a_slice_of_another_moment_is_matched_by_time_or_named(plane: Plane) -> None:
    def headers(shift: int, step_ms: float) -> list[SliceHeader]:
        beat = {"nominal_interval_ms": 400.0}
        usual = [plane(index, phase, **beat) for index in (0, 1, 3, 4) for phase in range(10)]
        return [*usual, *(plane(5, phase, trigger_ms=(phase + shift) * step_ms, **beat) for phase in range(10))]

    shifted, half = stack(headers(3, 40.0)), stack(headers(0, 20.0))
    assert [(row[5] and row[5].path.stem) for row in shifted.headers] == [f"5-{(k - 3) % 10}" for k in range(10)]
    assert [(row[5] and row[5].path.stem) for row in half.headers] == [f"5-{k}" for k in range(10)]
    for arranged in (shifted, half):
        assert kinds(arranged) == [("missing slice", 2, None), ("phase times differ", 5, None)]
        assert arranged.times_ms == pytest.approx([40 * phase for phase in range(10)])


@pytest.mark.parametrize(
    ("fields", "clock"),
    [
        ({}, "trigger_ms"),
        ({"trigger_ms": None}, "temporal_position"),
        ({"trigger_ms": 0.0}, "temporal_position"),  # the same everywhere says nothing
        ({"trigger_ms": None, "temporal_position": None}, "acquisition_s"),
        ({"trigger_ms": None, "temporal_position": None, "acquisition_s": 5.0}, "instance_number"),
    ],
)
def test_the_best_clock_orders_the_phases(plane: Plane, fields: dict[str, Any], clock: str) -> None:
    rng = np.random.default_rng(1)
    clocks = ("trigger_ms", "temporal_position", "acquisition_s", "instance_number")
    headers = [
        replace(plane(index, phase), **{name: int(rank) for name, rank in zip(clocks, ranks, strict=True)} | fields)
        for index in range(3)
        for phase, ranks in enumerate(np.array([rng.permutation(5) for _ in clocks]).T)
    ]
    for phase, row in enumerate(stack(headers).headers):
        assert {getattr(header, clock) for header in row} == {phase}


def test_instances_are_found_by_place(cine: list[SliceHeader]) -> None:
    arranged = stack(cine)
    assert len(arranged.places()) == len(cine)
    for number, (phase, index) in arranged.places().items():
        assert arranged.headers[phase][index].instance_number == number
        assert (number - 1) % 4 == phase
        assert (number - 1) // 4 == index


def without(headers: list[SliceHeader], *slices: int) -> list[SliceHeader]:
    return [header for header in headers if int(header.path.name[0]) not in slices]


def kinds(arranged: Stack) -> list[tuple[str, int | None, int | None]]:
    return [(flag.kind, flag.slice, flag.phase) for flag in arranged.flags]


def test_a_missing_slice_is_a_hole_in_a_regular_grid(cine: list[SliceHeader]) -> None:
    whole, arranged = stack(cine), stack(without(cine, 4))
    assert arranged.grid == whole.grid
    assert arranged.missing == (4,)
    assert kinds(arranged) == [("missing slice", 4, None)]
    assert arranged.flags[0].reason == (
        "no image of the stack lies here, although its slices are 8.0 mm apart: the mask is empty here, "
        "and for the volumes, areas are interpolated from the neighbouring slices"
    )
    for row, complete in zip(arranged.headers, whole.headers, strict=True):
        assert row == (*complete[:4], None, *complete[5:])
    assert arranged.times_ms == whole.times_ms
    assert (stack(without(cine, 0)).missing, stack(without(cine, 5)).missing) == ((), ())  # an end that nobody misses


def test_at_most_a_third_is_filled(cine: list[SliceHeader]) -> None:
    assert stack(without(cine, 2, 3)).missing == (2, 3)
    said = refusal(without(cine, 1, 2, 3))
    assert said.startswith("3 of 6 slices are missing, more than a third")
    assert "slices 0 and 1 are 32.0 mm apart, others 8.0 mm" in said


@pytest.mark.parametrize("place", [2.5, 0.3])
def test_one_slice_between_those_of_a_regular_stack_is_left_out(
    cine: list[SliceHeader], plane: Plane, place: float
) -> None:
    extra = [plane(place, phase, instance_number=100 + phase) for phase in range(4)]
    arranged = stack([*extra, *cine])
    assert (arranged.headers, arranged.grid) == (stack(cine).headers, stack(cine).grid)
    assert kinds(arranged) == [("surplus slice", int(place), None)]
    assert "which are 8.0 mm apart" in arranged.flags[0].reason
    with pytest.raises(UnusableError):  # a slice of another series may replace one
        stack([*cine, *(replace(header, series_uid="9") for header in extra)])


@pytest.mark.parametrize("apart", [5 / 8, 0.5, 3 / 8])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_slice_that_lies_too_near_to_the_end_is_left_out(
    cine: list[SliceHeader], plane: Plane, apart: float, is_first: bool
) -> None:
    place = -apart if is_first else 5 + apart
    arranged = stack([*cine, *(plane(place, phase, instance_number=100 + phase) for phase in range(4))])
    assert (arranged.headers, arranged.grid) == (stack(cine).headers, stack(cine).grid)
    end = 0 if is_first else 5
    assert kinds(arranged) == [("surplus slice", end, None)]
    near = f"only {8 * apart:.1f} mm from slice {end}, at the end of the stack, whose slices are 8.0 mm apart"
    assert near in arranged.flags[0].reason
    few = refusal([*without(cine, 0, 1), *(plane(5 + apart, phase) for phase in range(4))])
    assert few == f"the slices are unevenly spaced: slices 3 and 4 are {8 * apart:.1f} mm apart, others 8.0 mm"


def test_a_slice_beyond_a_gap_is_not_left_out(cine: list[SliceHeader], plane: Plane) -> None:
    said = refusal([*cine, *(plane(6.375, phase) for phase in range(4))])
    assert said == "the slices are unevenly spaced: slices 5 and 6 are 11.0 mm apart, others 8.0 mm"


def test_a_surplus_slice_that_is_unclear_is_refused(cine: list[SliceHeader], plane: Plane) -> None:
    two = [plane(place, phase, instance_number=200 + phase) for place in (0.3, 2.3) for phase in range(4)]
    assert "unevenly spaced" in refusal([*cine, *two])
    assert "unevenly spaced" in refusal([*without(cine, 4, 5), *two[:4]])


@pytest.mark.parametrize("change", [{}, {"trigger_ms": None, "temporal_position": 1}])
@given(place=st.integers(0, 23))
def test_a_missing_phase_is_filled_by_its_neighbour(cine: list[SliceHeader], change: Any, place: int) -> None:
    timed = [
        replace(header, **change | {name: change[name] + phase % 4 for name in change if change[name]})
        for phase, header in enumerate(cine)
    ]
    whole, arranged = stack(timed), stack(timed[:place] + timed[place + 1 :])
    index, phase = divmod(place, 4)
    assert kinds(arranged) == [("missing phase", index, phase)]
    assert (arranged.grid, arranged.times_ms, arranged.missing) == (whole.grid, whole.times_ms, ())
    for number, place_of in whole.places().items():
        assert arranged.places().get(number) == (None if place_of == (phase, index) else place_of)
    stand_in = arranged.headers[phase][index]
    assert stand_in in {whole.headers[near][index] for near in (phase - 1, phase + 1) if 0 <= near < 4}


def test_hearts_that_change_their_rate_keep_their_phases(plane: Plane) -> None:
    headers = [
        plane(index, phase, trigger_ms=(phase + 0.5) * (900 + 60 * index) / 20)
        for index in range(5)
        for phase in range(20)
        if (index, phase) not in {(2, 0), (2, 10), (2, 11), (4, 19)}
    ]
    assert kinds(stack(headers)) == [
        ("missing phase", 2, 0), ("missing phase", 2, 10), ("missing phase", 2, 11), ("missing phase", 4, 19)
    ]  # fmt: skip


def test_phases_that_cannot_be_placed_are_refused(plane: Plane, planes: Callable[..., list[SliceHeader]]) -> None:
    cine = planes(4, 9)
    assert refusal(cine[:9] + cine[13:]) == "slice 1 has 5 phases, the others have 9: more than a third is missing"
    untimed = [replace(header, trigger_ms=None) for header in cine]
    assert kinds(stack(untimed[1:]))[0] == ("missing phase", 0, 0)
    untimed = [replace(header, instance_number=2 * (header.instance_number or 0)) for header in untimed]
    assert refusal(untimed[1:]) == "slice 0 has 8 phases, the others have 9, and nothing shows which phases are missing"
    uneven = [replace(cine[0], trigger_ms=70.0), *cine[2:]]
    assert "its times do not show which phases are missing" in refusal(uneven)
    stopped = [replace(header, trigger_ms=(header.trigger_ms or 0) * 1e-12) for header in cine[1:]]
    assert "its times do not show which phases are missing" in refusal(stopped)
    more = [*untimed, plane(2, 9, trigger_ms=None, instance_number=90)]
    assert refusal(more) == "slice 2 has 10 phases, the others have 9, and nothing shows which phases are surplus"
    many = [*cine, *(plane(2, phase) for phase in range(9, 13))]
    assert refusal(many) == "slice 2 has 13 phases, the others have 9: more than a third is surplus"


@pytest.mark.parametrize("counts", [[12, 12, 13, 12, 12, 12], [12, 13, 12, 14, 12, 15]])
@pytest.mark.parametrize(("clock", "step"), [("trigger_ms", 60.0), ("temporal_position", 1.0)])
def test_phases_beyond_those_of_most_slices_are_left_out_by_time(
    plane: Plane, counts: list[int], clock: str, step: float
) -> None:
    headers = [
        replace(plane(index, phase, instance_number=100 * index + phase, trigger_ms=None), **{clock: phase * step})
        for index, count in enumerate(counts)
        for phase in range(count)
    ]
    arranged = stack(headers[::-1])
    assert [[header.instance_number for header in row if header] for row in arranged.headers] == [
        [100 * index + phase for index in range(6)] for phase in range(12)
    ]
    assert kinds(arranged) == [("surplus phase", index, None) for index, count in enumerate(counts) if count > 12]
    assert arranged.flags[0].reason.startswith("13 phases, the others have 12: the phase that is furthest from")


def test_a_slower_beat_has_its_surplus_at_the_end(plane: Plane) -> None:
    headers = [plane(index, phase, trigger_ms=40.0 * phase) for index in range(5) for phase in range(20)]
    slow = [plane(5, phase, trigger_ms=15 + 41.0 * phase, instance_number=phase) for phase in range(22)]
    numbers = [row[5].instance_number for row in stack(headers + slow).headers if row[5]]
    assert numbers == list(range(20))


def test_a_phase_in_the_middle_may_be_the_surplus_one(plane: Plane) -> None:
    headers = [plane(index, phase) for index in range(5) for phase in range(10)]
    between = plane(2, 3, trigger_ms=140.0, path=Path("between"))
    assert stack([*headers, between]).headers == stack(headers).headers


def test_uneven_slices_are_refused_beyond_one_percent(plane: Plane) -> None:
    def moved(mm: float) -> list[SliceHeader]:
        return [plane(index + (index == 3) * mm / 8) for index in range(6)]

    assert stack(moved(0.04)).grid.spacing_mm[0] == pytest.approx(8)
    assert refusal(moved(0.5)) == "the slices are unevenly spaced: slices 2 and 3 are 8.5 mm apart, others 8.0 mm"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"orientation": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)}, "its slices are not parallel"),
        ({"orientation": (-0.8, -0.6, 0.0, 0.0, 0.0, 1.0)}, "its slices are not parallel"),  # turned in its plane
        ({"shape": (7, 6)}, "its slices differ in rows or columns"),
        ({"pixel_mm": (1.5, 1.26)}, "its slices differ in pixel spacing"),
        ({"position_mm": (13.2, 22.4, 30.0)}, "slice 0 is shifted sideways from the others by 4.0 mm"),
    ],
)
def test_one_odd_slice_is_refused(cine: list[SliceHeader], change: dict[str, Any], reason: str) -> None:
    odd = [replace(cine[0], **change), *cine[1:]]
    assert refusal(odd) == refusal(odd[::-1]) == reason


def test_too_little_to_stack(plane: Plane) -> None:
    assert "single slice" in refusal([plane(0, phase) for phase in range(20)])
    timeless = [plane(index, phase, trigger_ms=None) for index in range(3) for phase in range(2)]
    assert "its phases cannot be told apart" in refusal(timeless)


def test_pixels_land_in_their_place(tmp_path: Path, write_cine: Callable[..., Path]) -> None:
    folder = write_cine(tmp_path / "a", slices=3, phases=2)
    arranged = stack([header for path in sorted(folder.iterdir(), reverse=True) for header in read_headers(path)])
    cine = arranged.read()
    assert cine.voxels.shape == (2, 3, 3, 4)
    for number, place in arranged.places().items():
        assert (cine.voxels[place] == number).all()
    np.testing.assert_array_equal(arranged.volume(1).voxels, cine.phase(1).voxels)


def test_a_cine_too_large_for_memory_is_refused(plane: Plane) -> None:
    vast = stack([plane(index, phase, shape=(4096, 4096)) for index in range(5) for phase in range(20)])
    with pytest.raises(UnusableError, match="larger than 4 GiB"):
        vast.read()


def test_missing_slices_are_black_and_missing_phases_borrowed(tmp_path: Path, write_cine: Callable[..., Path]) -> None:
    folder = write_cine(tmp_path / "a", slices=4, phases=4)
    kept = [path for path in sorted(folder.iterdir()) if path.stem not in {"0002", "0009", "0010", "0011", "0012"}]
    arranged = stack([header for path in kept for header in read_headers(path)])
    voxels = arranged.read().voxels[:, :, 0, 0]
    np.testing.assert_array_equal(voxels.T, [[1, 1, 3, 4], [5, 6, 7, 8], [0, 0, 0, 0], [13, 14, 15, 16]])
    np.testing.assert_array_equal(arranged.volume(1).voxels[:, 0, 0], voxels[1])


def test_body_and_heart_rate(planes: Callable[..., list[SliceHeader]]) -> None:
    bare = stack(planes())
    assert (bare.heart_rate_bpm, bare.height_m, bare.weight_kg) == (None, None, None)
    known = stack(planes(heart_rate_bpm=61.0, nominal_interval_ms=500.0, height_m=1.8, weight_kg=75.0))
    assert (known.heart_rate_bpm, known.height_m, known.weight_kg) == (61, 1.8, 75)
    assert known.rr_interval_ms == 500
    assert stack(planes(nominal_interval_ms=800.0)).heart_rate_bpm == 75
    assert stack(planes(nominal_interval_ms=0.0)).heart_rate_bpm is None
    assert stack(planes(nominal_interval_ms=1.0)).heart_rate_bpm is None
    assert stack(planes(heart_rate_bpm=900.0, nominal_interval_ms=800.0)).heart_rate_bpm == 75
    assert stack(planes(heart_rate_bpm=900.0)).heart_rate_bpm == 900
    assert stack(planes(thickness_mm=8.0)).thickness_mm == 8
    varied = [replace(header, heart_rate_bpm=60.0 + n % 3) for n, header in enumerate(planes())]
    assert stack(varied).heart_rate_bpm == 61
