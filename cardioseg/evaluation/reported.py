"""Reported: the measures of a case in `measures.csv`, to stand beside those that an evaluation makes of its mask.

`predict` measures whole stacks at the ED and ES that it finds; an evaluation, only what the reference knows.
"""

from collections.abc import Iterable
from pathlib import Path

from cardioseg.errors import UnusableError
from cardioseg.evaluation.measures import MEASURES, Reported
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.image.labels import Label
from cardioseg.image.volume_files import stem
from cardioseg.results.description import read_description
from cardioseg.results.folder import CaseFolder
from cardioseg.results.mask_files import MaskFolder
from cardioseg.skipped import Skipped

_MASK = "mask"  # also of one that was unpacked
_SIDES = {Label.LV_CAVITY: "lv", Label.RV_CAVITY: "rv"}
_PHASES = tuple(f"{side}_{moment}_phase" for side in _SIDES.values() for moment in ("ed", "es"))


def read_reported(predictions: MaskFolder, cases: Iterable[str]) -> Reported:
    """The measures that `predict` reported of each case, by name; none where it did not write the case.

    Args:
        predictions: the masks.
        cases: ids of those whose masks are as they were predicted.
    """
    paths = {case: predictions.paths[case] for case in sorted(cases)}
    values = {case: _measures(path.parent) for case, path in paths.items() if stem(path) == _MASK}
    return {case: known for case, known in values.items() if known}


def other_phases(scores: Iterable[VolumeScore], reported: Reported) -> tuple[Skipped, ...]:
    """Where the reader's ED and ES are at other phases than those that were reported, a line for each volume."""
    found: dict[tuple[str, str], str] = {}
    for score in scores:
        phase = reported.get(score.case_id, {}).get(f"{_SIDES.get(score.label)}_{score.volume}_phase")
        if phase is not None and score.phase is not None and phase != score.phase:
            moment = f"{score.label.title[:2]} {score.volume.upper()}"
            found.setdefault(
                (score.case_id, score.volume),
                f"the reader chose phase {score.phase}; in measures.csv, {moment} is phase {phase:.0f}",
            )
    return tuple(Skipped(f"{case} {volume}", why) for (case, volume), why in found.items())


def _measures(folder: Path) -> dict[str, float]:
    try:
        row = read_description(CaseFolder(folder)).measures.as_row()
    except UnusableError:
        return {}
    return {name: float(value) for name in (*MEASURES, *_PHASES) if (value := row[name]) is not None}
