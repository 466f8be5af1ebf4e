"""Where a flag points, and its way through JSON."""

import json
from dataclasses import asdict

import pytest

from cardioseg.image.flag import Flag


@pytest.mark.parametrize(
    ("phase", "index", "place"),
    [(None, None, ""), (0, None, "phase 0"), (None, 2, "slice 2"), (7, 3, "slice 3, phase 7")],
)
def test_place(phase: int | None, index: int | None, place: str) -> None:
    assert Flag("open ring", "why", phase, index).place == place


@pytest.mark.parametrize("flag", [Flag("gap", "why"), Flag("open ring", "why", 7, 3, ((0, 3), (7, 3)))])
def test_survives_json(flag: Flag) -> None:
    assert Flag.from_document(json.loads(json.dumps(asdict(flag)))) == flag


def test_flags_of_earlier_versions_have_no_places() -> None:
    document = {"kind": "open ring", "reason": "why", "phase": 7, "slice": 3}
    assert Flag.from_document(document) == Flag("open ring", "why", 7, 3)
