"""Extremes: where the largest and the smallest volume of an edited mask are, whose phases were chosen before."""

from collections.abc import Iterator

import numpy as np

from cardioseg.image.labels import Label
from cardioseg.measure.curves import Curve, Curves, Moments
from cardioseg.results.description import Description


def moved_extremes(before_ml: Curves, now: Description, chosen: Moments) -> str:
    """A remark for each ventricle whose largest or smallest volume has left the phase at which it is measured.

    Args:
        before_ml: the volume curves of the mask as it was predicted.
        now: the measures and curves of the edited mask.
        chosen: phases that a person chose; of these nothing is said.
    """
    lv, rv = (now.measures.moments(label) for label in (Label.LV_CAVITY, Label.RV_CAVITY))
    places = [
        ("LV", "largest", "ed", Label.LV_CAVITY, lv.ed_phase, chosen.ed_phase),
        ("LV", "smallest", "es", Label.LV_CAVITY, lv.es_phase, chosen.es_phase),
        ("RV", "largest", "ed", Label.RV_CAVITY, rv.ed_phase, chosen.ed_phase),
        ("RV", "smallest", "es", Label.RV_CAVITY, rv.es_phase, chosen.es_phase),
    ]
    return "; ".join(
        remark
        for side, extreme, moment, label, phase, chosen_phase in places
        if phase is not None and chosen_phase is None
        for remark in _moved(side, extreme, moment, (before_ml.get(label, ()), now.curves_ml[label]), phase)
    )


def _moved(side: str, extreme: str, moment: str, curves_ml: tuple[Curve, Curve], phase: int) -> Iterator[str]:
    find = np.argmax if extreme == "largest" else np.argmin
    before_ml, now_ml = curves_ml
    if len(before_ml) != len(now_ml) or find(before_ml) != phase:
        return
    place = int(find(now_ml))
    if now_ml[place] != now_ml[phase]:
        yield (
            f"the {extreme} {side} volume is now {now_ml[place]:.1f} mL at phase {place}; {side} {moment.upper()} stays"
            f" at phase {phase} ({now_ml[phase]:.1f} mL). To move {moment.upper()} of both ventricles, set"
            f" {moment}_phase to {place} for this case in a --phases FILE"
        )
