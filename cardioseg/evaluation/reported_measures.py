"""Reported: the measures of a case in `measures.csv`, to compare with those that an evaluation makes of its mask.

`predict` measures the whole stack at the ED and ES that it finds; an evaluation measures only the annotated slices.
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

_MASK = "mask"  # stem of the mask, also if it was unpacked
_SIDES = {Label.LV_CAVITY: "lv", Label.RV_CAVITY: "rv"}
_PHASES = tuple(f"{side}_{moment}_phase" for side in _SIDES.values() for moment in ("ed", "es"))


def read_reported(predictions: MaskFolder, cases: Iterable[str]) -> Reported:
    """The measures that `predict` reported for each case, by name; a case that it did not write is left out.

    Args:
        predictions: the predicted masks.
        cases: ids of the cases whose masks were not edited.
    """
    paths = {case: predictions.paths[case] for case in sorted(cases)}
    values = {case: _measures(path.parent) for case, path in paths.items() if stem(path) == _MASK}
    return {case: measures for case, measures in values.items() if measures}


def other_phases(scores: Iterable[VolumeScore], reported: Reported) -> tuple[Skipped, ...]:
    """The volumes whose ED or ES in the reference is at another phase than the reported one, one line per volume."""
    reasons: dict[tuple[str, str], str] = {}
    for score in scores:
        phase = reported.get(score.case_id, {}).get(f"{_SIDES.get(score.label)}_{score.volume}_phase")
        if phase is not None and score.phase is not None and phase != score.phase:
            moment = f"{score.label.title[:2]} {score.volume.upper()}"
            reasons.setdefault(
                (score.case_id, score.volume),
                f"the reader chose phase {score.phase}; in measures.csv, {moment} is phase {phase:.0f}",
            )
    return tuple(Skipped(f"{case} {volume}", why) for (case, volume), why in reasons.items())


def _measures(folder: Path) -> dict[str, float]:
    try:
        row = read_description(CaseFolder(folder)).measures.as_row()
    except UnusableError:
        return {}
    return {name: float(value) for name in (*MEASURES, *_PHASES) if (value := row[name]) is not None}
