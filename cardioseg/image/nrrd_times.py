"""NRRD times: when the phases of a cine were acquired, as 3D Slicer says it in its keys of a sequence or multi-volume.

Slicer names a sequence's axis of phases and its unit in the fields `labels` and `units`, and its values in
`axis 0 index values`; other programs put the unit in `axis 0 index unit`. A multi-volume has `MultiVolume.FrameLabels`.
"""

import re
from collections.abc import Mapping

from cardioseg.image.volume import beat_times_ms

_IN_MS = {"ms": 1.0, "msec": 1.0, "millisecond": 1.0, "milliseconds": 1.0, "s": 1e3, "sec": 1e3, "second": 1e3}
_QUOTED = re.compile(r'"([^"]*)"')
_TIMES = ("triggertime", "trigger time")  # DICOM tags whose multi-volume is a cine


def stored_times_ms(fields: Mapping[str, str], keys: Mapping[str, str], axis: int, phases: int) -> tuple[float, ...]:
    """The time of each phase, or empty if the header does not say it, or not in a unit of time.

    Args:
        fields: of the header.
        keys: that programs added.
        axis: of the phases, as the file counts.
        phases: their number.
    """
    unit, values = _sequence(fields, keys, axis) if f"axis {axis} index values" in keys else _multi_volume(keys)
    try:
        times_ms = tuple(_IN_MS[unit.strip().lower()] * float(value) for value in values)
    except (KeyError, ValueError):
        return ()
    return beat_times_ms(times_ms) if len(times_ms) == phases else ()


def _sequence(fields: Mapping[str, str], keys: Mapping[str, str], axis: int) -> tuple[str, list[str]]:
    units = _QUOTED.findall(fields.get("units", ""))
    own = next((keys[name] for end in ("unit", "units") if (name := f"axis {axis} index {end}") in keys), "")
    return own or (units[axis] if axis < len(units) else ""), keys[f"axis {axis} index values"].split()


def _multi_volume(keys: Mapping[str, str]) -> tuple[str, list[str]]:
    is_timed = keys.get("MultiVolume.FrameIdentifyingDICOMTagName", "").strip().lower() in _TIMES
    unit = keys.get("MultiVolume.FrameIdentifyingDICOMTagUnits", "") if is_timed else ""
    return unit, keys.get("MultiVolume.FrameLabels", "").split(",")
