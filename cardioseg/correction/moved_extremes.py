"""Extremes: where the largest and the smallest volume of an edited mask are, whose phases were chosen before."""

from collections.abc import Iterator

import numpy as np

from cardioseg.image.labels import Label
from cardioseg.measure.curves import Curve, Curves, Moments
from cardioseg.results.description import Description

_REMEDY = "A --phases FILE sets other phases, for both ventricles"


def moved_extremes(before_ml: Curves, now: Description, chosen: Moments, remedy: str = _REMEDY) -> str:
    """A remark if the largest or the smallest volume of a ventricle has left the phase at which it is measured.

    Args:
        before_ml: the volume curves of the mask as it was predicted.
        now: the measures and curves of the edited mask.
        chosen: phases that a person chose; of these nothing is said.
        remedy: how to choose other phases.
    """
    lv, rv = (now.measures.moments(label) for label in (Label.LV_CAVITY, Label.RV_CAVITY))
    places = [
        ("LV", "largest", "ED", Label.LV_CAVITY, lv.ed_phase, chosen.ed_phase),
        ("LV", "smallest", "ES", Label.LV_CAVITY, lv.es_phase, chosen.es_phase),
        ("RV", "largest", "ED", Label.RV_CAVITY, rv.ed_phase, chosen.ed_phase),
        ("RV", "smallest", "ES", Label.RV_CAVITY, rv.es_phase, chosen.es_phase),
    ]
    remarks = [
        remark
        for side, extreme, moment, label, phase, chosen_phase in places
        if phase is not None and chosen_phase is None
        for remark in _moved(side, extreme, moment, (before_ml.get(label, ()), now.curves_ml[label]), phase)
    ]
    return f"{'; '.join(remarks)}. {remedy}" if remarks else ""


def _moved(side: str, extreme: str, moment: str, curves_ml: tuple[Curve, Curve], phase: int) -> Iterator[str]:
    """What moved, and whither."""
    find = np.argmax if extreme == "largest" else np.argmin
    before_ml, now_ml = curves_ml
    if len(before_ml) != len(now_ml) or find(before_ml) != phase:
        return
    place = int(find(now_ml))
    if now_ml[place] != now_ml[phase]:
        stays = f"{side} {moment} stays at phase {phase} ({now_ml[phase]:.1f} mL)"
        yield f"{stays}, but the {extreme} volume is now at phase {place} ({now_ml[place]:.1f} mL)"
