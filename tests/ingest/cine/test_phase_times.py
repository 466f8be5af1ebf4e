"""Phase times: slices that show other moments of the beat are matched by time, or named."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from cardioseg.ingest.cine.phase_order import film_of
from cardioseg.ingest.cine.phase_times import PhaseTimes, phase_times
from cardioseg.ingest.dicom.slice_header import SliceHeader

STEP_MS = 92.0
USUAL_MS = STEP_MS * np.arange(10)
RR_MS = 920.0


@pytest.fixture(scope="session")
def timed(plane: Callable[..., SliceHeader]) -> Callable[..., PhaseTimes]:
    """timed({slice: (times_ms, rr_ms)}): 8 slices of 10 phases; those that are not named have the usual times."""

    def build(others: Mapping[int, tuple[np.ndarray, float | None]], rr_ms: float | None = RR_MS) -> PhaseTimes:
        grids = [others.get(index, (USUAL_MS, rr_ms)) for index in range(8)]
        return phase_times(
            film_of(
                [
                    [
                        plane(index, phase, trigger_ms=ms, nominal_interval_ms=rr)
                        for phase, ms in enumerate(times.tolist())
                    ]
                    for index, (times, rr) in enumerate(grids)
                ]
            )
        )

    return build


def phases_of(timed: PhaseTimes, index: int) -> list[int]:
    """The phase that each image of a slice was made for."""
    return [int(header.path.stem.partition("-")[2]) for header in timed.film.images[index]]


@pytest.mark.parametrize(
    ("times_ms", "rr_ms", "said"),
    [
        (USUAL_MS / 2, RR_MS, "its phase 9 is 414 ms earlier"),  # half of the beat
        (USUAL_MS * 2, 2 * RR_MS, "its phase 9 is 828 ms later"),  # a missed R wave
        (USUAL_MS * 1.3, RR_MS, "its phase 9 is 248 ms later"),
        (USUAL_MS + 3.5 * STEP_MS, RR_MS, "its phase 0 is 322 ms later"),
        (USUAL_MS + 3 * STEP_MS, None, "its phase 0 is 276 ms later"),  # nothing says whether this covers the beat
        (USUAL_MS + 3 * STEP_MS, 1.4 * RR_MS, "its phase 0 is 276 ms later"),
    ],
)
@pytest.mark.parametrize("slices", [(3,), (3, 4, 5)])
def test_slices_at_other_moments_are_named_and_leave_the_times_alone(
    timed: Callable[..., PhaseTimes], times_ms: np.ndarray, rr_ms: float | None, said: str, slices: tuple[int, ...]
) -> None:
    judged = timed(dict.fromkeys(slices, (times_ms, rr_ms)))
    assert tuple(judged.differing) == slices
    for reason in judged.differing.values():
        assert reason.startswith(said)
        assert "the volumes mix moments of the beat" in reason
    assert judged.times_ms == pytest.approx(tuple(USUAL_MS))


@pytest.mark.parametrize("steps", [-2, 1, 3, 9])
def test_a_whole_beat_that_begins_later_is_matched_by_time(timed: Callable[..., PhaseTimes], steps: int) -> None:
    judged = timed({4: (USUAL_MS + steps * STEP_MS, RR_MS), 6: (USUAL_MS + steps * STEP_MS, RR_MS)})
    moments = np.arange(10)
    for index in (4, 6):
        np.testing.assert_array_equal((np.array(phases_of(judged, index)) + steps) % 10, moments)
        assert f"{abs(steps) * 92} ms {'later' if steps > 0 else 'earlier'}" in judged.differing[index]
        assert judged.differing[index].endswith("they are matched by time")
    assert phases_of(judged, 0) == list(moments)
    assert judged.times_ms == pytest.approx(tuple(USUAL_MS))


def test_heart_rates_and_delays_that_vary_from_slice_to_slice_are_sound(timed: Callable[..., PhaseTimes]) -> None:
    rr_ms = (920, 780, 1010, 850, 900, 990, 640, 940)
    arrhythmic = {index: (np.arange(10) * interval / 10, interval) for index, interval in enumerate(rr_ms)}
    assert timed(arrhythmic).differing == {}
    delayed = {index: (USUAL_MS + 31.0 * (index % 3), RR_MS) for index in range(8)}
    assert timed(delayed).differing == {}
    breathing = {index: ((np.arange(10) + 0.5) * STEP_MS * (0.95 + index / 80), None) for index in range(8)}
    assert timed(breathing).differing == {}


def test_slices_that_all_differ_have_no_times(timed: Callable[..., PhaseTimes]) -> None:
    running_on = timed({index: (USUAL_MS + 12_000 * index, RR_MS) for index in range(8)})
    assert running_on.times_ms == ()
    assert len(running_on.differing) == 7
