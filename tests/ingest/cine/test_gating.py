"""Gating: images that are not the phases of one beat are flagged, whatever shows it; those of gated cines are not."""

from collections.abc import Callable
from typing import Any

import pytest

from cardioseg.ingest.cine.stack import stack
from cardioseg.ingest.dicom.slice_header import SliceHeader

BEAT_MS, STEP_MS, BREATH_HOLD_S = 800.0, 40.0, 3.0
Plane = Callable[..., SliceHeader]


def reasons(plane: Plane, phases: int, **fields: Any) -> list[str]:
    """The flags of five slices that were acquired one after the other, one image every 40 ms."""
    headers = [
        plane(index, phase, **{
            "acquisition_s": BREATH_HOLD_S * index + STEP_MS / 1000 * phase, "trigger_ms": None, **fields,
            **({"trigger_ms": STEP_MS * phase} if "trigger_ms" in fields else {}),
        })
        for index in range(5)
        for phase in range(phases)
    ]  # fmt: skip
    return [f"{flag.kind}: {flag.reason}" for flag in stack(headers).flags if flag.kind == "not gated"]


@pytest.mark.parametrize(
    ("phases", "fields", "said"),
    [
        (60, {"nominal_interval_ms": BEAT_MS}, "the images of a slice cover 2400 ms, 3.0 beats of 800 ms (limit 1.5 b"),
        (60, {"heart_rate_bpm": 75.0}, "cover 2400 ms, 3.0 beats of 800 ms"),
        (60, {}, "cover 2400 ms, longer than a beat (limit 2000 ms)"),
        (60, {"trigger_ms": True}, "cover 2400 ms, longer than a beat (limit 2000 ms)"),
        (20, {"gating": "NONE"}, "by the tag CardiacSynchronizationTechnique (NONE): each slice may begin at another"),
        (20, {"gating": "REALTIME", "trigger_ms": True}, "(REALTIME): each slice may begin at another moment"),
    ],
)
def test_images_without_gating_are_flagged(plane: Plane, phases: int, fields: dict[str, Any], said: str) -> None:
    (reason,) = reasons(plane, phases, **fields)
    assert said in reason
    assert reason.endswith("the volumes then mix moments; play the cine")


@pytest.mark.parametrize(
    ("phases", "fields"),
    [
        (20, {"nominal_interval_ms": BEAT_MS}),
        (20, {}),
        (60, {"nominal_interval_ms": BEAT_MS, "gating": "RETROSPECTIVE"}),
        (60, {"nominal_interval_ms": BEAT_MS, "beat_percent": 50.0}),
        (60, {"nominal_interval_ms": BEAT_MS, "trigger_ms": True}),  # flagged by its trigger times: see `timing.py`
        (20, {"nominal_interval_ms": BEAT_MS, "trigger_ms": True, "gating": "PROSPECTIVE"}),
    ],
)
def test_gated_images_are_not(plane: Plane, phases: int, fields: dict[str, Any]) -> None:
    assert reasons(plane, phases, **fields) == []
