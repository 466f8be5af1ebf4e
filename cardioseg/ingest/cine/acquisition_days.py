"""Acquisition days: times of one study that can be compared, although some images may have no date.

The date decides which acquisition is the newest if a study continues after midnight. Where an image of a study has a
time but no date, only the times of day of this study can be compared.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from cardioseg.ingest.dicom.slice_header import SliceHeader

_SECONDS_PER_DAY = 86400


def with_comparable_times(headers: Sequence[SliceHeader]) -> list[SliceHeader]:
    """The headers in the same order; without days in studies where not all times have one."""
    times_s = defaultdict(list)
    for header in headers:
        if header.acquisition_s is not None:
            times_s[header.study_uid].append(header.acquisition_s)
    mixed = {study for study, of_study in times_s.items() if min(of_study) < _SECONDS_PER_DAY <= max(of_study)}
    return [_without_day(header) if header.study_uid in mixed else header for header in headers]


def _without_day(header: SliceHeader) -> SliceHeader:
    if header.acquisition_s is None:
        return header
    return replace(header, acquisition_s=header.acquisition_s % _SECONDS_PER_DAY)
