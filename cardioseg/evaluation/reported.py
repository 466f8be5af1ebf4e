"""Reported: the measures of a case in `measures.csv`, to stand beside those that an evaluation makes of its mask.

`predict` measures whole stacks at the ED and ES that it finds; an evaluation, only what the reference knows.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from cardioseg.evaluation.measures import MEASURES, Reported
from cardioseg.files import sha256
from cardioseg.image.nifti import stem
from cardioseg.ingest.masks import MaskFolder
from cardioseg.ingest.subject import Skipped

_MASK, _MEASURES_FILE, _RECORD_FILE = "mask", "measures.json", "case.json"  # what `predict` writes of a case
_EDITED = "measures.csv is of the mask before it was edited: `cardioseg measure` gives the new numbers"


def read_reported(predictions: MaskFolder, cases: Iterable[str]) -> tuple[Reported, tuple[Skipped, ...]]:
    """The measures that `predict` reported of each case, by name; none where nothing did.

    Args:
        predictions: the masks.
        cases: ids of those that were compared.

    Returns:
        The measures by case id; and the cases whose mask was edited since, of which none are given.
    """
    reported: dict[str, Mapping[str, float]] = {}
    edited: list[Skipped] = []
    for case in sorted(set(cases)):
        path = predictions.paths[case]
        if stem(path) != _MASK or not (values := _measures(path.parent)):
            continue
        if _is_edited(path):
            edited.append(Skipped(case, _EDITED))
        else:
            reported[case] = values
    return reported, tuple(edited)


def _measures(folder: Path) -> dict[str, float]:
    try:
        known = json.loads((folder / _MEASURES_FILE).read_text(encoding="utf-8"))["measures"]
        return {name: float(known[name]) for name in MEASURES if known.get(name) is not None}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def _is_edited(path: Path) -> bool:
    try:
        recorded = json.loads((path.parent / _RECORD_FILE).read_text(encoding="utf-8"))["sha256"][path.name]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False
    return bool(recorded != sha256(path))
