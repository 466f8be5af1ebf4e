"""Gating: whether the headers show that the images of a film are not the phases of one heart beat.

Without gating, the images of each slice may begin at any moment of the beat, and may show several beats. Phase k is
then another moment on each slice, and the volume of phase k belongs to no moment at all.
"""

from statistics import median

from cardioseg.image.flag import Flag
from cardioseg.image.plausible_ranges import HEART_RATE_BPM
from cardioseg.ingest.cine.phase_order import TRIGGERS, Film
from cardioseg.ingest.cine.phase_times import rr_interval_ms
from cardioseg.ingest.dicom.slice_header import SliceHeader

NOT_GATED = "not gated"
_UNGATED = ("NONE", "REALTIME")  # values of the tag CardiacSynchronizationTechnique
_GATED = ("PROSPECTIVE", "RETROSPECTIVE", "PACED")
_BEATS = 1.5  # images of one beat take no longer; the last one may come after the next R wave
_LONGEST_BEAT_MS = 60_000 / HEART_RATE_BPM.low
_MIXED = "each slice may begin at another moment of the beat, and the volumes then mix moments; play the cine"


def gating_flags(film: Film) -> list[Flag]:
    """A flag if the images are not gated, or if those of most slices took longer than a beat.

    Trigger times that cover more than a beat of known length are left to `measure.timing`.
    """
    headers = [header for row in film.images for header in row]
    techniques = {header.gating for header in headers}
    if ungated := sorted(techniques.intersection(_UNGATED)):
        return [Flag(NOT_GATED, f"by the tag CardiacSynchronizationTechnique ({ungated[0]}): {_MIXED}")]
    if techniques.intersection(_GATED) or all(header.beat_percent is not None for header in headers):
        return []
    beats_ms = [beat_ms for row in film.images if (beat_ms := rr_interval_ms(row))]
    if film.clock in TRIGGERS and beats_ms:
        return []
    duration_ms = median(_duration_ms(film, row) for row in film.images)
    beat_ms = median(beats_ms) if beats_ms else None
    if duration_ms <= (_BEATS * beat_ms if beat_ms else _LONGEST_BEAT_MS):
        return []
    beats = f"{duration_ms / beat_ms:.1f} beats of {beat_ms:.0f} ms" if beat_ms else "longer than a beat"
    limit = f"{_BEATS:g} beats" if beat_ms else f"{_LONGEST_BEAT_MS:.0f} ms"
    return [Flag(NOT_GATED, f"the images of a slice cover {duration_ms:.0f} ms, {beats} (limit {limit}): {_MIXED}")]


def _duration_ms(film: Film, row: tuple[SliceHeader, ...]) -> float:
    """How long the images of a slice took, by their trigger times or their acquisition times; 0 if unknown."""
    if film.clock in TRIGGERS:
        times_ms = [time for header in row if (time := film.clock(header)) is not None]
    else:
        times_ms = [1000 * header.acquisition_s for header in row if header.acquisition_s is not None]
    count = len(times_ms)
    return (max(times_ms) - min(times_ms)) * count / (count - 1) if count > 1 else 0.0
