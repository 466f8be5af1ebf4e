"""Timing: output, rates and times are measured only of one beat; otherwise a flag says why they are left out."""

from dataclasses import replace

import numpy as np
import pytest

from cardioseg.image.labels import STRUCTURES
from cardioseg.image.volume import Cine
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.filling import FILLING_QUANTITIES
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.measure.timing import timing_flags
from cardioseg.measure.ventricles import measure
from cardioseg.phantom import Phantom, reference

HEART = Phantom(slices=5, phases=10, rows=48, columns=48, spacing_mm=(20.0, 5.0, 5.0))
OF_ONE_BEAT = ("cardiac_output_l_per_min", *(quantity.key for quantity in FILLING_QUANTITIES))


@pytest.fixture(scope="module")
def beat() -> Cine:
    """Ten phases of a beat of 920 ms."""
    return reference(HEART)


def measured(mask: Cine, rate_bpm: float | None = 65.0, interval_ms: float | None = 920.0) -> tuple[Measures, str]:
    """The measures, and the kind and the reason of the flag about the timing."""
    body = Acquisition(heart_rate_bpm=rate_bpm, rr_interval_ms=interval_ms)
    flags = timing_flags(body, mask.times_ms)
    return measure(LabelledCine(mask, STRUCTURES, body)), "".join(f"{flag.kind}: {flag.reason}" for flag in flags)


def spaced(mask: Cine, step_ms: float) -> Cine:
    return replace(mask, times_ms=tuple(phase * step_ms for phase in range(mask.phases)))


@pytest.mark.parametrize("step_ms", [75.0, 92.0, 108.0])
def test_one_beat_has_output_and_rates(beat: Cine, step_ms: float) -> None:
    measures, flag = measured(spaced(beat, step_ms))
    assert all(measures[key] is not None for key in OF_ONE_BEAT)
    assert flag == ""
    assert measures["cardiac_output_l_per_min"] == pytest.approx(0.065 * (measures["lv_sv_ml"] or 0))
    ed, es = HEART.ed_es_phases
    assert measures["lv_time_to_es_ms"] == pytest.approx((es - ed) * step_ms % (60_000 / 65))


def test_three_beats_have_volumes_only(beat: Cine) -> None:
    film = spaced(Cine(np.concatenate([beat.voxels] * 3), beat.grid), 92.0)
    measures, flag = measured(film)
    assert {measures[key] for key in OF_ONE_BEAT} == {None}
    assert (measures["lv_sv_ml"], measures["heart_rate_bpm"]) == (measured(beat)[0]["lv_sv_ml"], 65)
    assert flag.startswith("more than a beat: the phases cover 2760 ms, the beat lasts 923 ms at 65 bpm: 3 beats")
    assert flag.endswith("cardiac output, rates and time to end-systole are left out")


@pytest.mark.parametrize(
    ("step_ms", "rate_bpm", "interval_ms", "reason"),
    [
        (70.0, 65.0, 920.0, "less than a beat: the phases cover 700 ms, the beat lasts 923 ms at 65 bpm: 0.76 beats"),
        (0.092, 65.0, None, "less than a beat: the phases cover 0.92 ms, the beat lasts 923 ms"),
        (0.092, 65.0, None, "0.001 beats (limits 0.8 to 1.2); are their times in seconds?"),
        (92.0, 130.0, None, "more than a beat: the phases cover 920 ms, the beat lasts 462 ms at 130 bpm: 2 beats"),
        (
            92.0,
            130.0,
            920.0,
            "heart rates differ: the heart rate is 130 bpm, but the RR interval of 920 ms means 65 bpm",
        ),
        (92.0, 50.0, 920.0, "they differ by 23 % (limit 20 %)"),
    ],
)
def test_a_beat_that_is_not_known_has_no_output(
    beat: Cine, step_ms: float, rate_bpm: float, interval_ms: float | None, reason: str
) -> None:
    measures, flag = measured(spaced(beat, step_ms), rate_bpm, interval_ms)
    assert {measures[key] for key in OF_ONE_BEAT} == {None}
    assert reason in flag


@pytest.mark.parametrize(
    ("rate_bpm", "interval_ms"), [(None, None), (None, 920.0), (0.0, 920.0), (800.0, None), (65.0, 0.92), (55.0, 920.0)]
)
def test_heart_rates_that_cannot_be_compared_or_are_alike(
    beat: Cine, rate_bpm: float | None, interval_ms: float | None
) -> None:
    measures, flag = measured(beat, rate_bpm, interval_ms)
    assert flag == ""
    assert (measures["cardiac_output_l_per_min"] is None) == (rate_bpm not in {65.0, 55.0})


def test_heart_rates_that_differ_are_named_without_times(beat: Cine) -> None:
    assert measured(replace(beat, times_ms=()), 130.0)[1].startswith("heart rates differ")
