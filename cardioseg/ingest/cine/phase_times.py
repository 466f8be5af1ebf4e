"""Phase times: when the phases of a film are, and whether all slices show the same moments of the beat.

Phase k of a slice is at t_k = ratio * usual_k, with usual_k the time of phase k in most slices; the ratio follows the
heart rate. If the film of a slice covers the whole beat and is shifted by whole steps, t_k = usual_k + n * step, its
images are matched by time. Slices that agree with neither are named: with them, the volumes mix moments of the beat.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.flag import Flag
from cardioseg.ingest.cine.phase_order import TRIGGERS, Film, time_of
from cardioseg.ingest.dicom.slice_header import SliceHeader

UNEVEN_PHASES, OTHER_TIMES = "uneven phase times", "phase times differ"
_UNEVEN = 1.25  # times the shortest time between two phases; rounding of times stays below
_RATIO = 1.25  # of the times of a slice and the usual times; in the Sunnybrook studies, it is at most 1.05
_RATIO_OF_RR = 1.5  # the same if the RR intervals have this ratio; a beat that is longer contains a missed R wave
_RR_RTOL = 0.1  # intervals that differ by less are equal
_SHIFT_STEPS, _SHIFT_OF_BEAT = 0.75, 0.05  # times that are off by less than the larger of the two agree
_FROM_WHOLE_STEP = 0.25  # of a step: a shift that is nearer to whole steps is one by whole steps
_MS_PER_MINUTE = 60_000

_Times = NDArray[np.float64]  # in ms after the R wave, [phase] or [slice, phase]; NaN for a phase that is filled in


@dataclass(frozen=True)
class PhaseTimes:
    """The times of a film, and slices whose times differ from those of the others.

    Attributes:
        film: the film; the images of a slice that is shifted by whole steps are matched by time.
        times_ms: time of each phase after the R wave, the median of the slices that agree; empty if unknown, or if
            fewer than half of the slices agree.
        differing: slice -> how its times differ, in words.
    """

    film: Film
    times_ms: tuple[float, ...]
    differing: Mapping[int, str]


def phase_times(film: Film) -> PhaseTimes:
    """Compare the times of the slices, and match by time what can be matched."""
    times = _acquired_times(film)
    if times is None or times.shape[1] < 2:
        return PhaseTimes(film, () if times is None else (float(np.median(times)),), {})
    complete = times[np.isfinite(times).all(axis=1)]
    usual = min(complete, key=lambda row: float(np.nansum(np.abs(times - row))))  # nearest to those of all slices
    step_ms = _step_ms(usual)
    limit_ms = step_ms * max(_SHIFT_STEPS, _SHIFT_OF_BEAT * len(usual))
    images, differing = list(film.images), {}
    for number, off_ms in enumerate(_off_ms(film, times, usual)):
        if np.nanmax(np.abs(off_ms)) <= limit_ms:
            continue
        steps = _whole_steps(off_ms, step_ms, rr_interval_ms(film.images[number]))
        differing[number] = _matched_reason(off_ms) if steps else _mixed_reason(off_ms)
        first = -steps % len(usual)
        images[number] = images[number][first:] + images[number][:first]
    agreeing = np.delete(times, list(differing), axis=0)
    are_known = 2 * len(agreeing) >= len(times) and np.isfinite(agreeing).any(axis=0).all()
    times_ms = np.nanmedian(agreeing, axis=0).tolist() if are_known else ()
    return PhaseTimes(replace(film, images=tuple(images)), tuple(times_ms), differing)


def uneven_phases(film: Film) -> list[Flag]:
    """A flag if the times of most slices are uneven, as those of two mixed acquisitions are."""
    filled = {number for number, _ in film.filled_in}
    rows = [row for number, row in enumerate(film.images) if number not in filled and len(row) > 2]
    if film.clock not in TRIGGERS or not rows:
        return []
    gaps = [
        [time_of(film.clock, after) - time_of(film.clock, before) for before, after in pairwise(row)] for row in rows
    ]
    uneven = [row for row in gaps if max(row) > _UNEVEN * min(row)]
    if 2 * len(uneven) <= len(gaps):
        return []
    between = f"{median(map(min, uneven)):.0f} to {median(map(max, uneven)):.0f} ms apart"
    return [Flag(UNEVEN_PHASES, f"{between}: phases may be missing or belong to another acquisition; check the cine")]


def _acquired_times(film: Film) -> _Times | None:
    """The times [slice, phase]; None if they are unknown."""
    if film.clock not in TRIGGERS:
        return None
    times = np.array([[film.clock(header) for header in row] for row in film.images], np.float64)
    if not np.isfinite(times).all():
        return None
    for place in film.filled_in:
        times[place] = np.nan
    return times


def _off_ms(film: Film, times: _Times, usual: _Times) -> Iterator[_Times]:
    """For each slice, how much later its phases are than the usual times at its heart rate."""
    intervals_ms = [rr_interval_ms(row) for row in film.images]
    known_ms = [interval_ms for interval_ms in intervals_ms if interval_ms]
    for row, interval_ms in zip(times, intervals_ms, strict=True):
        ratio = _ratio(row, usual)
        of_rr = interval_ms / median(known_ms) if interval_ms else None
        limit = _RATIO_OF_RR if of_rr and abs(ratio - of_rr) <= _RR_RTOL * of_rr else _RATIO
        yield row - usual * (ratio if 1 / limit <= ratio <= limit else 1)


def _ratio(row: _Times, usual: _Times) -> float:
    """The time from the first to the last phase, relative to the usual one."""
    acquired = np.flatnonzero(np.isfinite(row))[[0, -1]]
    whole_ms = np.diff(usual[acquired])[0]
    return float(np.diff(row[acquired])[0] / whole_ms) if whole_ms else 1.0


def _step_ms(usual: _Times) -> float:
    return float(usual[-1] - usual[0]) / (len(usual) - 1)


def _whole_steps(off_ms: _Times, step_ms: float, interval_ms: float | None) -> int:
    """By how many steps a slice is shifted; 0 if not by whole steps, or if its phases may not cover exactly a beat."""
    beat_ms = len(off_ms) * step_ms
    steps = round(float(np.mean(off_ms)) / step_ms) if step_ms and np.isfinite(off_ms).all() else 0
    is_whole = np.abs(off_ms - steps * step_ms).max() <= _FROM_WHOLE_STEP * step_ms
    covers_beat = interval_ms is not None and abs(beat_ms - interval_ms) <= _RR_RTOL * interval_ms
    return steps if is_whole and covers_beat and abs(steps) < len(off_ms) else 0


def rr_interval_ms(row: Sequence[SliceHeader]) -> float | None:
    """The median RR interval of a slice's images, or that of their heart rate; None if both are unknown."""
    intervals_ms = [header.nominal_interval_ms for header in row if header.nominal_interval_ms]
    rates = [header.heart_rate_bpm for header in row if header.heart_rate_bpm]
    return median(intervals_ms) if intervals_ms else _MS_PER_MINUTE / median(rates) if rates else None


def _matched_reason(off_ms: _Times) -> str:
    return f"its images begin {_later(float(np.mean(off_ms)))} than those of the others: they are matched by time"


def _mixed_reason(off_ms: _Times) -> str:
    phase = int(np.nanargmax(np.abs(off_ms)))
    shown = f"its phase {phase} is {_later(float(off_ms[phase]))} than in the other slices"
    return f"{shown}: if this is right, the volumes mix moments of the beat; check the cine"


def _later(ms: float) -> str:
    return f"{abs(ms):.0f} ms {'later' if ms > 0 else 'earlier'}"
