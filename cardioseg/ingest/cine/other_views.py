"""Other views: stacks of films that do not show the heart beat in the short axis, and what they show."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import acos, degrees
from statistics import median

import numpy as np
from numpy.typing import NDArray

from cardioseg.image.plausible_ranges import HEART_RATE_BPM
from cardioseg.ingest.cine.slice_positions import normal_of
from cardioseg.ingest.dicom.slice_header import SliceHeader

# The usual axis of a left ventricle from base to apex, LPS: to the left, to the front and down in about equal parts.
# The axes of the Sunnybrook studies are within 14 degrees of it; those of horizontal hearts (65 degrees to the left of
# the front, 10 down) to vertical ones (45 and 65 down), within 38. The normal of a long-axis plane is perpendicular to
# the heart's own axis, so at least 52 degrees off; normals of coronal, sagittal and transaxial planes: 52, 52 and 60.
_AXIS = (0.61, -0.61, -0.5)
_OFF_AXIS_DEGREES = 50.0
_TRANSAXIAL = 0.9  # component of the unit normal along the body: within 26 degrees of a transaxial plane

_BEAT_MS = 3000.0  # no heart beat lasts longer (20 a minute)
_BEAT_IN_US = (500.0, 1200.0)  # RR intervals that the times of a beat seem to span if they are in microseconds
_MS_PER_MINUTE = 60_000
_MOMENT_MS = 150.0  # images whose trigger times span less show one moment of the beat
_MOMENT_PERCENT = 15.0  # the same limit in percent of the beat
_NEXT_BEAT_S = 0.3  # images that are acquired further apart are of different beats (200 a minute)
_SAME_MS = 0.5  # echo and inversion times that differ by less are equal

Groups = Sequence[Sequence[SliceHeader]]


def other_plane(header: SliceHeader) -> str:
    """Why a plane is not a short axis; "" if it may be one."""
    return other_normal(normal_of(header))


def other_normal(normal: NDArray[np.float64]) -> str:
    """Why a plane with this normal, an LPS unit vector, is not a short axis; "" if it may be one."""
    if abs(normal[2]) > _TRANSAXIAL:
        return f"transaxial planes: {degrees(acos(min(1.0, abs(normal[2])))):.0f} degrees off the body's axis"
    cosine = abs(float(normal @ np.asarray(_AXIS))) / float(np.linalg.norm(_AXIS))
    angle = degrees(acos(min(1.0, cosine)))
    if angle <= _OFF_AXIS_DEGREES:
        return ""
    limit = f"a short axis is at most {_OFF_AXIS_DEGREES:.0f}"
    return f"its normal is {angle:.0f} degrees off a left ventricle's usual axis, {limit}"


def other_purpose(positions: Groups) -> str:
    """Why the images at each position are not a film of a heart beat; "" if they may be one."""
    if _holds_at_most_positions(positions, lambda group: _spread(group, "echo_ms") > _SAME_MS):
        return "its images differ in echo time: a map"
    if _holds_at_most_positions(positions, lambda group: _spread(group, "inversion_ms") > _SAME_MS):
        return "its images differ in inversion time: a map"
    if _holds_at_most_positions(positions, lambda group: _spread(group, "trigger_ms") > _BEAT_MS):
        return _of_many_beats(positions)
    if _holds_at_most_positions(positions, _shows_one_moment):
        return "one image each heart beat: perfusion"
    return ""


def _of_many_beats(positions: Groups) -> str:
    """Why images whose trigger times span more than a heart beat are no film of one."""
    span_ms = median(_spread(group, "trigger_ms") for group in positions if len(group) > 1)
    interval_ms = _rr_interval_ms([header for group in positions for header in group])
    beat = f"the RR interval is {interval_ms:.0f} ms" if interval_ms else f"a beat lasts {_BEAT_MS:.0f} ms at most"
    is_in_us = interval_ms is not None and _BEAT_IN_US[0] < span_ms / interval_ms < _BEAT_IN_US[1]
    cause = "perfusion, real time or times in microseconds" if is_in_us else "perfusion or real time"
    return f"its trigger times span {span_ms:.0f} ms, but {beat}: {cause}"


def _rr_interval_ms(headers: Sequence[SliceHeader]) -> float | None:
    """The median RR interval, else that of the median heart rate; None if neither is plausible."""
    intervals_ms, rates_bpm = list(_values(headers, "nominal_interval_ms")), list(_values(headers, "heart_rate_bpm"))
    by_interval_bpm = _MS_PER_MINUTE / (median(intervals_ms) or 1) if intervals_ms else None
    stated_bpm = (by_interval_bpm, median(rates_bpm) if rates_bpm else None)
    return next((_MS_PER_MINUTE / rate for rate in stated_bpm if rate and HEART_RATE_BPM.hold(rate)), None)


def _holds_at_most_positions(positions: Groups, has_trait: Callable[[Sequence[SliceHeader]], bool]) -> bool:
    """Whether the images have the trait at most of the positions that have several images."""
    verdicts = [has_trait(group) for group in positions if len(group) > 1]
    return 2 * sum(verdicts) > len(verdicts)


def _shows_one_moment(group: Sequence[SliceHeader]) -> bool:
    times_s = sorted(_values(group, "acquisition_s"))
    spread_ms = max(_spread(group, "trigger_ms"), _spread(group, "actual_trigger_ms"))
    if len(times_s) < len(group) or spread_ms > _MOMENT_MS or _spread(group, "beat_percent") > _MOMENT_PERCENT:
        return False
    return median(after - before for before, after in pairwise(times_s)) > _NEXT_BEAT_S


def _spread(group: Sequence[SliceHeader], name: str) -> float:
    values = list(_values(group, name))
    return max(values) - min(values) if values else 0.0


def _values(group: Sequence[SliceHeader], name: str) -> Iterator[float]:
    return (value for header in group if (value := getattr(header, name)) is not None)
