"""Reported: the measures of a case in `measures.csv`, to stand beside those that an evaluation makes of its mask.

`predict` measures whole stacks at the ED and ES that it finds; an evaluation, only what the reference knows.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from cardioseg.evaluation.measures import MEASURES, Reported
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.files import sha256
from cardioseg.image.labels import Label
from cardioseg.image.nifti import stem
from cardioseg.ingest.labels.mask_files import MaskFolder, files_beside, is_newer
from cardioseg.skipped import Skipped

_MASK, _MEASURES_FILE, _RECORD_FILE = "mask", "measures.json", "case.json"  # what `predict` writes of a case
_SIDES = {Label.LV_CAVITY: "lv", Label.RV_CAVITY: "rv"}
_PHASES = tuple(f"{side}_{moment}_phase" for side in _SIDES.values() for moment in ("ed", "es"))
_EDITED = (
    "its numbers in measures.csv: they are of the mask before it was edited; `cardioseg measure` gives the new ones"
)
_BESIDE = "{}: it lies beside the mask that was compared and is newer; to compare this edit, save it as mask.nii.gz"


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
        edited += [Skipped(case, _BESIDE.format(file.name)) for file in files_beside(path) if is_newer(file, path)]
        if _is_edited(path):
            edited.append(Skipped(case, _EDITED))
        else:
            reported[case] = values
    return reported, tuple(edited)


def other_phases(scores: Iterable[VolumeScore], reported: Reported) -> tuple[Skipped, ...]:
    """Where the reader's ED and ES are at other phases than those that were reported, a line for each volume."""
    found: dict[tuple[str, str], str] = {}
    for score in scores:
        phase = reported.get(score.case_id, {}).get(f"{_SIDES.get(score.label)}_{score.volume}_phase")
        if phase is not None and score.phase is not None and phase != score.phase:
            moment = f"{score.label.title[:2]} {score.volume.upper()}"
            found.setdefault(
                (score.case_id, score.volume),
                f"the reader's is phase {score.phase}; in measures.csv {moment} is phase {phase:.0f}",
            )
    return tuple(Skipped(f"{case} {volume}", why) for (case, volume), why in found.items())


def _measures(folder: Path) -> dict[str, float]:
    try:
        known = json.loads((folder / _MEASURES_FILE).read_text(encoding="utf-8"))["measures"]
        return {name: float(known[name]) for name in (*MEASURES, *_PHASES) if known.get(name) is not None}
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def _is_edited(path: Path) -> bool:
    try:
        recorded = json.loads((path.parent / _RECORD_FILE).read_text(encoding="utf-8"))["sha256"][path.name]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return False
    return bool(recorded != sha256(path))
