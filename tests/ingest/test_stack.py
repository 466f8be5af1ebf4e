from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardioseg.errors import UnusableError
from cardioseg.ingest.dicom import SliceHeader, read_header
from cardioseg.ingest.stack import stack

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


def test_times_are_means_over_slices(plane: Plane) -> None:
    headers = [plane(index, phase, trigger_ms=phase * (30.0 + index)) for index in range(3) for phase in range(4)]
    assert stack(headers).times_ms == pytest.approx((0, 31, 62, 93))
    without = [replace(header, trigger_ms=None, temporal_position=phase % 4) for phase, header in enumerate(headers)]
    assert stack(without).times_ms == ()


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


def test_a_missing_slice_is_named(cine: list[SliceHeader]) -> None:
    headers = [header for header in cine if header.path.name[0] != "4"]
    assert refusal(headers) == "a slice is missing between slices 4 and 5: 16.0 mm apart where the others are 8.0 mm"
    fewer = [header for header in cine if header.path.name[0] not in "34"]
    assert refusal(fewer) == "2 slices are missing between slices 3 and 4: 24.0 mm apart where the others are 8.0 mm"


@given(place=st.integers(0, 23))
def test_a_missing_file_is_named(cine: list[SliceHeader], place: int) -> None:
    said = refusal(cine[:place] + cine[place + 1 :])
    assert said == f"slice {place // 4 + 1} of 6 has 3 phases where the others have 4"


def test_uneven_slices_are_refused_beyond_one_percent(plane: Plane) -> None:
    def moved(mm: float) -> list[SliceHeader]:
        return [plane(index + (index == 3) * mm / 8) for index in range(6)]

    assert stack(moved(0.04)).grid.spacing_mm[0] == pytest.approx(8)
    assert (
        refusal(moved(0.5))
        == "the slices are unevenly spaced: slices 3 and 4 are 8.5 mm apart where the others are 8.0 mm"
    )


def test_repeats_are_refused(cine: list[SliceHeader]) -> None:
    copied = replace(cine[9], path=Path("copy"))
    assert refusal([*cine, copied]) == "slice 3 has the same phase twice: 2-1.dcm and copy"
    twice = [replace(header, path=Path("again"), instance_number=100 + n) for n, header in enumerate(cine)]
    assert "has the same phase twice" in refusal(cine + twice)  # such as magnitude and phase images
    late = [
        replace(header, trigger_ms=1000 + header.trigger_ms) for header in cine[:4] if header.trigger_ms is not None
    ]
    assert refusal(cine + late) == "slice 1 of 6 has 8 phases where the others have 4"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"orientation": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)}, "its slices are not parallel"),
        ({"orientation": (-0.8, -0.6, 0.0, 0.0, 0.0, 1.0)}, "its slices are not parallel"),  # turned in its plane
        ({"shape": (7, 6)}, "its slices differ in rows or columns"),
        ({"pixel_mm": (1.5, 1.26)}, "its slices differ in pixel spacing"),
        ({"position_mm": (13.2, 22.4, 30.0)}, "slice 1 is shifted sideways against the others by 4.0 mm"),
    ],
)
def test_one_odd_slice_is_refused(cine: list[SliceHeader], change: dict[str, Any], reason: str) -> None:
    odd = [replace(cine[0], **change), *cine[1:]]
    assert refusal(odd) == refusal(odd[::-1]) == reason


def test_too_little_to_stack(plane: Plane) -> None:
    assert "single slice" in refusal([plane(0, phase) for phase in range(20)])
    timeless = [plane(index, phase, trigger_ms=None) for index in range(3) for phase in range(2)]
    assert "nothing tells its phases apart" in refusal(timeless)


def test_pixels_land_in_their_place(tmp_path: Path, write_cine: Callable[..., Path]) -> None:
    folder = write_cine(tmp_path / "a", slices=3, phases=2)
    arranged = stack([read_header(path) for path in sorted(folder.iterdir(), reverse=True)])
    cine = arranged.read()
    assert cine.voxels.shape == (2, 3, 3, 4)
    for number, place in arranged.places().items():
        assert (cine.voxels[place] == number).all()
    np.testing.assert_array_equal(arranged.volume(1).voxels, cine.phase(1).voxels)


def test_a_cine_too_large_for_memory_is_refused(plane: Plane) -> None:
    vast = stack([plane(index, phase, shape=(4096, 4096)) for index in range(5) for phase in range(20)])
    with pytest.raises(UnusableError, match="larger than 4 GiB"):
        vast.read()
