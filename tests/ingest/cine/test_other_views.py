"""What has the shape of a short-axis cine and is none."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from cardioseg.ingest.cine.other_views import other_plane
from cardioseg.ingest.cine.series import Kind, judge
from cardioseg.ingest.dicom.slice_header import SliceHeader

Plane = Callable[..., SliceHeader]


def facing(normal: Any) -> tuple[float, ...]:
    """Row and column directions of a plane with this normal."""
    normal = np.asarray(normal) / np.linalg.norm(normal)
    row = np.cross(normal, (0.3, 0.5, 0.1))
    row /= np.linalg.norm(row)
    return (*row.tolist(), *np.cross(normal, row).tolist())


def tilted(left_degrees: float, down_degrees: float) -> tuple[float, float, float]:
    """The axis of a heart that points so far to the left of the front, and down."""
    left, down = np.radians([left_degrees, down_degrees])
    return float(np.cos(down) * np.sin(left)), float(-np.cos(down) * np.cos(left)), float(-np.sin(down))


def verdict(plane: Plane, normal: Any) -> Kind:
    orientation = facing(normal)
    unit = np.cross(orientation[:3], orientation[3:])
    return judge(
        [
            plane(0, phase, orientation=orientation, position_mm=tuple((8.0 * index * unit).tolist()))
            for index in range(6)
            for phase in range(10)
        ]
    ).kind


@pytest.mark.parametrize(("left", "down"), [*product((15, 45, 75), (5, 30, 50)), (45, 64)])
@pytest.mark.parametrize("side", [1, -1])
def test_hearts_lie_in_many_ways(plane: Plane, left: float, down: float, side: int) -> None:
    assert verdict(plane, side * np.asarray(tilted(left, down))) is Kind.SHORT_AXIS_CINE


@pytest.mark.parametrize(
    ("normal", "reason"),
    [
        ((0, 0, 1), "transaxial planes: 0 degrees off"),
        ((0.3, -0.2, -0.93), "transaxial planes: 21 degrees off"),
        ((1, 0, 0), "its normal is 52 degrees off a left ventricle's usual axis"),
        ((0, 1, 0), "its normal is 52 degrees off"),
        ((0.71, 0.70, -0.03), "its normal is 89 degrees off"),  # two chambers
        ((-0.25, 0.45, -0.86), "its normal is 90 degrees off"),  # four
        ((-0.6, -0.65, -0.45), "its normal is 75 degrees off"),  # a heart on the right
    ],
)
def test_other_planes_are_named(plane: Plane, normal: Any, reason: str) -> None:
    assert verdict(plane, normal) is Kind.OTHER_PLANE
    assert other_plane(plane(orientation=facing(normal))).startswith(reason)


@pytest.mark.parametrize("down", [20, 35, 50])
@pytest.mark.parametrize("left", [25, 45, 65])
def test_no_long_axis_passes_for_a_short_one(plane: Plane, left: float, down: float) -> None:
    axis = np.asarray(tilted(left, down))
    across = np.cross(axis, (0, 0, 1)) / np.linalg.norm(np.cross(axis, (0, 0, 1)))
    for turn in np.radians(range(0, 180, 10)):
        normal = np.cos(turn) * across + np.sin(turn) * np.cross(axis, across)
        assert other_plane(plane(orientation=facing(normal)))


def images(plane: Plane, **fields: Callable[[int, int], float | None]) -> list[SliceHeader]:
    return [
        plane(index, phase, instance_number=phase, **{name: value(index, phase) for name, value in fields.items()})
        for index in range(5)
        for phase in range(10)
    ]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"echo_ms": lambda _, phase: 2.0 + 1.5 * phase, "trigger_ms": lambda *_: None}, "echo time: a map"),
        ({"inversion_ms": lambda _, phase: 100.0 + 80 * phase}, "inversion time: a map"),
        (
            {"trigger_ms": lambda _, phase: 900.0 * phase},
            "its trigger times span 8100 ms, but a beat lasts 3000 ms at most: perfusion or real time",
        ),
        (
            {"trigger_ms": lambda _, phase: 900.0 * phase, "heart_rate_bpm": lambda *_: 75.0},
            "its trigger times span 8100 ms, but the RR interval is 800 ms: perfusion or real time",
        ),
        (
            {
                "trigger_ms": lambda _, phase: 92_000.0 * phase,
                "nominal_interval_ms": lambda *_: 920.0,
                "heart_rate_bpm": lambda *_: 0.0,
            },
            "span 828000 ms, but the RR interval is 920 ms: perfusion, real time or times in microseconds",
        ),
        (
            {"trigger_ms": lambda *_: 85.0, "acquisition_s": lambda index, phase: index * 0.2 + 0.9 * phase},
            "one image each heart beat: perfusion",
        ),
        (
            {"trigger_ms": lambda _, phase: 85.0 + phase % 3, "acquisition_s": lambda _, phase: 1.8 * phase},
            "one image each heart beat: perfusion",
        ),
    ],
)
def test_films_of_no_heart_beat_are_named(plane: Plane, fields: Any, reason: str) -> None:
    judged = judge(images(plane, **fields))
    assert judged.kind is Kind.NO_CINE
    assert reason in judged.reason


@pytest.mark.parametrize(
    "fields",
    [
        {"echo_ms": lambda _, phase: 1.5 + 0.01 * phase, "inversion_ms": lambda *_: 0.0},
        {"acquisition_s": lambda index, phase: 20.0 * index + phase},  # segmented, each phase with a time of its own
        {"trigger_ms": lambda *_: None, "acquisition_s": lambda index, phase: 20.0 * index + 0.04 * phase},
        {"trigger_ms": lambda *_: None, "acquisition_s": lambda index, _: 20.0 * index},
        {
            "trigger_ms": lambda *_: None,
            "beat_percent": lambda _, phase: 10.0 * phase,
            "acquisition_s": lambda index, phase: 20.0 * index + phase,
        },
        {
            "trigger_ms": lambda *_: 0.0,
            "actual_trigger_ms": lambda _, phase: 60.0 * phase,
            "acquisition_s": lambda index, phase: 20.0 * index + phase,
        },
    ],
)
def test_cines_are_cines(plane: Plane, fields: Any) -> None:
    assert judge(images(plane, **fields)).kind is Kind.SHORT_AXIS_CINE
