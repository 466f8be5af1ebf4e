"""Timing: whether the phases cover one heart beat. Cardiac output, rates and the time to end-systole need that.

Beats = time that the phases cover / RR interval, RR interval = 60 000 ms / heart rate in bpm.
"""

from collections.abc import Sequence

from cardioseg.image.flag import Flag
from cardioseg.image.plausible_ranges import HEART_RATE_BPM, Bounds
from cardioseg.measure.acquisition import Acquisition

BEATS = Bounds(0.8, 1.2)  # prospectively gated cines leave out the last tenth or two of the beat
RATES_PERCENT = 20.0  # of the higher heart rate
_SECONDS_AS_MS = 0.01  # of a beat: so few milliseconds are seconds
_MS_PER_MINUTE = 60_000
_LEFT_OUT = "cardiac output, rates and time to end-systole are left out"


def covers_one_beat(acquisition: Acquisition, times_ms: Sequence[float]) -> bool:
    """Whether heart rate and times are known, agree, and the phases cover one beat.

    Args:
        acquisition: of the scan.
        times_ms: time of each phase; empty if unknown.
    """
    is_known = rr_interval_ms(acquisition) is not None and len(times_ms) > 1
    return is_known and not timing_flags(acquisition, times_ms)


def rr_interval_ms(acquisition: Acquisition) -> float | None:
    """The RR interval in ms, by the heart rate; None if the heart rate is unknown or cannot be a person's.

    Args:
        acquisition: of the scan.
    """
    rate_bpm = _heart_rate_bpm(acquisition)
    return None if rate_bpm is None else _MS_PER_MINUTE / rate_bpm


def timing_flags(acquisition: Acquisition, times_ms: Sequence[float]) -> tuple[Flag, ...]:
    """Why the phases do not cover one beat, in at most one flag; none where heart rate or times are unknown.

    Args:
        acquisition: of the scan.
        times_ms: time of each phase; empty if unknown.
    """
    rate_bpm, interval_ms = _heart_rate_bpm(acquisition), acquisition.rr_interval_ms
    if rate_bpm is None:
        return ()
    by_interval_bpm = _MS_PER_MINUTE / interval_ms if interval_ms else rate_bpm
    if HEART_RATE_BPM.hold(by_interval_bpm):
        percent = 100 * abs(rate_bpm - by_interval_bpm) / max(rate_bpm, by_interval_bpm)
        if percent > RATES_PERCENT:
            stated = f"{rate_bpm:.0f} bpm, but the RR interval of {interval_ms:.0f} ms means {by_interval_bpm:.0f} bpm"
            limit = f"they differ by {percent:.0f} % (limit {RATES_PERCENT:g} %)"
            return (Flag("heart rates differ", f"the heart rate is {stated}: {limit}; {_LEFT_OUT}"),)
    return _coverage(_MS_PER_MINUTE / rate_bpm, times_ms) if len(times_ms) > 1 else ()


def _coverage(interval_ms: float, times_ms: Sequence[float]) -> tuple[Flag, ...]:
    covered_ms = (max(times_ms) - min(times_ms)) * len(times_ms) / (len(times_ms) - 1)
    beats = covered_ms / interval_ms
    if BEATS.hold(beats):
        return ()
    beat = f"the beat lasts {interval_ms:.0f} ms at {_MS_PER_MINUTE / interval_ms:.0f} bpm"
    reason = f"the phases cover {_rounded(covered_ms)} ms, {beat}: {_rounded(beats)} beats (limits {BEATS})"
    if beats > BEATS.high:
        return (Flag("more than a beat", f"{reason}; {_LEFT_OUT}"),)
    guess = "; are their times in seconds?" if beats < _SECONDS_AS_MS else ""
    return (Flag("less than a beat", f"{reason}{guess}; {_LEFT_OUT}"),)


def _heart_rate_bpm(acquisition: Acquisition) -> float | None:
    rate_bpm = acquisition.heart_rate_bpm
    return rate_bpm if rate_bpm and HEART_RATE_BPM.hold(rate_bpm) else None


def _rounded(value: float) -> str:
    """Two digits or more, never an exponent."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
